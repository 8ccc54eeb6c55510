# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of the measurements, and their budgets. ``python -m bench --help`` lists the options."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.figures import Figure, machine, table, write
from bench.installs import Install, Size, by_kubexms, by_script
from bench.kit import make_kit
from tests.e2e.harness import KUBEXMS

RESULTS = Path(__file__).with_name("results.json")
SIZES = (Size(1, 2), Size(3, 2))
LIMITS = {
    "ratio": 0.8,
    "second": 8.0,
    "control-plane": 25,
    "worker": 15,
    "scale": 3.0,
    "help": 0.3,
    "memory": 200.0,
}
HELP_RUNS = 5


def main() -> int:
    """Measure, print the table, write the JSON; the exit code is 1 where a figure is over its limit."""
    options = parse(sys.argv[1:])
    load_before = os.getloadavg()[0]
    about = {**machine(), "load_before": load_before}
    figures = [*measure_help(), *measure_scale()]
    if not options.quick:
        figures += list(measure_installs(options.sizes, options.repeat, options.baseline))
    print(table(figures))
    print(f"load of the machine before: {load_before:.1f}; above 0.5 the times are those of a busy machine")
    write(options.output, about, figures)
    print(f"written to {options.output}")
    return int(any(figure.verdict == "over" for figure in figures))


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="make bench ARGS=", description="Measure kubexms; see docs/bench.md."
    )
    parser.add_argument("--quick", action="store_true", help="no installs: the command line and the scale")
    parser.add_argument("--sizes", type=sizes, default=SIZES, help="installs, as 1+2,3+2 (the default)")
    parser.add_argument("--repeat", type=int, default=1, help="installs of each kind; the median counts")
    parser.add_argument("--no-baseline", dest="baseline", action="store_false", help="leave the script out")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes")
    return parser.parse_args(arguments)


def sizes(text: str) -> tuple[Size, ...]:
    """Return the sizes in text such as ``1+2,3+2``."""
    return tuple(Size(*(int(part) for part in one.split("+"))) for one in text.split(","))


def measure_help() -> Iterator[Figure]:
    """Time ``kubexms --help``; the first run, which reads the disk, is not counted."""
    times = [timed([KUBEXMS, "--help"]) for _ in range(HELP_RUNS + 1)][1:]
    yield Figure("kubexms --help", median(times), "s", LIMITS["help"], f"median of {HELP_RUNS}")


def timed(argv: list[str]) -> float:
    """Return the seconds that a command takes."""
    begin = time.monotonic()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


def measure_scale() -> Iterator[Figure]:
    """Time a cluster.yaml of 1,000 hosts in a process of its own."""
    argv = [sys.executable, "-m", "bench.scale"]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)  # fills the cache of artifacts
    parts = json.loads(subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout)
    note = ", ".join(f"{name} {parts[name]:.2f}" for name in ("load", "render", "plan"))
    yield Figure("1,000 hosts: load, validate, render, plan", parts["whole"], "s", LIMITS["scale"], note)


def measure_installs(chosen: tuple[Size, ...], repeat: int, baseline: bool) -> Iterator[Figure]:
    """Install every size by kubexms and by the script in turn, on fresh hosts each time."""
    with tempfile.TemporaryDirectory(prefix="kubexms-bench-") as directory:
        kit = make_kit(Path(directory) / "kit")
        for size in chosen:
            ours: list[Install] = []
            scripts: list[Install] = []
            for _ in range(repeat):
                progress(f"{size} by kubexms")
                ours.append(by_kubexms(size))
                if baseline:
                    progress(f"{size} by the script")
                    scripts.append(by_script(size, kit))
            yield from compare(size, ours, scripts)


def progress(what: str) -> None:
    """Say what is under way."""
    print(f"{time.strftime('%H:%M:%S')}  {what}", file=sys.stderr, flush=True)


def compare(size: Size, ours: list[Install], scripts: list[Install]) -> Iterator[Figure]:
    """Yield the figures of one size."""
    own = median(install.seconds for install in ours)
    yield Figure(f"{size}: install by kubexms", own, "s", note=times(ours))
    if scripts:
        script = median(install.seconds for install in scripts)
        yield Figure(f"{size}: install by the script", script, "s", note=times(scripts))
        yield Figure(f"{size}: kubexms / script", own / script, "x", LIMITS["ratio"], "aim: 0.6")
        yield from parts(f"{size}: script", scripts[-1])
    yield from parts(f"{size}: kubexms", ours[-1])
    yield Figure(f"{size}: second deploy", median(one.second_seconds for one in ours), "s", LIMITS["second"])
    yield from calls(size, ours[-1])
    memory = f"{size}: controller memory"
    pss, rss = (max(one.peak_pss for one in ours), max(one.peak_rss for one in ours))
    yield Figure(f"{memory}, PSS", pss, "MiB", LIMITS["memory"], "peak")
    yield Figure(f"{memory}, RSS", rss, "MiB", note="peak; shared pages counted in each process")


def times(installs: list[Install]) -> str:
    """Return the single times where there are several."""
    return " ".join(f"{install.seconds:.1f}" for install in installs) if len(installs) > 1 else ""


def parts(who: str, install: Install) -> Iterator[Figure]:
    """Yield the parts of an install."""
    for name, seconds in install.parts.items():
        yield Figure(f"{who}: {name}", seconds, "s")


def calls(size: Size, install: Install) -> Iterator[Figure]:
    """Yield the most module calls on a host of each role, and on any host without changes."""
    hosts = list(install.calls)
    roles = {"control-plane": hosts[: size.control_planes], "worker": hosts[size.control_planes :]}
    for role, members in roles.items():
        most = max(install.calls[host] for host in members)
        yield Figure(f"{size}: module calls, {role}", most, "", LIMITS[role], "most on one host")
    most = max(install.second_calls.values())
    yield Figure(f"{size}: module calls, no change", most, "", 1, "most on one host")


if __name__ == "__main__":
    sys.exit(main())
