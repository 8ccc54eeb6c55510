# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
"""kubexms.cluster.artifact on the controller: sends files that the host cannot fetch."""

from __future__ import annotations

from ansible_collections.kubexms.cluster.plugins.plugin_utils._send import SendingAction


class ActionModule(SendingAction):
    """The module, with the way over SSH."""
