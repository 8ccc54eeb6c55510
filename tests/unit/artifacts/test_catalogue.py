# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue is data; these rules are what the code relies on."""

import pytest

from kubexms.artifacts import catalogue
from kubexms.artifacts.model import Needs
from kubexms.artifacts.recipes import RECIPES, builders
from kubexms.artifacts.recipes.go import GoRecipe
from kubexms.cluster.versions import DEFAULT_VERSION, SUPPORTED_VERSIONS
from kubexms.errors import NotSupported

RELEASES = list(catalogue.load().releases)


def test_releases_are_those_that_cluster_yaml_may_name() -> None:
    assert set(RELEASES) == set(SUPPORTED_VERSIONS)
    assert catalogue.load().default == DEFAULT_VERSION
    assert sum(release.default for release in catalogue.load().releases.values()) == 1


def test_an_unknown_release_is_refused() -> None:
    with pytest.raises(NotSupported, match=r"v1\.2\.3 is not in the catalogue"):
        catalogue.load().select("v1.2.3")


@pytest.mark.parametrize("version", RELEASES)
def test_a_release_is_complete(version: str) -> None:
    selection = catalogue.load().select(version)
    assert selection.versions.keys() == selection.components.keys()
    for image in selection.images.values():
        for source in (*image.files.values(), *([image.base] if image.base else [])):
            component, _, file = source.partition("/")
            assert file in selection.components[component].files
        assert set(image.capabilities) <= set(image.files)


@pytest.mark.parametrize("version", RELEASES)
def test_every_file_has_a_recipe(version: str) -> None:
    selection = catalogue.load().select(version)
    for name, component in selection.components.items():
        folder = RECIPES / name / selection.versions[name]
        recipe = catalogue.read_yaml((folder / "recipe.yaml").read_text())
        assert component.build in builders()
        if component.build == "go":
            programs = GoRecipe.model_validate(recipe).files
            assert programs.keys() >= component.files.keys()
            module = (folder / "go.mod").read_text()
            assert all(program.package in module for program in programs.values())
        if component.build in {"go", "c"}:
            assert (folder / "go.sum").stat().st_size > 0


def test_places_on_hosts_are_absolute_and_used_once() -> None:
    selection = catalogue.load().select(DEFAULT_VERSION)
    for role in ("control-plane", "worker"):
        paths = [placed.path for _, _, placed in selection.host_files(role, "flannel")]
        assert len(paths) == len(set(paths))
        assert all(path.startswith("/") for path in paths)


def names(role: str, network: str = "flannel") -> set[str]:
    selection = catalogue.load().select(DEFAULT_VERSION)
    return {file for _, file, _ in selection.host_files(role, network)}  # type: ignore[arg-type]


def test_roles_get_what_they_need_only() -> None:
    assert names("control-plane") - names("worker") == {"kubectl"}
    assert {"kubelet", "kubeadm", "containerd", "ctr", "loopback", "flannel"} <= names("worker")
    assert names("worker") - names("worker", "none") == {"flannel"}
    assert "kube-apiserver" not in names("control-plane")


def test_images_come_in_the_order_hosts_wait_for_them() -> None:
    selection = catalogue.load().select(DEFAULT_VERSION)
    control_plane = [name for name, _ in selection.role_images("control-plane", "flannel")]
    assert control_plane == [
        "pause",
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kube-proxy",
        "flannel",
        "coredns",
    ]
    assert [name for name, _ in selection.role_images("worker", "none")] == ["pause", "kube-proxy", "coredns"]


def test_images_have_their_official_names() -> None:
    selection = catalogue.load().select("v1.35.4")
    assert selection.reference("kube-proxy") == "registry.k8s.io/kube-proxy:v1.35.4"
    assert selection.reference("etcd") == "registry.k8s.io/etcd:3.6.16-0"
    assert selection.reference("pause") == "registry.k8s.io/pause:3.10.2"
    assert selection.reference("coredns") == "registry.k8s.io/coredns/coredns:v1.14.7"
    assert selection.reference("flannel") == "ghcr.io/flannel-io/flannel:v0.28.10"


def test_images_of_several_architectures_are_listed_once_each() -> None:
    hosts = frozenset({("control-plane", "amd64"), ("worker", "amd64"), ("worker", "arm64")})
    listed = catalogue.load().select(DEFAULT_VERSION).images_of(Needs(DEFAULT_VERSION, hosts))
    assert len(listed) == len(set(listed)) == 8 + 4
    assert ("etcd", "arm64") not in listed
    assert listed[:2] == [("pause", "amd64"), ("pause", "arm64")]
