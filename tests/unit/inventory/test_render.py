# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a cluster reaches which host, and in which shape."""

from pathlib import Path

import yaml

from kubexms.inventory.model import CONTROL_PLANE, WORKER, Expression, Group, Inventory
from kubexms.inventory.render import digests
from tests.unit.inventory.fakes import rendered

HOSTS = """\
  hosts:
    - {name: cp-1, address: 192.0.2.1}
    - {name: w-1, address: 192.0.2.2, internalAddress: 10.0.0.2}
    - {name: w-2, address: 192.0.2.3, labels: {zone: a}, taints: [{key: gpu, effect: NoExecute}]}
  roleGroups: {control-plane: [cp-1], worker: ['w-[1:2]']}
"""


def test_groups_follow_roles() -> None:
    inventory = rendered(HOSTS)
    assert list(inventory.groups[CONTROL_PLANE].hosts) == ["cp-1"]
    assert list(inventory.groups[WORKER].hosts) == ["w-1", "w-2"]


def test_a_host_that_leads_and_works_is_in_one_group_and_has_no_taint() -> None:
    inventory = rendered(HOSTS.replace("worker: [", "worker: [cp-1, "))
    assert list(inventory.groups[WORKER].hosts) == ["w-1", "w-2"]
    (node, *_) = inventory.of_host("cp-1")["kubexms_nodes"]["nodes"]
    assert node == {
        "name": "cp-1",
        "labels": {"node-role.kubernetes.io/worker": ""},
        "annotations": {},
        "taints": [],
    }


def test_nodes_carry_what_the_file_says() -> None:
    nodes = {node["name"]: node for node in rendered(HOSTS).of_host("cp-1")["kubexms_nodes"]["nodes"]}
    assert nodes["w-2"]["labels"] == {"node-role.kubernetes.io/worker": "", "zone": "a"}
    assert nodes["w-2"]["taints"] == [{"key": "gpu", "value": "", "effect": "NoExecute"}]
    assert nodes["cp-1"]["taints"] == [
        {"key": "node-role.kubernetes.io/control-plane", "value": "", "effect": "NoSchedule"}
    ]


def test_the_cluster_uses_internal_addresses_and_ansible_the_others() -> None:
    host = rendered(HOSTS).of_host("w-1")
    assert (host["ansible_host"], host["kubexms_node_address"]) == ("192.0.2.2", "10.0.0.2")


def test_a_new_worker_changes_the_input_of_no_stage_on_other_hosts_but_nodes() -> None:
    before = digests(rendered(HOSTS))
    more = HOSTS.replace("  roleGroups", "    - {name: w-3, address: 192.0.2.4}\n  roleGroups")
    after = digests(rendered(more.replace("w-[1:2]", "w-[1:3]")))
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {("nodes", "cp-1")}


def test_kubeadm_gets_sorted_arguments_and_feature_gates() -> None:
    spec = HOSTS + (
        "  kubernetes:\n"
        "    featureGates: {Zebra: true, Ape: false}\n"
        "    apiServer: {extraArgs: {v: '4', audit-log-maxage: '7'}}\n"
    )
    api = rendered(spec).of_host("cp-1")["kubexms_kubeadm"]["cluster_configuration"]["apiServer"]
    assert api == {
        "certSANs": [],
        "extraArgs": [
            {"name": "audit-log-maxage", "value": "7"},
            {"name": "feature-gates", "value": "Ape=false,Zebra=true"},
            {"name": "v", "value": "4"},
        ],
    }


def test_etcd_image_is_split_as_kubeadm_wants_it() -> None:
    configuration = rendered(HOSTS).of_host("cp-1")["kubexms_kubeadm"]["cluster_configuration"]
    assert configuration["etcd"] == {"local": {"imageRepository": "registry.k8s.io", "imageTag": "1.2-3"}}


def test_kubelet_settings_meet_in_one_configuration() -> None:
    spec = HOSTS + (
        "  kubernetes: {featureGates: {Ape: true},"
        " kubelet: {maxPods: 50, evictionHard: {memory.available: 5%}, configuration: {failSwapOn: false}}}\n"
    )
    assert rendered(spec).variables["kubexms_kubelet"]["configuration"] == {
        "failSwapOn": False,
        "maxPods": 50,
        "evictionHard": {"memory.available": "5%"},
        "featureGates": {"Ape": True},
    }


