# SPDX-License-Identifier: GPL-3.0-or-later
"""The record on a host: what each stage made or changed, and what was there before.

Compare uses it for settings that cannot be read back whole (a kubeadm configuration); reset uses it
to leave the host as it was. One JSON object, stage name -> object, in ``/var/lib/kubexms/state.json``.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil

from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_text, remove, write_text

PATH = "/var/lib/kubexms/state.json"


class Record:
    """The record of one host, read when made, written by :meth:`save`."""

    def __init__(self, path=None):
        self._path = path or PATH
        self._stages = json.loads(read_text(self._path) or "{}")

    @property
    def _copies(self):
        return os.path.join(os.path.dirname(self._path), "prior")

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

    def keep_file(self, name, path):
        """Keep a copy of the file at ``path``, or that there was none, before a stage first writes it."""
        kept = self.stage(name).setdefault("files", {})
        if path in kept:
            return
        kept[path] = None
        if os.path.exists(path):
            kept[path] = os.path.join(self._copies, hashlib.sha256(path.encode("utf-8")).hexdigest()[:16])
            os.makedirs(self._copies, mode=0o700, exist_ok=True)
            shutil.copy2(path, kept[path])

    def kept_files(self, name):
        """Return path -> copy of what was there before, None where there was nothing."""
        return self.stage(name).get("files", {})

    def restore_file(self, name, path):
        """Put back what :meth:`keep_file` found at ``path``, or remove what is there now, and forget it.

        What a writer that was cut off left beside it goes too.
        """
        for unfinished in glob.glob(os.path.join(glob.escape(os.path.dirname(path)), ".kubexms-*")):
            os.unlink(unfinished)
        copy = self.stage(name).get("files", {}).pop(path, None)
        if copy is None or not os.path.exists(copy):
            remove(path)
            return
        temporary = path + ".kubexms-prior"
        shutil.copy2(copy, temporary)
        os.rename(temporary, path)
        os.unlink(copy)

    def forget(self, name):
        """Drop the object of a stage."""
        self._stages.pop(name, None)

    def save(self):
        """Write the record with mode 0600."""
        write_text(self._path, json.dumps(self._stages, indent=1, sort_keys=True) + "\n", "0600")
