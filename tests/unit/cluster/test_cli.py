# SPDX-License-Identifier: GPL-3.0-or-later
"""kubexms validate, init and schema, as a user calls them."""

import json
from pathlib import Path

import pytest

from kubexms.cli.main import run
from kubexms.cluster import load
from kubexms.cluster.reference import markdown
from kubexms.cluster.schema import json_schema

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def file(tmp_path: Path, base: str) -> Path:
    path = tmp_path / "cluster.yaml"
    path.write_text(base, encoding="utf-8")
    return path


def test_a_valid_file(file: Path, capsys: Capture) -> None:
    assert run(["validate", str(file)]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == (f"{file}: cluster demo, 3 hosts: valid\n", "")


def test_every_problem_is_a_line(file: Path, base: str, capsys: Capture) -> None:
    file.write_text(base.replace("demo", "Demo") + "  zzz: 1\n", encoding="utf-8")
    assert run(["validate", str(file)]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    first, second = err.splitlines()
    assert first.startswith(f"{file}:4:9 metadata.name: has a form that is not allowed; ")
    assert second.startswith(f"{file}:13:3 spec.zzz: unknown key; allowed in spec: ")


def test_warnings_do_not_fail(file: Path, base: str, capsys: Capture) -> None:
    file.write_text(base + "  system: {swap: unmanaged}\n", encoding="utf-8")
    assert run(["validate", str(file)]) == 0
    assert f"warning: {file}:13:18 spec.system.swap: " in capsys.readouterr().out


def test_json_of_a_valid_file(file: Path, base: str, capsys: Capture) -> None:
    file.write_text(base + "  system: {swap: unmanaged}\n", encoding="utf-8")
    assert run(["validate", str(file), "--output", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["cluster"] == "demo"
    (warning,) = document["warnings"]
    assert (warning["file"], warning["line"], warning["column"]) == (str(file), 13, 18)


def test_json_of_an_invalid_file(file: Path, base: str, capsys: Capture) -> None:
    file.write_text(base + "  zzz: 1\n", encoding="utf-8")
    assert run(["validate", str(file), "--output", "json"]) == 3
    out, err = capsys.readouterr()
    assert err == ""
    error = json.loads(out)["error"]
    assert error["code"] == "validation-failed"
    (problem,) = error["problems"]
    assert problem == {
        "file": str(file),
        "line": 13,
        "column": 3,
        "path": "spec.zzz",
        "message": "unknown key",
        "hint": problem["hint"],
    }


def test_no_file(tmp_path: Path, capsys: Capture) -> None:
    assert run(["validate", str(tmp_path / "none")]) == 3
    assert "there is no such file" in capsys.readouterr().err


def test_init_writes_a_valid_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init"]) == 0
    written = (tmp_path / "cluster.yaml").read_bytes()
    assert load(tmp_path / "cluster.yaml").warnings == ()
    assert run(["validate", "cluster.yaml"]) == 0
    assert run(["init"]) == 4
    assert "cluster.yaml exists already" in capsys.readouterr().err
    assert (tmp_path / "cluster.yaml").read_bytes() == written


def test_init_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert run(["init", str(tmp_path / "link")]) == 4
    assert not (tmp_path / "target").exists()


def test_init_where_nothing_can_be_written(tmp_path: Path, capsys: Capture) -> None:
    assert run(["init", str(tmp_path / "none" / "cluster.yaml")]) == 3
    assert "cannot be written: No such file or directory" in capsys.readouterr().err


def test_every_comment_of_the_starting_file_is_a_valid_setting(tmp_path: Path) -> None:
    """What a user gets by taking the "#" from every line that shows a setting is valid too."""
    template = tmp_path / "cluster.yaml"
    assert run(["init", str(template)]) == 0
    text = template.read_text(encoding="utf-8")
    head, _, body = text.partition("spec:\n")
    lines = [
        line.replace("# ", "", 1) if shows_a_setting(line) else line
        for line in body.replace('"ssh-ed25519 AAAA..."', '"ssh-ed25519 ' + "A" * 68 + '"').splitlines()
    ]
    template.write_text(f"{head}spec:\n" + "\n".join(lines) + "\n", encoding="utf-8")
    loaded = load(template)
    assert loaded.cluster.spec.container_runtime.registries[0].host == "docker.io"
    assert loaded.cluster.spec.hosts[1].taints[0].value == "database"


def shows_a_setting(line: str) -> bool:
    words = line.strip().removeprefix("# ").lstrip(" -")
    return line.strip().startswith("# ") and words.partition(":")[0].isidentifier() and ":" in words


def test_the_schema_is_printed(capsys: Capture) -> None:
    assert run(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema()
    assert run(["schema", "--markdown"]) == 0
    assert capsys.readouterr().out == markdown()
