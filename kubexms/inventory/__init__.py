# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory room: from a valid cluster to Ansible's groups, hosts and variables. No I/O.

One variable per stage, in the shape that the collection's module of that stage takes. What is the
same for many hosts stands once, at their group; a host has only what is its own.
"""
