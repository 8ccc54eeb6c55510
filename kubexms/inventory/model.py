# SPDX-License-Identifier: GPL-3.0-or-later
"""An Ansible inventory as data, and its YAML text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

CONTROL_PLANE = "kubexms_control_plane"
WORKER = "kubexms_worker"


class Expression(str):
    """A text that Ansible is to evaluate as a template. Every other text is data and stays as it is."""

    __slots__ = ()


@dataclass(frozen=True)
class Group:
    """Hosts with their own variables, and the variables that they share."""

    hosts: Mapping[str, Mapping[str, Any]]
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Inventory:
    """Variables of all hosts, and groups by name."""

    variables: Mapping[str, Any]
    groups: Mapping[str, Group]

    def as_data(self) -> dict[str, Any]:
        """Return the structure of Ansible's YAML inventory plugin."""
        children = {
            name: {"hosts": dict(group.hosts), "vars": dict(group.variables)}
            for name, group in self.groups.items()
        }
        return {"all": {"vars": dict(self.variables), "children": children}}

    def as_yaml(self) -> str:
        """Return the inventory file's text. Data that looks like a template is tagged ``!unsafe``."""
        return yaml.dump(self.as_data(), Dumper=_Dumper, sort_keys=False, width=1000)

    def of_host(self, host: str) -> dict[str, Any]:
        """Return a host's variables with those of its group and of all hosts below them."""
        group = next(group for group in self.groups.values() if host in group.hosts)
        return {**self.variables, **group.variables, **group.hosts[host]}


class _Dumper(yaml.CSafeDumper):
    """Writes texts safely for Ansible, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base class asks
        return True


def _text(dumper: yaml.CSafeDumper, data: str) -> yaml.ScalarNode:
    """Tag text with a template's opening so that Ansible takes it as it is (Ansible's ``!unsafe``)."""
    if any(mark in data for mark in ("{{", "{%", "{#")):
        return dumper.represent_scalar("!unsafe", data, style='"')
    return dumper.represent_str(data)


def _expression(dumper: yaml.CSafeDumper, data: Expression) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(data), style='"')


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Expression, _expression)
_Dumper.add_representer(tuple, lambda dumper, data: dumper.represent_list(data))