def test_secrets_are_references_that_ansible_resolves() -> None:
    spec = HOSTS + (
        "  containerRuntime: {registries: ["
        "{host: a.example.org, auth: {username: u, password: {env: TOKEN}}},"
        "{host: b.example.org, auth: {username: u, password: {file: secrets/b}}}]}\n"
    )
    first, second = rendered(spec).variables["kubexms_runtime"]["registries"]
    assert first["password"] == Expression("{{ lookup('ansible.builtin.env', \"TOKEN\") }}")
    path = "/clusters/demo/secrets/b"
    assert second["password"] == Expression(f"{{{{ lookup('ansible.builtin.file', \"{path}\") }}}}")


def test_host_keys_are_always_checked() -> None:
    arguments = rendered(HOSTS).of_host("w-1")["ansible_ssh_common_args"]
    assert arguments == "-o StrictHostKeyChecking=yes -o BatchMode=yes"


def test_known_hosts_are_those_of_the_file() -> None:
    spec = HOSTS + "  ssh: {knownHostsFile: hosts}\n"
    arguments = rendered(spec).of_host("w-1")["ansible_ssh_common_args"]
    assert "-o UserKnownHostsFile=/clusters/demo/hosts -o GlobalKnownHostsFile=/dev/null" in arguments


def test_pinned_keys_come_from_their_own_file() -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0w7BkDJbMvsmeYBRX5m0kPcKZ0xCkcRUa4K7B8uDHz"
    spec = HOSTS.replace("address: 192.0.2.1}", f"address: 192.0.2.1, ssh: {{hostKey: '{key}'}}}}")
    arguments = rendered(spec, known_hosts=Path("/state/pinned")).of_host("cp-1")["ansible_ssh_common_args"]
    assert "UserKnownHostsFile=/state/pinned" in arguments


def test_root_needs_no_become_and_others_get_it() -> None:
    assert "ansible_become" not in rendered(HOSTS).of_host("w-1")
    assert rendered(HOSTS + "  ssh: {user: ops, become: true}\n").of_host("w-1")["ansible_become"] is True


def test_text_of_the_user_is_never_a_template() -> None:
    planted = "{{ lookup('pipe', 'id') }}"
    inventory = Inventory({"data": planted, "ours": Expression("{{ x }}")}, {"g": Group({"h": {}})})
    text = inventory.as_yaml()
    assert "!unsafe \"{{ lookup('pipe', 'id') }}\"" in text
    assert 'ours: "{{ x }}"' in text


def test_the_rendered_text_is_yaml_without_anchors() -> None:
    text = rendered(HOSTS).as_yaml()
    assert yaml.safe_load(text)["all"]["children"][WORKER]["hosts"]["w-1"]["ansible_host"] == "192.0.2.2"
    assert "&id" not in text


def test_another_architecture_has_its_own_files() -> None:
    spec = HOSTS.replace("address: 192.0.2.3,", "address: 192.0.2.3, arch: arm64,")
    inventory = rendered(spec)
    assert inventory.of_host("w-2")["kubexms_files"]["files"][0]["sha256"] == "arm64-kubelet"
    assert inventory.of_host("w-1")["kubexms_files"]["files"][0]["sha256"] == "amd64-kubelet"


def test_images_without_archive_are_pulled() -> None:
    images = rendered(HOSTS).of_host("w-1")["kubexms_images"]["images"]
    assert images == [
        {"name": "registry.k8s.io/pause:3", "digest": "sha256:11", "archive": {"sha256": "aa", "size": 7}},
        {"name": "registry.k8s.io/pulled:1", "digest": "sha256:22"},
    ]


def test_digests_cover_every_stage_of_every_host() -> None:
    found = digests(rendered(HOSTS))
    assert {stage for stage, host in found if host == "cp-1"} >= {"host", "files", "init", "nodes", "addons"}
    assert ("nodes", "w-1") not in found
    assert found["host", "w-1"] != found["host", "w-2"]
