# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes API over HTTPS with the standard library, for hosts that have no Kubernetes client.

Credentials are those that kubeadm leaves in kubeconfig files: ``admin.conf`` on control-plane hosts,
``kubelet.conf`` on every joined host (a node may read itself). Keys stay in memory (memfd).
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import ssl
from urllib.parse import urlsplit

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import StageError
from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_text

MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


class ApiError(StageError):
    """The API server was not reached, or answered with an error; ``status`` is 0 when not reached."""

    code = "api-failed"
    retriable = True

    def __init__(self, message, status=0, hint="", retriable=None):
        super().__init__(message, hint=hint, retriable=retriable)
        self.status = status


class Api:
    """JSON requests to one HTTPS server over one connection that is kept open."""

    def __init__(self, server, context, seconds=10):
        self.server = server
        address = urlsplit(server)
        self._connection = http.client.HTTPSConnection(
            address.hostname, address.port or 443, timeout=seconds, context=context
        )

    def get(self, path):
        """Return the object at ``path``, or None where there is none."""
        return self.request("GET", path, missing=None)

    def delete(self, path):
        """Remove the object at ``path`` where there is one."""
        self.request("DELETE", path, missing=None)

    def request(self, method, path, body=None, content_type="application/json", **found):
        """Send a request and return the parsed answer; texts such as ``ok`` are returned as they are.

        With ``missing`` given, a 404 returns it. Raises ApiError for everything else that is no 2xx.
        """
        status, text = self._send(method, path, body, content_type)
        if status == 404 and "missing" in found:
            return found["missing"]
        if not 200 <= status < 300:
            raise _refused(method, path, status, text)
        try:
            return json.loads(text)
        except ValueError:
            return text

    def _send(self, method, path, body, content_type):
        data = None if body is None else json.dumps(body).encode("utf-8")
        headers = {"Accept": "application/json", "Content-Type": content_type}
        try:
            self._connection.request(method, path, body=data, headers=headers)
            response = self._connection.getresponse()
            return response.status, response.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise ApiError(
                "{0} does not answer {1} {2}: {3}".format(self.server, method, path, error or type(error)),
                hint="look at the API server's containers and the kubelet's log on a control-plane host",
            ) from error


def _refused(method, path, status, text):
    try:
        reason = json.loads(text).get("message", text)
    except (ValueError, AttributeError):
        reason = text
    return ApiError(
        "{0} {1} was refused with status {2}: {3}".format(method, path, status, reason.strip()),
        status=status,
        retriable=status in (409, 429) or status >= 500,
    )


def answers(endpoint, seconds=3):
    """Return whether any API server answers at ``host:port``; whose it is does not matter."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        Api("https://" + endpoint, context, seconds).get("/version")
    except ApiError as error:
        return error.status != 0
    return True


def admin_api():
    """Return the API server of this control-plane host, with the rights of admin.conf."""
    return _from_kubeconfig(paths.ADMIN_CONF, server=_field(_read(paths.CONTROLLER_CONF), "server"))


def endpoint_api():
    """Return the API server behind the cluster's endpoint, with the rights of admin.conf."""
    return _from_kubeconfig(paths.ADMIN_CONF)


def kubelet_api():
    """Return the API server that this host's kubelet talks to, with the kubelet's rights."""
    return _from_kubeconfig(paths.KUBELET_CONF)


def _from_kubeconfig(path, server=None):
    """Open what a kubeconfig of kubeadm or kubelet describes; these have one cluster and one user."""
    text = _read(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=_decoded(text, "certificate-authority-data").decode("ascii"))
    certificate = _decoded(text, "client-certificate-data")
    if certificate:
        _load_pair(context, certificate + b"\n" + _decoded(text, "client-key-data"))
    else:
        context.load_cert_chain(_field(text, "client-certificate"), _field(text, "client-key"))
    return Api(server or _field(text, "server"), context)


def _load_pair(context, pem):
    handle = os.memfd_create("kubexms")
    try:
        os.write(handle, pem)
        context.load_cert_chain("/proc/self/fd/{0}".format(handle))
    finally:
        os.close(handle)


def _read(path):
    text = read_text(path)
    if text is None:
        raise StageError(
            "{0} does not exist, so this host is not part of a cluster".format(path),
            code="not-joined",
            hint="run the stages init or join on this host first",
        )
    return text


def _field(text, name):
    found = re.search(r"^[\s-]*{0}:\s*(\S+)\s*$".format(re.escape(name)), text, re.MULTILINE)
    return found.group(1).strip("\"'") if found else ""


def _decoded(text, name):
    return base64.b64decode(_field(text, name))
