# SPDX-License-Identifier: GPL-3.0-or-later
"""containerd's files as pure functions of the stage's variable.

Formats: containerd's docs/man/containerd-config.toml.5.md (version 3), docs/cri/config.md and
docs/hosts.md, containerd 2.2.
"""

from __future__ import annotations

import base64
import json
from urllib.parse import urlsplit

FOLDER = "/etc/containerd"
CONFIG = "/etc/containerd/config.toml"
FRAGMENTS = "/etc/containerd/conf.d"
UNIT = "/etc/systemd/system/containerd.service"
EXTRA = "/etc/containerd/conf.d/60-kubexms-extra.toml"
_HEADER = "# Managed by kubexms: changes made here are undone by the next deploy.\n"
_IMAGES = 'plugins."io.containerd.cri.v1.images"'
_RUNTIME = 'plugins."io.containerd.cri.v1.runtime"'

_CONFIG_TEXT = """\
version = 3
imports = [{imports}]

[{images}.pinned_images]
sandbox = {sandbox_image}

[{images}.registry]
config_path = "/etc/containerd/certs.d"

[{runtime}]
restrict_oom_score_adj = {restrict_oom_score_adj}

[{runtime}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[{runtime}.containerd.runtimes.runc.options]
SystemdCgroup = true
"""

_UNIT_TEXT = """\
[Unit]
Description=containerd container runtime
Documentation=https://containerd.io
After=network.target local-fs.target dbus.service

[Service]
ExecStart={binary_directory}/containerd
Type=notify
Delegate=yes
KillMode=process
Restart=always
RestartSec=5
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
"""


def config_text(params, fragments=FRAGMENTS):
    """Return config.toml, which takes in what lies in the folder ``fragments``."""
    return _HEADER + _CONFIG_TEXT.format(
        imports=quoted(fragments + "/*.toml"),
        images=_IMAGES,
        runtime=_RUNTIME,
        sandbox_image=quoted(params["sandbox_image"]),
        restrict_oom_score_adj=_boolean(params["restrict_oom_score_adj"]),
    )


def unit_text(params):
    """Return the systemd unit."""
    return _HEADER + _UNIT_TEXT.format(binary_directory=params["binary_directory"])


def extra_text(params):
    """Return the operator's own configuration, or None when there is none."""
    text = params["extra_config"].strip()
    if not text:
        return None
    version = "" if text.startswith("version") else "version = 3\n"
    return _HEADER + version + text + "\n"


def registry_files(registries):
    """Return path -> (text, whether it is secret) of the files below certs.d, read at each pull.

    A registry's user and password go into its own hosts.toml, and into those of the registries that it
    is a mirror of.
    """
    files = {}
    headers = {item["host"]: _header(item) for item in registries if item["username"]}
    for registry in registries:
        folder = "{0}/certs.d/{1}".format(FOLDER, registry["host"])
        certificate = folder + "/ca.crt" if registry["ca"] else None
        if certificate:
            files[certificate] = (registry["ca"].strip() + "\n", False)
        text = _hosts_text(registry, certificate, headers)
        if text:
            files[folder + "/hosts.toml"] = (_HEADER + text, "Authorization" in text)
    return files


def _header(registry):
    pair = "{0}:{1}".format(registry["username"], registry["password"] or "")
    basic = base64.b64encode(pair.encode("utf-8")).decode("ascii")
    return 'header = {{ Authorization = "Basic {0}" }}'.format(basic)


def _hosts_text(registry, certificate, headers):
    trust = ["ca = {0}".format(quoted(certificate))] if certificate else []
    sections = [_section([headers.get(registry["host"]), *trust])]
    for mirror in registry["mirrors"]:
        capabilities = ", ".join(quoted(item) for item in mirror["capabilities"])
        lines = [
            "[host.{0}]".format(quoted(mirror["url"])),
            "capabilities = [{0}]".format(capabilities),
            *("{0} = true".format(key) for key in ("skip_verify", "override_path") if mirror[key]),
            headers.get(urlsplit(mirror["url"]).netloc),
        ]
        sections.append(_section([*lines, *trust]))
    return "\n".join(section for section in sections if section)


def _section(lines):
    return "".join(line + "\n" for line in lines if line)


def quoted(text):
    """Return a TOML basic string: JSON's escapes are among its own, and DEL is the one it lacks."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _boolean(value):
    return "true" if value else "false"
