# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered between two commands: clusters, hosts, runs, steps and events.

One SQLite file in the state directory; only this room knows that. ``store.py`` opens it,
``records.py`` says what goes in and out. Nothing is imported here, so that the command line can
name the room without paying for SQLAlchemy.
"""
