# SPDX-License-Identifier: GPL-3.0-or-later
"""containerd reads a new configuration before it is put in place: a wrong one would end it on every host."""

from __future__ import annotations

import os
import shutil

from ansible_collections.kubexms.cluster.plugins.module_utils import _stage_runtime_config as config
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import CommandError, PreflightError
from ansible_collections.kubexms.cluster.plugins.module_utils._files import write_text

FOLDER = "/run/kubexms/containerd"


def check(client, binary, params):
    """Raise PreflightError when containerd cannot read the configuration of ``params``."""
    fragments = os.path.join(FOLDER, "conf.d")
    main = os.path.join(FOLDER, "config.toml")
    try:
        write_text(main, config.config_text(params, fragments), "0600")
        extra = config.extra_text(params)
        if extra is not None:
            write_text(os.path.join(fragments, "extra.toml"), extra, "0600")
        client.run([binary, "--config", main, "config", "dump"])
    except CommandError as error:
        raise PreflightError(
            "containerd refuses the configuration: {0}".format(error.tail[-1] if error.tail else error),
            hint="correct extra_config; nothing was changed",
            tail=error.tail,
        ) from error
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
