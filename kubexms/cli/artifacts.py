# SPDX-License-Identifier: GPL-3.0-or-later
"""``kubexms artifacts``: what clusters are made of, and what of it the cache has."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kubexms.cli.output import EXIT_FAULT, Format, Output, print_json

if TYPE_CHECKING:
    from kubexms.artifacts import Needs

app = typer.Typer(name="artifacts", help="Files and images that clusters are made of, and the cache of them.")

_LINE_SECONDS = 2.0

File = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="A cluster.yaml; without it, all roles of a release.")
]
Version = Annotated[str, typer.Option("--kubernetes", help="Kubernetes version, where no FILE says it.")]
Architectures = Annotated[
    list[str] | None, typer.Option("--arch", help="amd64 or arm64, where no FILE says it; several are fine.")
]


class Lines:
    """A Progress of lines with elapsed time on standard error; a thing goes on at most every two seconds."""

    def __init__(self, *, quiet: bool) -> None:
        self._started = time.monotonic()
        self._quiet = quiet
        self._shown: dict[str, float] = {}

    def report(self, what: str, done: int = 0, total: int = 0) -> None:
        """Print where ``what`` is, unless that was done a moment ago."""
        now = time.monotonic()
        if self._quiet or now - self._shown.get(what, -_LINE_SECONDS) < _LINE_SECONDS:
            return
        self._shown[what] = now
        amount = f", {done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else ""
        print(f"{now - self._started:6.1f}s  {what}{amount}", file=sys.stderr, flush=True)


@app.command("pull")
def pull_command(
    file: File = None, kubernetes: Version = "", arch: Architectures = None, output: Output = Format.TEXT
) -> None:
    """Have everything a cluster needs in the cache, and pin it in the lock file beside FILE."""
    from kubexms import artifacts
    from kubexms.context import Context
    from kubexms.settings import Settings

    needs, lock = _needs(file, kubernetes, arch or [])
    started = time.monotonic()
    quiet = output is Format.JSON
    resolved = artifacts.resolve(Context(), needs, Settings(), lock, Lines(quiet=quiet))
    size = sum(path.stat().st_size for path in resolved.blobs().values())
    seconds = time.monotonic() - started
    if quiet:
        print_json({"hosts": _hosts(resolved), "bytes": size, "seconds": round(seconds, 3)})
        return
    print(f"{len(resolved.blobs())} files and images, {size / 1e6:.0f} MB, in {seconds:.1f} s")
    if lock is not None:
        print(f"pinned in {lock}")


@app.command("list")
def list_command(
    file: File = None, kubernetes: Version = "", arch: Architectures = None, output: Output = Format.TEXT
) -> None:
    """Show the files a cluster needs, and which of them the cache has. Nothing is fetched."""
    from kubexms.artifacts.keeping import survey
    from kubexms.context import Context
    from kubexms.settings import Settings

    needs, lock = _needs(file, kubernetes, arch or [])
    found = survey(Context(), needs, Settings(), lock)
    if output is Format.JSON:
        print_json({"files": found})
        return
    for one in found:
        size = f"{one.size / 1e6:6.1f} MB" if one.cached else "        -"
        pinned = "" if one.pinned in {"", one.sha256} else f"  pinned as {one.pinned[:12]}"
        print(f"{size}  {one.sha256[:12]:<12}  {one.name}  {one.source or 'not in the cache'}{pinned}")


@app.command("verify")
def verify_command(output: Output = Format.TEXT) -> None:
    """Hash everything in the cache again and remove what is broken; exit 1 if anything was."""
    from kubexms.artifacts.keeping import verify
    from kubexms.context import Context
    from kubexms.settings import Settings

    checked = verify(Context(), Settings(), Lines(quiet=output is Format.JSON))
    broken = [one for one in checked if not one.whole]
    if output is Format.JSON:
        print_json({"checked": len(checked), "broken": broken})
    else:
        for one in broken:
            print(f"{one.name} is broken or gone (sha256 {one.sha256}); it will be fetched again")
        print(f"{len(checked)} names checked, {len(broken)} broken")
    if broken:
        raise typer.Exit(EXIT_FAULT)


@app.command("import")
def import_command(
    path: Annotated[Path, typer.Argument(help="A directory with a SHA256SUMS, or an archive beside one.")],
    output: Output = Format.TEXT,
) -> None:
    """Put everything that a SHA256SUMS lists into the cache, archives unpacked."""
    from kubexms.artifacts.keeping import import_path
    from kubexms.context import Context
    from kubexms.settings import Settings

    names = import_path(Context(), path, Settings(), Lines(quiet=output is Format.JSON))
    if output is Format.JSON:
        print_json({"imported": names})
    else:
        print(f"{len(names)} files imported")


def _needs(file: Path | None, kubernetes: str, architectures: list[str]) -> "tuple[Needs, Path | None]":
    """Return what a cluster.yaml needs and its lock file, or what all roles of a release need."""
    from kubexms.artifacts import Needs, lock_path
    from kubexms.artifacts.catalogue import load as load_catalogue
    from kubexms.cluster.versions import normalise_version

    if file is not None:
        from kubexms.cluster import load
        from kubexms.service.prepare import needs

        return needs(load(file).cluster), lock_path(file)
    chosen = frozenset(architectures or ["amd64"])
    if not chosen <= {"amd64", "arm64"}:
        raise typer.BadParameter("--arch is amd64 or arm64")
    hosts: Any = frozenset((role, arch) for role in ("control-plane", "worker") for arch in chosen)
    return Needs(normalise_version(kubernetes or load_catalogue().default), hosts), None


def _hosts(resolved: Any) -> list[dict[str, Any]]:
    """Return what each kind of host gets, as data."""
    return [
        {
            "role": role,
            "arch": arch,
            "files": resolved.files(role, arch),
            "images": resolved.images(role, arch),
        }
        for role, arch in sorted(resolved.needs.hosts)
    ]
