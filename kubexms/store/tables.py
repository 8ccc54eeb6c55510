# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables, in SQLAlchemy Core terms that SQLite and PostgreSQL share.

Times are seconds since the epoch. ``SCHEMA_VERSION`` counts every change of what is below.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TextClause,
    UniqueConstraint,
    text,
)

from kubexms.plan.states import ACTIVE_RUN_STATES, RunState, StepState

SCHEMA_VERSION = 1

metadata = MetaData()

# The object form of JSON null would be a second kind of "nothing": None is SQL NULL everywhere.
_Document = JSON(none_as_null=True)


def _one_of(column: str, states: type[RunState] | type[StepState]) -> CheckConstraint:
    """Return the constraint that a column holds one of the states."""
    values = ", ".join(f"'{state}'" for state in states)
    return CheckConstraint(f"{column} IN ({values})", name=f"{column}_known")


def _is_active() -> TextClause:
    """Return the condition of the runs of which a cluster has at most one."""
    values = ", ".join(f"'{state}'" for state in sorted(ACTIVE_RUN_STATES))
    return text(f"state IN ({values})")


schema = Table(
    "schema_version",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True),
    Column("version", Integer, nullable=False),
)

clusters = Table(
    "clusters",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(253), nullable=False, unique=True),
    Column("path", String, nullable=False),
    Column("definition_digest", String(80), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
)

hosts = Table(
    "hosts",
    metadata,
    Column("cluster_id", ForeignKey("clusters.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(253), primary_key=True),
    Column("address", String, nullable=False),
    Column("machine_id", String(64)),
    Column("ssh_host_key", String),
    Column("first_seen", Float, nullable=False),
    UniqueConstraint("cluster_id", "machine_id", name="one_name_per_machine"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("cluster_id", ForeignKey("clusters.id"), nullable=False),
    Column("verb", String(32), nullable=False),
    Column("state", String(16), _one_of("state", RunState), nullable=False),
    Column("trace_id", String(32), nullable=False),
    Column("directory", String, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("finished_at", Float),
    Column("spool_offset", BigInteger, nullable=False),
    Column("plan", _Document),
    Column("error", _Document),
    Column("result", _Document),
    Index("runs_newest", "created_at", "id"),
)

Index(
    "one_active_run", runs.c.cluster_id, unique=True, sqlite_where=_is_active(), postgresql_where=_is_active()
)

steps = Table(
    "steps",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("stage", String(64), primary_key=True),
    Column("host", String(253), primary_key=True),
    Column("state", String(16), _one_of("state", StepState), nullable=False),
    Column("digest", String(80), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("reason", String, nullable=False),
    Column("changed", Boolean),
    Column("started_at", Float),
    Column("finished_at", Float),
    Column("error", _Document),
)

# Read in the order of the key and never changed: the table is its own index.
events = Table(
    "events",
    metadata,
    Column("run_id", String(32), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("time", Float, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("stage", String(64), nullable=False),
    Column("host", String(253), nullable=False),
    Column("task", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("data", _Document, nullable=False),
    ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
    sqlite_with_rowid=False,
)
