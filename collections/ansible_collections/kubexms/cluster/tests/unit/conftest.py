# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection's unit tests share.

A module is tested whole: its arguments in, its JSON out, the programs it calls as a table in between,
and below a temporary folder the files of a host. Nothing of the machine that runs the tests is read or
changed.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

COLLECTIONS = Path(__file__).resolve().parents[5]
PLUGINS = "ansible_collections.kubexms.cluster.plugins"

_AnsibleCollectionFinder(paths=[str(COLLECTIONS)])._install()

MOVED = {
    "_files": ["DIGESTS"],
    "_record": ["PATH"],
    "_lock": ["PATH"],
    "_stage_host_identity": ["PATH", "KUBELET_CONF"],
    "_stage_host_names": ["HOSTNAME", "HOSTS"],
    "_stage_host_modules": ["PATH", "PROC", "SYS_MODULE", "LIB_MODULES"],
    "_stage_host_sysctls": ["PATH", "PROC_SYS"],
    "_stage_host_swap": ["PROC_SWAPS", "FSTAB"],
    "_stage_runtime_config": ["FOLDER", "CONFIG", "FRAGMENTS", "UNIT", "EXTRA"],
    "_stage_runtime_check": ["FOLDER"],
    "_stage_runtime": ["PROC", "FOLDERS"],
    "_stage_runtime_revert": ["MOUNTS", "FOLDERS"],
    "_kube_processes": ["PROC"],
    "_probe_facts": ["MACHINE_ID", "BOOT_ID", "MEMINFO", "OS_RELEASE"],
    "_stage_kubelet": ["PROC", "MOUNTS"],
    "_stage_reset": ["FOLDERS", "FILES", "SHARED", "OWN"],
    "_stage_reset_network": ["SYS_NET", "FLANNEL_SUBNET"],
    "_stage_images": ["FOLDER"],
    "_stage_images_ctr": ["SOCKET", "REGISTRIES"],
}
"""Module of module_utils -> constants that are paths on a host."""


def plugin(path: str) -> ModuleType:
    """Return a plugin's module, such as ``module_utils._files``."""
    return importlib.import_module(f"{PLUGINS}.{path}")


MOVED["_kube_paths"] = [
    name
    for name, value in vars(plugin("module_utils._kube_paths")).items()
    if name.isupper() and str(value).startswith("/")
]


class Call(NamedTuple):
    """A program that is called: its argv, and what it leaves."""

    argv: list[str]
    status: int = 0
    stdout: str = ""
    stderr: str = ""


class Programs:
    """The table of programs that a module calls: exactly these, in this order and that often.

    With ``ordered`` false the order does not matter (threads). ``seen`` has the argv of each call,
    ``data`` its standard input, ``seconds`` its time limit.
    """

    def __init__(self) -> None:
        self.table: list[Call] = []
        self.ordered = True
        self.seen: list[list[str]] = []
        self.data: list[str | None] = []
        self.seconds: list[int] = []
        self.environments: list[dict[str, str]] = []
        self._lock = threading.Lock()

    def expect(self, *rows: Any, ordered: bool = True) -> None:
        """Replace the table. A row is an argv, or a tuple of argv, status, output and error output."""
        self.table = [Call(*row) if isinstance(row, tuple) else Call(row) for row in rows]
        self.ordered = ordered
        self.seen.clear()

    def run_command(self, argv: list[str], **options: Any) -> tuple[int, str, str]:
        """Stand in for AnsibleModule.run_command."""
        assert argv[:2] == ["timeout", "--kill-after=5"], f"{argv} has no time limit"
        with self._lock:
            self.seen.append(argv[3:])
            self.seconds.append(int(argv[2]))
            self.data.append(options["data"])
            self.environments.append(options["environ_update"])
            call = self._take(argv[3:])
        return call.status, call.stdout, call.stderr

    def _take(self, argv: list[str]) -> Call:
        rows = self.table[:1] if self.ordered else self.table
        row = next((row for row in rows if row.argv == argv), None)
        assert row is not None, f"{argv} was called, the table has {[item.argv for item in rows]}"
        self.table.remove(row)
        return row

    def finish(self) -> None:
        """Assert that nothing of the table is left."""
        assert not self.table, f"not called: {[call.argv for call in self.table]}"


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the table of programs; at the test's end it must be used up."""
    table = Programs()
    monkeypatch.setattr(
        basic.AnsibleModule, "run_command", lambda _self, argv, **options: table.run_command(argv, **options)
    )
    yield table
    table.finish()


