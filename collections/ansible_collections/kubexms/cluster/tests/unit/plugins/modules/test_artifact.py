# SPDX-License-Identifier: GPL-3.0-or-later
"""The module artifact, whole, against a real HTTP server."""

from __future__ import annotations

import hashlib
import json

import pytest

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_files
from ansible_collections.kubexms.cluster.plugins.module_utils._record import Record

KUBELET = b"kubelet" * 100_000
CTR = b"ctr" * 1000


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def arguments(host, server):
    server.serve(KUBELET, CTR)
    return {
        "url": server.url,
        "files": [
            {
                "path": str(host.path("/usr/local/bin/kubelet")),
                "sha256": sha256(KUBELET),
                "size": len(KUBELET),
            },
            {
                "path": str(host.path("/opt/ctr")),
                "sha256": sha256(CTR),
                "size": len(CTR),
                "mode": "0700",
            },
        ],
    }


def test_missing_files_are_fetched(run, host, server, arguments):
    result = run("artifact", arguments)
    assert result.row("/usr/local/bin/kubelet") == ("", "sha256:" + sha256(KUBELET)[:12])
    assert host.path("/usr/local/bin/kubelet").read_bytes() == KUBELET
    assert host.path("/usr/local/bin/kubelet").stat().st_mode & 0o777 == 0o755
    assert host.path("/opt/ctr").stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in host.path("/opt").iterdir()) == ["ctr"]
    assert "missing" not in result


def test_the_second_run_fetches_and_hashes_nothing(run, host, server, arguments, monkeypatch):
    run("artifact", arguments)
    server.requests.clear()
    before = host.files()
    monkeypatch.setattr("ansible_collections.kubexms.cluster.plugins.module_utils._files.file_digest", None)
    result = run("artifact", arguments)
    assert (result["changed"], server.requests) == (False, [])
    assert host.files().keys() == before.keys()


def test_check_mode_fetches_nothing(run, host, server, arguments):
    result = run("artifact", arguments, check=True)
    assert result.paths == ["/usr/local/bin/kubelet", "/opt/ctr"]
    assert server.requests == []
    assert not host.path("/opt").exists()


def test_other_bytes_are_replaced_and_put_back_by_revert(run, host, client, arguments):
    host.write("/opt/ctr", "another ctr", 0o755)
    assert run("artifact", arguments).row("/opt/ctr")[0] == "sha256:" + sha256(b"another ctr")[:12]
    record = Record()
    _stage_files.revert(client, record)
    assert host.read("/opt/ctr") == "another ctr"
    assert not host.path("/usr/local/bin/kubelet").exists()
    assert record.stage("files") == {}


def test_only_the_mode_differs(run, host, server, arguments):
    run("artifact", arguments)
    host.path("/opt/ctr").chmod(0o755)
    server.requests.clear()
    result = run("artifact", arguments)
    assert result.row("/opt/ctr mode") == ("0755", "0700")
    assert host.path("/opt/ctr").stat().st_mode & 0o777 == 0o700
    assert server.requests == []


def test_a_changed_file_is_noticed_although_its_digest_was_remembered(run, host, arguments):
    run("artifact", arguments)
    host.write("/opt/ctr", "x" * len(CTR), 0o700)
    assert run("artifact", arguments).paths == ["/opt/ctr"]
    assert host.path("/opt/ctr").read_bytes() == CTR


def test_a_wrong_digest_places_nothing(run, host, server, arguments):
    server.files[sha256(CTR)] = b"bad" * 1000
    result = run("artifact", arguments)
    assert (result["code"], result["retriable"]) == ("digest-mismatch", False)
    for part in ("/opt/ctr", sha256(CTR), sha256(b"bad" * 1000), server.url):
        assert part in result["msg"]
    assert list(host.path("/opt").iterdir()) == []
    assert host.path("/usr/local/bin/kubelet").exists()


def test_what_is_not_served_is_an_error_without_a_directory(run, server, arguments):
    del server.files[sha256(CTR)]
    result = run("artifact", arguments)
    assert (result["code"], result["retriable"]) == ("download-failed", True)
    assert f"{server.url}/sha256/{sha256(CTR)} answers 404" in result["msg"]


def test_what_is_not_served_is_missing_with_a_directory(run, host, server, arguments):
    del server.files[sha256(CTR)]
    result = run("artifact", {**arguments, "directory": "/somewhere"})
    assert (result["changed"], result["missing"]) == (True, [sha256(CTR)])
    assert host.path("/usr/local/bin/kubelet").exists()


def test_staged_files_are_placed(run, host, arguments):
    staged = {
        sha256(KUBELET): str(host.write("/tmp/a", KUBELET.decode())),
        sha256(CTR): str(host.write("/tmp/b", CTR.decode())),
    }
    result = run("artifact", {**arguments, "url": "", "directory": "/somewhere", "staged": staged})
    assert result["changed"]
    assert host.path("/opt/ctr").read_bytes() == CTR
    assert host.path("/opt/ctr").stat().st_mode & 0o777 == 0o700


def test_a_staged_file_with_other_bytes_is_refused(run, host, arguments):
    staged = {sha256(CTR): str(host.write("/tmp/b", "other"))}
    result = run("artifact", {**arguments, "directory": "/somewhere", "staged": staged})
    assert result["code"] == "digest-mismatch"
    assert list(host.path("/opt").iterdir()) == []


def test_what_cannot_be_had_in_any_way_is_an_error(run, host, server, arguments):
    server.files.clear()
    staged = {sha256(CTR): str(host.write("/tmp/b", CTR.decode()))}
    result = run("artifact", {**arguments, "directory": "/somewhere", "staged": staged})
    assert (result["code"], sha256(KUBELET) in result["msg"]) == ("download-failed", True)


def test_a_folder_that_cannot_be_written(run, host, arguments):
    host.write("/opt", "a file")
    result = run("artifact", arguments)
    assert result["code"] == "system-error"
    assert "/opt" in result["msg"]


def test_the_record_says_what_was_there(run, host, arguments):
    host.write("/opt/ctr", "another ctr")
    run("artifact", arguments)
    kept = json.loads(host.read("/var/lib/kubexms/state.json"))["files"]["files"]
    assert kept["/usr/local/bin/kubelet"] is None
    assert kept["/opt/ctr"].startswith("/var/lib/kubexms/prior/")
