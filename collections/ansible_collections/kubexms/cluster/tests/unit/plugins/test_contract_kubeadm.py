# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubeadm half: documentation, argument specifications, roles and playbooks say the same."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import yaml

COLLECTION = Path(__file__).resolve().parents[3]
PLUGINS = "ansible_collections.kubexms.cluster.plugins"

ROLES = {
    "kubelet": ("kubelet", "kubexms_kubelet", "all"),
    "init": ("kubeadm_init", "kubexms_kubeadm", "kubexms_control_plane[0]"),
    "addons": ("addons", "kubexms_addons", "kubexms_control_plane[0]"),
    "join": ("kubeadm_join", "kubexms_kubeadm", "all"),
    "control_plane": ("kubeadm_control_plane", "kubexms_kubeadm", "kubexms_control_plane"),
    "nodes": ("nodes", "kubexms_nodes", "kubexms_control_plane[0]"),
    "reset": ("reset", "kubexms_reset", "all"),
}
"""Role -> module, variable, and the hosts of its playbook."""

MODULES = [module for module, _variable, _hosts in ROLES.values()] + ["kubeadm_token"]
FROM_ELSEWHERE = {"join": {"credentials"}, "nodes": {"leave_out"}}
"""Role -> options of its module that do not come from its variable."""

ORDER = ["host", "files", "runtime", "images", "kubelet", "init", "addons", "join", "control_plane", "nodes"]


def module(name):
    return importlib.import_module(f"{PLUGINS}.modules.{name}")


def documentation(name):
    """Return the documented options of a module, those of its fragments included."""
    document = yaml.safe_load(module(name).DOCUMENTATION)
    options = {}
    for fragment in document["extends_documentation_fragment"]:
        part = importlib.import_module(f"{PLUGINS}.doc_fragments.{fragment.rpartition('.')[2]}")
        options.update(yaml.safe_load(part.ModuleDocFragment.DOCUMENTATION)["options"])
    return {**options, **document.get("options", {})}


def specification(options):
    """Return documentation or an argument specification as what both can say."""
    return {
        name: {
            **{
                key: option[key]
                for key in ("type", "elements", "required", "default", "choices")
                if key in option
            },
            "options": specification(option.get("suboptions") or option.get("options") or {}),
        }
        for name, option in options.items()
    }


@pytest.mark.parametrize("name", MODULES)
def test_documentation_is_the_argument_specification(name):
    assert specification(documentation(name)) == specification(module(name).stage.ARGUMENTS)


@pytest.mark.parametrize("name", MODULES)
def test_examples_use_known_options(name):
    for task in yaml.safe_load(module(name).EXAMPLES):
        (called,) = [key for key in task if key.startswith("kubexms.cluster.")]
        known = module(called.rpartition(".")[2]).stage.ARGUMENTS
        assert task[called].keys() <= known.keys()


@pytest.mark.parametrize("role", ROLES)
def test_the_role_takes_what_the_module_takes(role):
    name, variable, _hosts = ROLES[role]
    wanted = {
        key: option for key, option in documentation(name).items() if key not in FROM_ELSEWHERE.get(role, ())
    }
    spec = yaml.safe_load((COLLECTION / f"roles/{role}/meta/argument_specs.yml").read_text())
    options = spec["argument_specs"]["main"]["options"][variable]["options"]
    assert specification(options) == specification(wanted)
    task = yaml.safe_load((COLLECTION / f"roles/{role}/tasks/main.yml").read_text())[-1]
    arguments = task[f"kubexms.cluster.{name}"]
    assert arguments.keys() - wanted.keys() == FROM_ELSEWHERE.get(role, set())
    for key, option in wanted.items():
        default = "" if option.get("required") else " | default(omit)"
        assert arguments[key] == f"{{{{ {variable}.{key}{default} }}}}"


@pytest.mark.parametrize("role", ROLES)
def test_the_playbook_calls_the_role(role):
    (play,) = yaml.safe_load((COLLECTION / f"playbooks/{role}.yml").read_text())
    assert play["name"] == role.replace("_", "-")
    assert play["gather_facts"] is False
    assert play["hosts"] == f"{{{{ kubexms_hosts | default('{ROLES[role][2]}') }}}}"
    assert play["roles"] == [{"role": f"kubexms.cluster.{role}"}]


def test_control_planes_are_done_one_at_a_time_until_one_fails():
    (play,) = yaml.safe_load((COLLECTION / "playbooks/control_plane.yml").read_text())
    assert (play["serial"], play["max_fail_percentage"]) == (1, 0)


def test_the_site_is_every_stage_in_order():
    plays = yaml.safe_load((COLLECTION / "playbooks/site.yml").read_text())
    assert [play["ansible.builtin.import_playbook"] for play in plays] == [
        f"kubexms.cluster.{stage}" for stage in ORDER
    ]


def test_credentials_are_made_once_and_never_logged():
    token, _join = yaml.safe_load((COLLECTION / "roles/join/tasks/main.yml").read_text())
    assert (token["no_log"], token["run_once"]) == (True, True)
    assert token["delegate_to"] == "{{ delegate }}"
    known = module("kubeadm_join").stage.ARGUMENTS["credentials"]["options"]
    assert {name for name, option in known.items() if option.get("no_log")} == {"token", "certificate_key"}
