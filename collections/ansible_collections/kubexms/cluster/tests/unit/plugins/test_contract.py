# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in two places says the same in both, and what runs on hosts runs on their Python."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest
import yaml

COLLECTION = Path(__file__).resolve().parents[3]
STAGES = {"host": "host", "files": "artifact", "runtime": "containerd", "images": "image"}
"""Stage (role, playbook, variable) -> module."""

ON_HOSTS = sorted((COLLECTION / "plugins").glob("module*/*.py"))


def module(name):
    return importlib.import_module(f"ansible_collections.kubexms.cluster.plugins.modules.{name}")


def documented(options):
    """Return documentation as an argument specification: without what only readers need."""
    spec = {}
    for name, option in options.items():
        spec[name] = {
            key: option[key]
            for key in ("type", "elements", "required", "default", "choices")
            if key in option
        }
        inner = option.get("suboptions") or option.get("options")
        if inner:
            spec[name]["options"] = documented(inner)
    return spec


def without_no_log(spec):
    """Return an argument specification without what documentation does not have."""
    return {
        name: {
            key: without_no_log(value) if key == "options" else value
            for key, value in option.items()
            if key != "no_log"
        }
        for name, option in spec.items()
    }


@pytest.mark.parametrize("name", STAGES.values())
def test_documentation_is_the_argument_specification(name):
    found = module(name)
    assert documented(yaml.safe_load(found.DOCUMENTATION)["options"]) == without_no_log(found.stage.ARGUMENTS)


@pytest.mark.parametrize("name", STAGES.values())
def test_examples_use_known_options(name):
    found = module(name)
    for task in yaml.safe_load(found.EXAMPLES):
        assert task[f"kubexms.cluster.{name}"].keys() <= found.stage.ARGUMENTS.keys()


@pytest.mark.parametrize(("stage", "name"), STAGES.items())
def test_the_role_takes_what_the_module_takes(stage, name):
    spec = yaml.safe_load((COLLECTION / f"roles/{stage}/meta/argument_specs.yml").read_text())
    variable = spec["argument_specs"]["main"]["options"][f"kubexms_{stage}"]
    wanted = documented(yaml.safe_load(module(name).DOCUMENTATION)["options"])
    wanted.pop("staged", None)
    assert documented(variable["options"]) == wanted
    (task,) = yaml.safe_load((COLLECTION / f"roles/{stage}/tasks/main.yml").read_text())
    assert task[f"kubexms.cluster.{name}"].keys() == wanted.keys()
    for option, value in task[f"kubexms.cluster.{name}"].items():
        needed = wanted[option].get("required", False)
        assert value == f"{{{{ kubexms_{stage}.{option}{'' if needed else ' | default(omit)'} }}}}"


@pytest.mark.parametrize("stage", STAGES)
def test_the_playbook_calls_the_role(stage):
    (play,) = yaml.safe_load((COLLECTION / f"playbooks/{stage}.yml").read_text())
    assert play["name"] == stage
    assert play["gather_facts"] is False
    assert play["hosts"] == "{{ kubexms_hosts | default('all') }}"
    assert play["roles"] == [{"role": f"kubexms.cluster.{stage}"}]


@pytest.mark.parametrize("path", ON_HOSTS, ids=lambda path: path.stem)
def test_code_for_hosts_is_python_3_9(path):
    ast.parse(path.read_text(), feature_version=(3, 9))
