# SPDX-License-Identifier: GPL-3.0-or-later
"""kubeadm is called here: secrets are cut out of what it prints, and its failures become typed errors."""

from __future__ import annotations

import contextlib
import os
import re

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_config as config
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import (
    CommandError,
    PreflightError,
    StageError,
)
from ansible_collections.kubexms.cluster.plugins.module_utils._files import write_text
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_processes import processes

_SECRETS = re.compile(r"\b([a-z0-9]{6}\.[a-z0-9]{16}|[0-9a-f]{64})\b")
_PREFLIGHT = re.compile(r"^\s*\[ERROR ([^\]]+)\]: (.*)$", re.MULTILINE)
_CAUSE = re.compile(r"^error: (.*)$", re.MULTILINE)


def kubeadm(client, words, seconds, hint=""):
    """Run kubeadm with ``words`` and return its Result; raises PreflightError or CommandError."""
    with without_secrets():
        result = client.run(["kubeadm", *words], check=False, seconds=seconds, hint=hint)
        if result.status:
            raise _failure(words, result, hint)
    return result


def write_config(path, documents):
    """Write configuration documents for kubeadm alone to read, and the patches that they name."""
    for name, patch in config.PATCHES.items():
        write_text(os.path.join(paths.PATCHES, name), config.render([patch]))
    write_text(path, config.render(documents), "0600")


def reset(client, seconds=120):
    """Undo a half-made init or join: stop the kubelet, end its containers, remove what kubeadm wrote."""
    wait_until_alone(client, seconds)
    kubeadm(client, ["reset", "--force"], seconds)


def wait_until_alone(client, seconds):
    """Wait for the end of a kubeadm that an earlier module, cut off since, has left at work."""
    client.wait(lambda: not running(), seconds, "the end of an earlier kubeadm on this host")


def running():
    """Return whether a kubeadm works on this host, such as one whose caller was cut off."""
    return bool(processes("kubeadm"))


@contextlib.contextmanager
def without_secrets():
    """Blacken tokens and keys in the texts of an error that passes through."""
    try:
        yield
    except StageError as error:
        error.message = _SECRETS.sub("(hidden)", error.message)
        error.tail = [_SECRETS.sub("(hidden)", line) for line in error.tail]
        raise


def _failure(words, result, hint):
    refused = _PREFLIGHT.findall(result.stderr)
    if refused:
        return PreflightError(
            "kubeadm refuses this host: " + "; ".join("{0}: {1}".format(*found) for found in refused),
            hint="correct this on the host, or name the checks in ignore_preflight",
            tail=result.stderr.splitlines()[-20:],
        )
    error = CommandError(["kubeadm", *words], result.status, result.stdout, result.stderr, hint=hint)
    causes = _CAUSE.findall(result.stderr)
    if causes:
        error.message = "kubeadm {0} failed: {1}".format(words[0], causes[-1])
    error.retriable = True
    return error
