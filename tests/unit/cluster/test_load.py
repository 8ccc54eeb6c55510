# SPDX-License-Identifier: GPL-3.0-or-later
"""Files, encodings, and documents of which most is wrong."""

import os
from pathlib import Path

import pytest

from kubexms.cluster import load, parse
from kubexms.cluster.file import MAX_BYTES
from kubexms.cluster.load import MAX_PROBLEMS
from kubexms.errors import ValidationFailed


def refusal(path: Path) -> str:
    with pytest.raises(ValidationFailed) as caught:
        load(path)
    (problem,) = caught.value.problems
    return str(problem).removeprefix(str(path))


def test_a_file_is_loaded(tmp_path: Path, base: str) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(base, encoding="utf-8")
    loaded = load(path)
    assert (loaded.cluster.metadata.name, loaded.warnings) == ("demo", ())


def test_a_byte_order_mark_is_no_problem(tmp_path: Path, base: str) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + base.encode())
    assert load(path).cluster.metadata.name == "demo"


def test_line_ends_of_other_systems_are_no_problem(tmp_path: Path, base: str) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_bytes(base.replace("\n", "\r\n").encode())
    assert load(path).cluster == parse(base).cluster


def test_no_file(tmp_path: Path) -> None:
    assert refusal(tmp_path / "x").startswith(":0:0: there is no such file")
    assert refusal(tmp_path / "x" / "y").startswith(":0:0: there is no such file")
    assert "is not a file" in refusal(tmp_path)
    assert "cannot be read: File name too long" in refusal(tmp_path / ("x" * 300))
    with pytest.raises(ValidationFailed, match="not a valid file name"):
        load(Path("a\0b"))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert "is not a file" in refusal(path)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    assert refusal(path) == f":0:0: has 104857600 bytes; at most {MAX_BYTES} bytes"


def test_the_largest_file_is_read(tmp_path: Path, base: str) -> None:
    path = tmp_path / "large"
    path.write_text(base + "#" * (MAX_BYTES - len(base)), encoding="utf-8")
    assert load(path).cluster.metadata.name == "demo"
    with path.open("a", encoding="utf-8") as file:
        file.write("#")
    assert "bytes; at most" in refusal(path)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"a: b\nname: M\xfcnchen\n", ":2:8"),
        ("a: b".encode("utf-16"), ":1:1"),
        (b"a: \xed\xa0\x80", ":1:4"),
        (b"\x7fELF\x02\x01\x01\x00\xff", ":1:9"),
    ],
)
def test_another_encoding(tmp_path: Path, content: bytes, place: str) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_bytes(content)
    assert refusal(path) == f"{place}: is not UTF-8 text; text in UTF-8"


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.touch()
    assert refusal(path).startswith(":1:1: the file is empty")


def problems(text: str) -> list[str]:
    with pytest.raises(ValidationFailed) as caught:
        parse(text, "f")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("text", ["5", "a", "[]", "- a: b", "'x'", "true"])
def test_a_document_that_is_no_mapping(text: str) -> None:
    assert problems(text) == ["f:1:1: is not a mapping; key: value"]


def test_what_is_missing_is_said_at_once() -> None:
    assert [line.split(": ", 1)[0] for line in problems("{}")] == [
        "f:1:1 apiVersion",
        "f:1:1 kind",
        "f:1:1 metadata",
        "f:1:1 spec",
    ]


def test_rules_judge_what_is_left_of_a_broken_document(base: str) -> None:
    """Mistakes of the models do not hide those between fields, and are not reported twice."""
    text = base.replace("kind: Cluster\n", "kind: Klaster\n").replace("10.0.0.3", "10.0.0.3.")
    text += "  ssh: {user: admin, port: 0}\n  kubernetes: {version: v9.9.9}\n  network: {podCIDR: 5}\n"
    assert problems(text) == [
        "f:2:7 kind: is not one of the allowed values; 'Cluster'",
        "f:9:30 spec.hosts[2].address: has a form that is not allowed; an IPv4 address or a DNS name",
        "f:13:15 spec.ssh.user: is not root and does not become root; become: true, or user: root",
        "f:13:28 spec.ssh.port: is too small; at least 1",
        "f:14:25 spec.kubernetes.version: unsupported version v9.9.9; supported: v1.36.3, v1.35.4",
        "f:15:22 spec.network.podCIDR: is not a text; quotes make a text of it",
    ]


def test_items_that_are_all_wrong_are_not_called_too_few() -> None:
    head = "apiVersion: kubexms.io/v1alpha1\nkind: Cluster\nmetadata: {name: a}\n"
    assert problems(head + "spec: {hosts: [5], roleGroups: {control-plane: [a]}}\n") == [
        "f:4:16 spec.hosts[0]: is not a mapping; key: value"
    ]
    assert problems(head + "spec: {hosts: [], roleGroups: {control-plane: [a]}}\n") == [
        "f:4:8 spec.hosts: has too few items; at least 1"
    ]


def test_problems_come_in_the_order_of_the_file(base: str) -> None:
    said = problems(base.replace("demo", "Demo").replace("node1]", "node9]") + "  zz: 1\n  aa: 1\n")
    lines = [int(line.split(":")[1]) for line in said]
    assert lines == sorted(lines)
    assert len(lines) >= 4


def test_a_very_long_list_of_problems_is_cut(base: str) -> None:
    said = problems(base + "".join(f"  k{number}: 1\n" for number in range(2000)))
    assert len(said) == MAX_PROBLEMS + 1
    assert said[-1] == "f:0:0: there are more problems; correct these first"


def test_an_alias_can_be_wrong_at_one_place_only(base: str) -> None:
    text = base.replace("address: 10.0.0.1}", "address: 10.0.0.1, ssh: &s {port: 0}}")
    text = text.replace("address: 10.0.0.2}", "address: 10.0.0.2, ssh: *s}")
    assert [line.split(": ")[0] for line in problems(text)] == [
        "f:7:55 spec.hosts[0].ssh.port",
        "f:8:45 spec.hosts[1].ssh.port",
    ]


def test_toml_without_end_is_a_problem(base: str) -> None:
    (said,) = problems(base + f"  containerRuntime: {{extraConfig: 'a = {'[' * 3000}'}}\n")
    assert said.endswith("extraConfig: is not TOML; TOML as in containerd's config.toml")
