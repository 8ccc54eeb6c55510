# SPDX-License-Identifier: GPL-3.0-or-later
"""cluster.yaml -> Cluster: the door of the room."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from kubexms.cluster.cluster import Cluster
from kubexms.cluster.file import read_text
from kubexms.cluster.finding import Finding
from kubexms.cluster.introspect import keys_of, section_of
from kubexms.cluster.limits import not_supported_yet
from kubexms.cluster.places import Path, Places
from kubexms.cluster.problems import translate
from kubexms.cluster.reader import read
from kubexms.cluster.repair import without
from kubexms.cluster.rules import findings
from kubexms.errors import Problem, ValidationFailed

MAX_PROBLEMS = 500
"""Most problems that are reported of one file."""


@dataclass(frozen=True)
class Loaded:
    """A valid cluster, and what should be looked at all the same."""

    cluster: Cluster
    warnings: tuple[Problem, ...] = ()


def load(path: FilePath) -> Loaded:
    """Read, parse and check a cluster.yaml.

    Raises ValidationFailed with every problem, in the order of the file, each with its line.
    """
    return parse(read_text(path), str(path))


def parse(text: str, file: str = "cluster.yaml") -> Loaded:
    """Check the text of a cluster.yaml; ``file`` is the name used in problems. Raises ValidationFailed."""
    document = read(text, file)
    cluster, gone, refused = _modelled(_without_nothing(document.data, Cluster), document.places)
    found = [] if cluster is None else [*not_supported_yet(cluster), *findings(cluster, gone)]
    errors = [*document.problems, *refused, *_placed(found, document.places, warning=False)]
    if errors or cluster is None:
        raise ValidationFailed(_reported(errors, file))
    return Loaded(cluster, tuple(_reported(_placed(found, document.places, warning=True), file)))


def _modelled(data: Any, places: Places) -> tuple[Cluster | None, frozenset[Path], list[Problem]]:
    """Return the cluster, and where parts were refused: the cluster without them, their paths, the problems.

    The cluster is None when nothing can be made of the rest either.
    """
    try:
        return Cluster.model_validate_json(json.dumps(data)), frozenset(), []
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)[: MAX_PROBLEMS + 1]
        refused = translate(details, data, places)
    rest, gone = without(data, [path for path, _ in refused])
    problems = [problem for _, problem in refused]
    try:
        return Cluster.model_validate_json(json.dumps(rest)), gone, problems
    except ValidationError:
        return None, gone, problems


def _without_nothing(data: Any, section: type) -> Any:
    """Return the data without optional keys that have no value: an empty section is a default one."""
    if isinstance(data, list):
        return [_without_nothing(item, section) for item in data]
    if not isinstance(data, dict):
        return data
    kept: dict[str, Any] = {}
    for key, value in data.items():
        info = keys_of(section).get(key)
        inner = section_of(info) if info else None
        if value is not None or info is None or info.is_required():
            kept[key] = _without_nothing(value, inner) if inner else value
    return kept


def _placed(found: Iterable[Finding], places: Places, *, warning: bool) -> list[Problem]:
    return [
        places.problem(item.path, item.message, item.hint, at_key=item.at_key)
        for item in found
        if item.warning is warning
    ]


def _reported(problems: list[Problem], file: str) -> list[Problem]:
    """Return the problems in the order of the file; of a very long list the first ones."""
    ordered = sorted(problems, key=lambda problem: (problem.line, problem.column, problem.path))
    if len(ordered) <= MAX_PROBLEMS:
        return ordered
    last = Problem(file, 0, 0, "", "there are more problems", "correct these first")
    return [*ordered[:MAX_PROBLEMS], last]