class Host:
    """Files of a host below a temporary folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, path: str) -> Path:
        """Return where a path of the host really lies."""
        return self.root / path.lstrip("/")

    def write(self, path: str, text: str, mode: int = 0o644) -> Path:
        """Write a file of the host."""
        real = self.path(path)
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_text(text)
        real.chmod(mode)
        return real

    def read(self, path: str) -> str:
        """Return a file's text, paths as they are on the host."""
        return self.path(path).read_text().replace(str(self.root), "")

    def programs(self, *names: str) -> None:
        """Put programs into the host's PATH."""
        for name in names:
            self.write(f"usr/bin/{name}", "", 0o755)

    def files(self) -> dict[str, tuple[int, int, int]]:
        """Return what every file is, so that two moments can be compared: size, mode, time."""
        found = {}
        for folder, _folders, names in os.walk(self.root):
            for name in names:
                status = (Path(folder) / name).lstat()
                found[str(Path(folder, name).relative_to(self.root))] = (
                    status.st_size,
                    status.st_mode,
                    status.st_mtime_ns,
                )
        return found


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Return a host of which every path lies below a temporary folder, and whose PATH is empty."""
    root = tmp_path / "host"
    root.mkdir()
    for name, constants in MOVED.items():
        module = plugin(f"module_utils.{name}")
        for constant in constants:
            monkeypatch.setattr(module, constant, _moved(root, getattr(module, constant)))
    command = plugin("module_utils._command")
    monkeypatch.setattr(command, "search_path", lambda: str(root / "usr/bin"))
    return Host(root)


def _moved(root: Path, value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_moved(root, item) for item in value)
    return str(root / value.lstrip("/"))


class Result(dict):  # type: ignore[type-arg]
    """What a module printed, paths as they are on the host."""

    @property
    def paths(self) -> list[str]:
        """Return what differed."""
        return [item["path"] for item in self["differences"]]

    def row(self, path: str) -> tuple[str, str]:
        """Return before and after of one difference."""
        return next((item["before"], item["after"]) for item in self["differences"] if item["path"] == path)


@pytest.fixture
def run(host: Host, programs: Programs, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs a module: ``run("host", arguments, check=True, diff=True)``."""

    def run_module(
        name: str, arguments: dict[str, Any], *, check: bool = False, diff: bool = False
    ) -> Result:
        options = {"_ansible_check_mode": check, "_ansible_diff": diff, "_ansible_tmpdir": str(host.root)}
        with patch_module_args({**arguments, **options}), pytest.raises(SystemExit):
            plugin(f"modules.{name}").main()
        programs.finish()
        return Result(json.loads(capsys.readouterr().out.replace(str(host.root), "")))

    return run_module


@pytest.fixture
def client(host: Host, programs: Programs) -> Any:
    """Return a Client whose programs are those of the table."""

    class Module:
        """The part of AnsibleModule that a client uses."""

        run_command = staticmethod(programs.run_command)

    return plugin("module_utils._command").Client(Module())


class Server:
    """Files by digest over HTTP. ``script`` holds, per request to come, what goes wrong with it.

    An entry is a number of bytes after which the connection ends, ``whole`` to ignore a Range header, or a
    status. ``requests`` has (path, Range header) of each request.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.archives: set[str] = set()
        self.script: list[int | str] = []
        self.requests: list[tuple[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *_arguments: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    @property
    def paths(self) -> list[str]:
        """Return the paths that were asked for."""
        return [path for path, _range in self.requests]

    def serve(self, *contents: bytes) -> None:
        """Serve contents by their digests."""
        self.files.update({hashlib.sha256(content).hexdigest(): content for content in contents})

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        wanted = request.headers.get("Range", "")
        self.requests.append((request.path, wanted))
        mishap = self.script.pop(0) if self.script else ""
        digest, _slash, api = request.path.removeprefix("/sha256/").partition("/")
        content = b"" if api and digest in self.archives else self.files.get("" if api else digest)
        if content is None or mishap == "status":
            request.send_error(404 if content is None else 503)
            return
        start = 0 if mishap == "whole" else int(wanted.removeprefix("bytes=").rstrip("-") or 0)
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(content) - start))
        request.end_headers()
        end = start + mishap if isinstance(mishap, int) else len(content)
        request.wfile.write(content[start:end])


@pytest.fixture
def server() -> Any:
    """Return a running Server."""
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.http.shutdown()
    thread.join()
    made.http.server_close()
