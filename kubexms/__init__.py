# SPDX-License-Identifier: GPL-3.0-or-later
"""kubexms deploys Kubernetes clusters from one declarative file through Ansible.

Rooms, from what the user wrote to what the user sees: ``cluster`` (the file), ``plan`` (what is
missing), ``inventory`` (what Ansible gets), ``artifacts`` (bytes), ``runner`` (the supervisor),
``store`` (runs and events), ``service`` (the verbs) and ``cli``. Imports go one way; see
docs/architecture.md.
"""

__version__ = "0.1.0"
