# SPDX-License-Identifier: GPL-3.0-or-later
"""cluster.yaml -> Cluster: the door of the room."""

import json
from dataclasses import dataclass
from pathlib import Path as FilePath

from pydantic import ValidationError

from kubexms.cluster.cluster import Cluster
from kubexms.cluster.file import read_text
from kubexms.cluster.problems import translate
from kubexms.cluster.reader import read
from kubexms.errors import Problem, ValidationFailed


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
    problems = list(document.problems)
    try:
        cluster = Cluster.model_validate_json(json.dumps(document.data))
    except ValidationError as error:
        found = translate(
            error.errors(include_input=False, include_url=False), document.data, document.places
        )
        problems += [problem for _, problem in found]
        raise ValidationFailed(_in_order(problems)) from None
    if problems:
        raise ValidationFailed(_in_order(problems))
    return Loaded(cluster)


def _in_order(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.line, problem.column, problem.path))
