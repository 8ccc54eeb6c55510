# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs: the JSON round trip, and what cannot be a job."""

import json
from typing import Any

import pytest

from kubexms.runner.job import Job, JobInvalid, Retry, Segment


def job(*segments: Segment, **fields: Any) -> Job:
    return Job("r1", "t1", "deploy", "/i.yml", "/c", segments, **fields)


FULL = job(
    Segment("first", (("host", ("a", "b")), ("init", ("a",))), variables={"x": [1, {"y": None}]}),
    Segment("join", (("join", ("b",)),), after=("first",), needs=("first",), delegates=("a",)),
    retries={"host": Retry(3, 0.5, 3.0)},
    timeout_seconds=60.0,
    stage_timeouts={"host": 5.0},
    forks=7,
    files={"ab" * 32: "/cache/x"},
    bind="10.0.0.1",
    environment=("REGISTRY_PASSWORD",),
    check=True,
)


def test_json_round_trip_loses_nothing() -> None:
    assert Job.from_json(FULL.to_json()) == FULL


def test_round_trip_of_the_zero_values() -> None:
    least = job(Segment("s", (("host", ("a",)),)))
    assert Job.from_json(least.to_json()) == least


def test_segment_knows_its_stages_and_hosts() -> None:
    segment = FULL.segment("first")
    assert segment.names == ("host", "init")
    assert segment.hosts == ("a", "b")


def test_a_stage_without_retries_is_tried_once() -> None:
    assert FULL.retry("init").attempts == 1
    assert FULL.retry("host").attempts == 3


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 0.5), (2, 1.5), (3, 4.5)])
def test_retries_back_off(attempt: int, seconds: float) -> None:
    assert Retry(4, 0.5, 3.0).delay(attempt) == seconds


HOSTS = (("host", ("a",)),)


@pytest.mark.parametrize(
    ("segments", "reason"),
    [
        ((Segment("../x", HOSTS),), "'../x' is not a plain word"),
        ((Segment("", HOSTS),), "is not a plain word"),
        ((Segment("s", HOSTS), Segment("s", HOSTS)), "segment s is there twice"),
        ((Segment("s", ()),), "no stages, or a stage without hosts"),
        ((Segment("s", (("host", ()),)),), "no stages, or a stage without hosts"),
        ((Segment("s", (*HOSTS, *HOSTS)),), "names a stage twice"),
        ((Segment("s", HOSTS, after=("t",)), Segment("t", HOSTS)), "waits for t, not listed before it"),
        ((Segment("s", HOSTS, needs=("s",)),), "waits for s, not listed before it"),
    ],
)
def test_impossible_segments_are_refused(segments: tuple[Segment, ...], reason: str) -> None:
    with pytest.raises(JobInvalid, match=reason):
        job(*segments)


def without(key: str) -> str:
    document = json.loads(FULL.to_json())
    del document[key]
    return json.dumps(document)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "nonsense",
        without("segments"),
        without("run_id"),
        '{"segments": [3], "retries": {}}',
    ],
)
def test_what_is_no_job_is_said_so(text: str) -> None:
    with pytest.raises(JobInvalid, match="the job cannot be read"):
        Job.from_json(text)
