# SPDX-License-Identifier: GPL-3.0-or-later
"""The record on a host: what each stage made or changed, and what was there before.

Compare uses it for settings that cannot be read back whole (a kubeadm configuration); reset uses it
to leave the host as it was. One JSON object, stage name -> object, in ``/var/lib/kubexms/state.json``.
"""

from __future__ import annotations

import json

from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_text, write_text

PATH = "/var/lib/kubexms/state.json"


class Record:
    """The record of one host, read when made, written by :meth:`save`."""

    def __init__(self, path=PATH):
        self._path = path
        self._stages = json.loads(read_text(path) or "{}")

    def stage(self, name):
        """Return the object of a stage, empty when nothing was recorded; change it in place."""
        return self._stages.setdefault(name, {})

    def remember(self, name, key, prior):
        """Keep ``prior`` under ``key`` of the stage unless something is kept there already.

        The first value is the one from before the project touched the host.
        """
        self.stage(name).setdefault("prior", {}).setdefault(key, prior)

    def prior(self, name):
        """Return key -> value from before the project touched the host."""
        return self.stage(name).get("prior", {})

    def forget(self, name):
        """Drop the object of a stage."""
        self._stages.pop(name, None)

    def save(self):
        """Write the record with mode 0600."""
        write_text(self._path, json.dumps(self._stages, indent=1, sort_keys=True) + "\n", "0600")
