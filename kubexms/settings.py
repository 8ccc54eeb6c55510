# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the controller: defaults, overridden by ``KUBEXMS_*`` environment variables."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _xdg(variable: str, fallback: str) -> Path:
    """Return the XDG base directory named by ``variable`` (freedesktop.org basedir specification)."""
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else Path.home() / fallback


def collections_path() -> Path:
    """Return the Ansible collections path that ships with this package, or that of the checkout."""
    package = Path(__file__).resolve().parent
    packaged = package / "_collections"
    return packaged if packaged.is_dir() else package.parent / "collections"


class Settings(BaseSettings):
    """What an operator may set for the controller. Paths are created on first use, with mode 0700."""

    model_config = SettingsConfigDict(env_prefix="KUBEXMS_", extra="ignore", frozen=True)

    state_dir: Path = Field(
        default_factory=lambda: _xdg("XDG_DATA_HOME", ".local/share") / "kubexms",
        description="runs, spools and the database",
    )
    cache_dir: Path = Field(
        default_factory=lambda: _xdg("XDG_CACHE_HOME", ".cache") / "kubexms",
        description="artifacts by digest, lab images",
    )
    artifact_directory: Path | None = Field(
        default=None, description="directory laid out component/version/os-arch/file, tried after the cache"
    )
    artifact_mirror: str | None = Field(
        default=None, description="base URL with the same layout, tried after the directory"
    )
    artifact_offline: bool = Field(default=False, description="never ask official locations, never build")
    image_source: Literal["assemble", "pull"] = Field(
        default="assemble", description="assemble images from binaries, or let hosts pull them by name"
    )
    image_registry: str | None = Field(
        default=None, description="base URL of a registry that answers for all names, where hosts pull"
    )
    collections_path: Path = Field(default_factory=collections_path)
    forks: int = Field(default=50, ge=1, le=500, description="hosts that Ansible works on at once")
    log_level: str = Field(default="WARNING", pattern="^(DEBUG|INFO|WARNING|ERROR|CRITICAL)$")
