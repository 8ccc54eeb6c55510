# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators do with the cache, through the command line too."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kubexms.artifacts import Silent, keeping, resolve
from kubexms.cli.artifacts import Lines, app
from kubexms.context import Context
from kubexms.errors import ArtifactFailed, NotFound
from kubexms.settings import Settings
from tests.unit.artifacts.helpers import VERSION, contents, digest, fill, needs, tar_of

KUBELET = f"kubernetes/{VERSION}/linux-amd64/kubelet"
CLUSTER = """\
apiVersion: kubexms.io/v1alpha1
kind: Cluster
metadata: {name: small}
spec:
  hosts:
    - {name: node1, address: 10.0.0.1}
  roleGroups: {control-plane: [node1]}
"""


def test_a_survey_fetches_nothing(ctx: Context, settings: Settings) -> None:
    found = keeping.survey(ctx, needs(), settings, None)
    assert len(found) == len(contents())
    assert not any(one.cached for one in found)
    assert not settings.cache_dir.exists()


def test_a_survey_knows_cache_and_lock(ctx: Context, settings: Settings, tmp_path: Path) -> None:
    lock = tmp_path / "cluster.lock.yaml"
    resolve(ctx, needs(), settings, lock, Silent())
    found = {one.name: one for one in keeping.survey(ctx, needs(), settings, lock)}
    kubelet = found[KUBELET]
    assert kubelet.cached
    assert kubelet.sha256 == kubelet.pinned == digest(contents()[KUBELET])
    assert kubelet.source == "directory"


def test_verify_finds_and_removes_what_is_broken(ctx: Context, settings: Settings) -> None:
    resolve(ctx, needs(), settings, None, Silent())
    sha256 = digest(contents()[KUBELET])
    blob = settings.cache_dir / "blobs" / "sha256" / sha256[:2] / sha256
    blob.write_bytes(b"spoiled")
    checked = keeping.verify(ctx, settings, Silent())
    assert [one.name for one in checked if not one.whole] == [KUBELET]
    assert not blob.exists()
    resolve(ctx, needs(), settings, None, Silent())
    assert all(one.whole for one in keeping.verify(ctx, settings, Silent()))


def test_importing_takes_everything_listed(ctx: Context, settings: Settings, directory: Path) -> None:
    names = keeping.import_path(ctx, directory, settings, Silent())
    assert names == sorted(contents())
    alone = settings.model_copy(update={"artifact_directory": None})
    assert resolve(ctx, needs(), alone, None, Silent())


def test_importing_an_archive_takes_that_one_alone(ctx: Context, settings: Settings, tmp_path: Path) -> None:
    fill(tmp_path / "two", {KUBELET: b"1", "other/v1/linux-amd64/x": b"2"})
    archive = tmp_path / "two" / "one.tar"
    archive.write_bytes(tar_of({KUBELET: b"1"}))
    assert keeping.import_path(ctx, archive, settings, Silent()) == [KUBELET]


