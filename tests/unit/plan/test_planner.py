# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner by tables: what was found, and the steps and segments that follow."""

import pytest

from kubexms.errors import ConnectionFailed
from kubexms.plan.model import Plan
from kubexms.plan.observation import Look, Observation, StageLook, Unreachable
from kubexms.plan.planner import make_plan
from tests.unit.plan.looks import differing, fresh, joined, wanted

PREPARATION = ["host", "files", "runtime", "images", "kubelet"]


def plan_of(looks: list[Look], **changes: object) -> Plan:
    cluster = wanted(
        sum(look.host.startswith("cp") for look in looks),
        sum(look.host.startswith("w") for look in looks),
        **changes,
    )
    return make_plan(cluster, {look.host: look for look in looks}, {})


def steps_of(plan: Plan) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for step in plan.steps:
        found.setdefault(step.host, []).append(step.stage)
    return found


def segments_of(plan: Plan) -> dict[str, tuple[str, ...]]:
    return {segment.name: (*segment.after, "!", *segment.needs) for segment in plan.segments}


def test_a_cluster_as_wanted_has_no_steps() -> None:
    plan = plan_of([joined("cp-1", leader=True, nodes=("cp-1", "w-1")), joined("w-1")])
    assert plan.is_empty
    assert plan.segments == ()
    assert plan.warnings == ()


def test_a_new_cluster_starts_its_first_host_beside_the_preparation_of_the_others() -> None:
    plan = plan_of([fresh("cp-1"), fresh("cp-2"), fresh("w-1")])
    assert plan.is_new
    assert plan.delegate == "cp-1"
    assert steps_of(plan) == {
        "cp-1": [*PREPARATION, "init", "addons", "nodes"],
        "cp-2": [*PREPARATION, "join"],
        "w-1": [*PREPARATION, "join"],
    }
    assert segments_of(plan) == {
        "first-control-plane": ("!",),
        "prepare": ("!",),
        "join": ("first-control-plane", "prepare", "!", "first-control-plane"),
        "nodes": ("first-control-plane", "prepare", "join", "!", "first-control-plane"),
    }


def test_a_new_worker_touches_no_other_host() -> None:
    looks: list[Look] = [joined("cp-1", leader=True), joined("w-1"), fresh("w-2")]
    plan = plan_of(looks)
    assert steps_of(plan) == {"w-2": [*PREPARATION, "join"], "cp-1": ["nodes"]}
    assert plan.steps[-1].reason == "w-2 to join"
    assert [segment.name for segment in plan.segments] == ["prepare", "join", "nodes"]


def test_control_plane_hosts_change_one_at_a_time_each_needing_the_one_before() -> None:
    looks: list[Look] = [joined(f"cp-{n}", "control-plane", leader=True) for n in (1, 2, 3)]
    assert segments_of(plan_of(looks)) == {
        "control-plane-cp-1": ("!",),
        "control-plane-cp-2": ("control-plane-cp-1", "!", "control-plane-cp-1"),
        "control-plane-cp-3": ("control-plane-cp-2", "!", "control-plane-cp-2"),
    }


@pytest.mark.parametrize(
    ("stage", "limit", "expected"),
    [
        ("host", 1, {"workers": ("!",)}),
        ("images", 1, {"workers": ("!",)}),
        ("kubelet", 2, {"workers-1": ("!",), "workers-2": ("workers-1", "!", "workers-1")}),
        (
            "runtime",
            1,
            {
                "workers-1": ("!",),
                "workers-2": ("workers-1", "!", "workers-1"),
                "workers-3": ("workers-2", "!", "workers-2"),
            },
        ),
    ],
)
def test_workers_change_together_unless_something_restarts(
    stage: str, limit: int, expected: dict[str, tuple[str, ...]]
) -> None:
    looks: list[Look] = [joined("cp-1", leader=True), *(joined(f"w-{n}", stage) for n in (1, 2, 3))]
    assert segments_of(plan_of(looks, max_unavailable=limit)) == expected


def test_a_stage_runs_only_on_the_hosts_that_differ_in_it() -> None:
    looks: list[Look] = [joined("cp-1", leader=True), joined("w-1", "host"), joined("w-2", "host", "files")]
    (segment,) = plan_of(looks).segments
    assert segment.stages == (("host", ("w-1", "w-2")), ("files", ("w-2",)))
    assert segment.hosts == ("w-1", "w-2")


def test_the_delegate_is_a_healthy_member() -> None:
    looks: list[Look] = [joined("cp-1", leader=True, healthy=False), joined("cp-2", leader=True)]
    assert plan_of(looks).delegate == "cp-2"


def test_without_a_healthy_member_any_member_acts() -> None:
    looks: list[Look] = [fresh("cp-1"), joined("cp-2", "kubelet", leader=True, healthy=False)]
    plan = plan_of(looks)
    assert plan.delegate == "cp-2"
    assert not plan.is_new
    assert "join" in steps_of(plan)["cp-1"]


def test_a_dead_worker_is_left_out_and_named() -> None:
    looks: list[Look] = [fresh("cp-1"), fresh("w-1"), Unreachable("w-2", "unreachable", "timed out")]
    plan = plan_of(looks)
    assert "w-2" not in plan.hosts()
    assert [look.host for look in plan.unreachable] == ["w-2"]


@pytest.mark.parametrize(
    "looks",
    [
        [Unreachable("cp-1", "unreachable", "timed out"), fresh("w-1")],
        [Unreachable("cp-1", "unreachable", "timed out"), joined("w-1")],
        [fresh("cp-1"), joined("w-1")],
        [Unreachable("cp-1", "unreachable", "no route"), Unreachable("w-1", "unreachable", "no route")],
    ],
)
def test_without_a_control_plane_nothing_is_planned(looks: list[Look]) -> None:
    with pytest.raises(ConnectionFailed):
        plan_of(looks)


def test_a_stage_that_could_not_be_compared_is_planned() -> None:
    look = joined("cp-1", leader=True)
    broken = Observation(**{**vars(look), "stages": {"host": StageLook(error="no such sysctl")}})
    (step,) = plan_of([broken]).steps
    assert step.reason == "could not be compared: no such sysctl"


def test_a_node_that_is_not_in_the_file_is_reported_and_left_alone() -> None:
    plan = plan_of([joined("cp-1", leader=True, nodes=("cp-1", "old-worker"))])
    assert plan.is_empty
    assert plan.warnings[0].startswith("node old-worker is in the cluster and not in the file")


def test_reasons_and_digests_come_along() -> None:
    look = joined("cp-1", leader=True)
    two = Observation(
        **{**vars(look), "stages": {"host": StageLook(differing("host")["host"].differences * 2)}}
    )
    plan = make_plan(wanted(1, 0), {"cp-1": two}, {("host", "cp-1"): "abc"})
    assert plan.steps[0].reason == "host thing: old -> new and 1 more"
    assert plan.steps[0].digest == "abc"
