# SPDX-License-Identifier: GPL-3.0-or-later
"""What each Kubernetes release consists of. The knowledge is in the YAML files here, this only reads it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from kubexms.artifacts.model import Architecture, Item, Needs, NetworkPlugin, Role
from kubexms.errors import NotSupported

FOLDER = Path(__file__).parent

PATH_VARIABLE = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HostFile(_Data):
    """A file of a component. ``roles`` is empty for files that only images contain."""

    path: str = ""
    mode: str = Field(default="0755", pattern="^0[0-7]{3}$")
    roles: tuple[Role, ...] = ()
    network: NetworkPlugin | None = None


class Official(_Data):
    """Where the publisher has a file: URL templates, and the member where the URL is an archive."""

    url: str
    checksum: str
    member: str = ""


class Component(_Data):
    """The files of one component and how they are had."""

    files: dict[str, HostFile]
    official: Official | None = None
    build: Literal["go", "c", "debian"]


class Image(_Data):
    """An image and how it is assembled; ``files`` maps paths in the image to ``component/file``."""

    component: str
    reference: str
    roles: tuple[Role, ...]
    network: NetworkPlugin | None = None
    base: str = ""
    files: dict[str, str]
    capabilities: dict[str, tuple[Literal["net_bind_service"], ...]] = {}
    entrypoint: tuple[str, ...] = ()
    environment: tuple[str, ...] = (PATH_VARIABLE,)
    user: str = ""


class Release(_Data):
    """The versions that belong together; ``components`` does not name Kubernetes itself."""

    default: bool = False
    components: dict[str, str]


@dataclass(frozen=True)
class Selection:
    """The catalogue's answer for one release: everything below has concrete versions."""

    versions: dict[str, str]
    components: dict[str, Component]
    images: dict[str, Image]

    def host_files(self, role: Role, network: str) -> Iterator[tuple[str, str, HostFile]]:
        """Yield (component, file, where it goes) of every file that lies on hosts of ``role``."""
        for name, component in self.components.items():
            for file, placed in component.files.items():
                if role in placed.roles and placed.network in {None, network}:
                    yield name, file, placed

    def role_images(self, role: Role, network: str) -> Iterator[tuple[str, Image]]:
        """Yield (name, image) of every image that ``role`` runs, what is waited for first."""
        for name, image in self.images.items():
            if role in image.roles and image.network in {None, network}:
                yield name, image

    def item(self, component: str, file: str, arch: Architecture) -> Item:
        """Return the item of a component's file for an architecture."""
        return Item(component, self.versions[component], arch, file)

    def reference(self, image: str) -> str:
        """Return an image's full official reference."""
        chosen = self.images[image]
        version = self.versions[chosen.component]
        return chosen.reference.format(version=version, bare=version.removeprefix("v"))

    def image_items(self, image: Image, arch: Architecture) -> Iterator[Item]:
        """Yield the items an image is assembled from, its base first."""
        for source in (*([image.base] if image.base else []), *image.files.values()):
            component, _, file = source.partition("/")
            yield self.item(component, file, arch)

    def host_items(self, needs: Needs) -> set[Item]:
        """Return the items that lie on hosts as files."""
        return {
            self.item(component, file, arch)
            for role, arch in needs.hosts
            for component, file, _ in self.host_files(role, needs.network)
        }

    def images_of(self, needs: Needs) -> list[tuple[str, Architecture]]:
        """Return (name, architecture) of every image that is needed, each once, in the catalogue's order."""
        roles = sorted(needs.hosts)
        wanted = {(name, arch) for role, arch in roles for name, _ in self.role_images(role, needs.network)}
        archs = sorted({arch for _, arch in roles})
        return [(name, arch) for name in self.images for arch in archs if (name, arch) in wanted]


@dataclass(frozen=True)
class Catalogue:
    """All releases, components and images."""

    releases: dict[str, Release]
    components: dict[str, Component]
    images: dict[str, Image]

    @property
    def default(self) -> str:
        """Return the Kubernetes version deployed unless another is asked for."""
        return next(version for version, release in self.releases.items() if release.default)

    def select(self, kubernetes_version: str) -> Selection:
        """Return the release of a Kubernetes version; raise NotSupported where there is none."""
        release = self.releases.get(kubernetes_version)
        if release is None:
            known = ", ".join(self.releases)
            raise NotSupported(
                f"Kubernetes {kubernetes_version} is not in the catalogue", hint=f"use one of {known}"
            )
        versions = {"kubernetes": kubernetes_version, **release.components}
        return Selection(versions, self.components, self.images)


def read_yaml(text: str) -> object:
    """Parse YAML with libyaml where Python has it, ten times faster than without."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe


@cache
def load() -> Catalogue:
    """Read the catalogue that ships with the package."""
    return Catalogue(
        releases=TypeAdapter(dict[str, Release]).validate_python(_file("releases.yaml")),
        components=TypeAdapter(dict[str, Component]).validate_python(_file("components.yaml")),
        images=TypeAdapter(dict[str, Image]).validate_python(_file("images.yaml")),
    )


def _file(name: str) -> object:
    return read_yaml((FOLDER / name).read_text(encoding="utf-8"))