def test_a_disk_that_refuses_is_said_so(ctx: Context, settings: Settings, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    refused = settings.model_copy(update={"cache_dir": blocked / "cache"})
    with pytest.raises(ArtifactFailed, match="cannot read or write artifacts") as raised:
        resolve(ctx, needs(), refused, None, Silent())
    assert str(blocked / "cache") in raised.value.hint


def test_importing_needs_a_list_and_all_that_it_names(
    ctx: Context, settings: Settings, directory: Path, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match="has no SHA256SUMS"):
        keeping.import_path(ctx, tmp_path, settings, Silent())
    (directory / KUBELET).unlink()
    with pytest.raises(NotFound, match=KUBELET):
        keeping.import_path(ctx, directory, settings, Silent())


@pytest.fixture
def cli(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("KUBEXMS_CACHE_DIR", str(settings.cache_dir))
    monkeypatch.setenv("KUBEXMS_ARTIFACT_DIRECTORY", str(settings.artifact_directory))
    monkeypatch.setenv("KUBEXMS_ARTIFACT_OFFLINE", "true")
    return CliRunner()


def test_pull_without_a_file_fills_the_cache(cli: CliRunner) -> None:
    result = cli.invoke(app, ["pull", "--kubernetes", VERSION.removeprefix("v")])
    assert result.exit_code == 0, result.output
    assert "files and images" in result.stdout
    assert f"copy {KUBELET}" in result.stderr
    assert "pinned" not in result.stdout


def test_pull_of_a_cluster_pins_beside_it(cli: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(CLUSTER)
    result = cli.invoke(app, ["pull", str(file)])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "small.lock.yaml").exists()
    assert str(tmp_path / "small.lock.yaml") in result.stdout


def test_pull_for_machines_is_one_document(cli: CliRunner) -> None:
    result = cli.invoke(app, ["pull", "--output", "json"])
    assert result.exit_code == 0
    assert result.stderr == ""
    document = json.loads(result.stdout)
    worker = next(one for one in document["hosts"] if one["role"] == "worker")
    assert worker["files"][0]["path"] == "/usr/local/bin/kubelet"
    assert worker["images"][0]["name"] == "registry.k8s.io/pause:3.10.2"


def test_list_shows_what_is_there(cli: CliRunner, tmp_path: Path) -> None:
    assert "not in the cache" in cli.invoke(app, ["list"]).stdout
    file = tmp_path / "small.yaml"
    file.write_text(CLUSTER)
    cli.invoke(app, ["pull", str(file)])
    lock = tmp_path / "small.lock.yaml"
    lock.write_text(lock.read_text().replace(digest(contents()[KUBELET]), "a" * 64))
    lines = cli.invoke(app, ["list", str(file)]).stdout.splitlines()
    (kubelet,) = (line for line in lines if KUBELET in line)
    assert "directory" in kubelet
    assert "pinned as aaaaaaaaaaaa" in kubelet
    files = json.loads(cli.invoke(app, ["list", "--output", "json"]).stdout)["files"]
    assert {one["name"] for one in files} == set(contents())


def test_verify_ends_with_1_when_something_was_broken(cli: CliRunner, settings: Settings) -> None:
    cli.invoke(app, ["pull"])
    assert cli.invoke(app, ["verify"]).exit_code == 0
    sha256 = digest(contents()[KUBELET])
    (settings.cache_dir / "blobs" / "sha256" / sha256[:2] / sha256).unlink()
    result = cli.invoke(app, ["verify"])
    assert result.exit_code == 1
    assert f"{KUBELET} is broken or gone" in result.stdout
    document = json.loads(cli.invoke(app, ["verify", "--output", "json"]).stdout)
    assert [one["name"] for one in document["broken"]] == [KUBELET]


def test_import_says_how_much(cli: CliRunner, directory: Path) -> None:
    result = cli.invoke(app, ["import", str(directory)])
    assert result.stdout == f"{len(contents())} files imported\n"
    document = json.loads(cli.invoke(app, ["import", str(directory), "--output", "json"]).stdout)
    assert len(document["imported"]) == len(contents())


def test_an_unknown_architecture_is_refused(cli: CliRunner) -> None:
    result = cli.invoke(app, ["list", "--arch", "mips"])
    assert result.exit_code == 2
    assert "amd64 or arm64" in result.output


def test_progress_lines_are_few(capsys: pytest.CaptureFixture[str], directory: Path) -> None:
    lines = Lines(quiet=False)
    for done in range(100):
        lines.report("download x", done * 1_000_000, 100_000_000)
    lines.report("unpack y")
    Lines(quiet=True).report("nothing")
    shown = capsys.readouterr().err.splitlines()
    assert [line.split("s  ")[1] for line in shown] == ["download x, 0 of 100 MB", "unpack y"]


def test_a_directory_may_be_filled_by_hand(ctx: Context, settings: Settings, tmp_path: Path) -> None:
    fill(tmp_path / "mine", {KUBELET: b"mine"})
    keeping.import_path(ctx, tmp_path / "mine", settings, Silent())
    found = {one.name: one.sha256 for one in keeping.survey(ctx, needs(), settings, None)}
    assert found[KUBELET] == digest(b"mine")
