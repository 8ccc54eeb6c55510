# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock file beside cluster.yaml: the digest of every file and image the cluster is made of.

It is made on the first resolve and enforced from then on; new items are added, pinned ones never
change. What was built on this machine is pinned like everything else: a build on another machine that
comes out differently is refused, and the bytes have to come from the cache of the machine that pinned
them. An image assembled here is pinned by ``content``, the digest of its configuration, since layers of
the same content may be packed differently; ``digest`` and ``archive`` follow what is in use::

    apiVersion: kubexms.io/v1alpha1
    kind: ArtifactLock
    files:
      kubernetes/v1.36.3/linux-amd64/kubelet: {sha256: ..., size: 84426914, source: directory}
    images:
      registry.k8s.io/pause:3.10.2 linux-amd64: {digest: 'sha256:...', content: 'sha256:...', ...}
"""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kubexms.artifacts.catalogue import read_yaml
from kubexms.errors import Problem, ValidationFailed

_HEX = "^[0-9a-f]{64}$"
_OCI = "^sha256:[0-9a-f]{64}$"
_HEADER = "# Written by kubexms: pins what the cluster is made of. Keep it beside cluster.yaml.\n"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LockedFile(_Data):
    """A pinned file; ``source`` says where the bytes came from when they were pinned."""

    sha256: str = Field(pattern=_HEX)
    size: int = Field(ge=0)
    source: str = ""


class LockedImage(_Data):
    """A pinned image. One that hosts pull has a digest only; the rest describes an archive made here."""

    digest: str = Field(pattern=_OCI)
    content: str | None = Field(default=None, pattern=_OCI)
    archive: str | None = Field(default=None, pattern=_HEX)
    size: int | None = Field(default=None, ge=0)
    source: str = ""


class Lock(_Data):
    """The content of a lock file."""

    api_version: Literal["kubexms.io/v1alpha1"] = Field(default="kubexms.io/v1alpha1", alias="apiVersion")
    kind: Literal["ArtifactLock"] = "ArtifactLock"
    files: Mapping[str, LockedFile] = {}
    images: Mapping[str, LockedImage] = {}


def lock_path(cluster_file: Path) -> Path:
    """Return the lock file that belongs to a cluster.yaml."""
    return cluster_file.with_name(f"{cluster_file.stem}.lock.yaml")


def image_key(reference: str, arch: str) -> str:
    """Return the lock's key of an image for an architecture."""
    return f"{reference} linux-{arch}"


def read(path: Path) -> Lock:
    """Read a lock file; an absent one pins nothing. Raise ValidationFailed with every problem it has."""
    try:
        data = read_yaml(path.read_text(encoding="utf-8"))
        return Lock.model_validate(data)
    except FileNotFoundError:
        return Lock()
    except ValidationError as cause:
        problems = [
            Problem(str(path), 0, 0, ".".join(str(part) for part in error["loc"]), error["msg"])
            for error in cause.errors()
        ]
        raise ValidationFailed(problems, hint="correct the lock file or restore it") from cause
    except (yaml.YAMLError, UnicodeDecodeError) as cause:
        raise ValidationFailed([Problem(str(path), 0, 0, "", f"not a YAML file: {cause}")]) from cause


def write(path: Path, lock: Lock) -> None:
    """Replace a lock file in one step, so that an interrupted write leaves the old one."""
    data = lock.model_dump(by_alias=True, exclude_none=True)
    data["files"] = dict(sorted(data["files"].items()))
    data["images"] = dict(sorted(data["images"].items()))
    text = _HEADER + yaml.safe_dump(data, sort_keys=False, width=1000)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
