# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts in each state of membership, and a Kubernetes API and etcd in memory below the HTTPS client."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_api

DATA = Path(__file__).resolve().parents[1] / "data"
ADDRESS = "10.77.2.11"

KUBEADM = {
    "control_plane": True,
    "node_name": "node1",
    "advertise_address": ADDRESS,
    "endpoint": "api.example.test:6443",
    "version": "v1.36.3",
    "cluster_configuration": {
        "networking": {"podSubnet": "10.244.0.0/16"},
        "etcd": {"local": {"imageTag": "3.6.16-0"}},
    },
    "timeout": 0,
    "ready_timeout": 0,
}
"""A valid variable ``kubexms_kubeadm``; waits look once."""

INPUTS = {
    "kube-apiserver advertise address": ADDRESS,
    "kube-apiserver endpoint": "api.example.test:6443",
    "etcd imageTag": "3.6.16-0",
}
"""The settings of KUBEADM as a control plane's record has them."""

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


def join_host(host: Any, *, control_plane: bool = True) -> None:
    """Write the files of a host that kubeadm joined."""
    host.write("/etc/kubernetes/kubelet.conf", (DATA / "kubelet-1.36.3-kubelet.conf").read_text())
    host.write("/var/lib/kubelet/config.yaml", "kind: KubeletConfiguration\n")
    if control_plane:
        admin = (DATA / "kubeadm-1.36.3-admin.conf").read_text()
        host.write("/etc/kubernetes/admin.conf", admin)
        host.write("/etc/kubernetes/controller-manager.conf", admin)
        host.write("/etc/kubernetes/pki/ca.crt", (DATA / "kubeadm-1.36.3-ca.crt").read_text())
        for name in COMPONENTS:
            host.write(f"/etc/kubernetes/manifests/{name}.yaml", f"name: {name}\n")


def start(host: Any, name: str, *arguments: str, pid: int) -> None:
    """Have a process run on the host, as /proc shows it; one of the same name ends."""
    end(host, name)
    host.write(f"/proc/{pid}/comm", name[:15] + "\n")
    host.write(f"/proc/{pid}/cmdline", "\0".join([name, *arguments, ""]))


def end(host: Any, name: str) -> None:
    """End a process of the host."""
    for comm in host.path("/proc").glob("[0-9]*/comm"):
        if comm.read_text().strip() == name[:15]:
            shutil.rmtree(comm.parent)


def record(host: Any, **stages: Any) -> None:
    """Write the host's record."""
    host.write("/var/lib/kubexms/state.json", json.dumps(stages))


def recorded(host: Any) -> dict[str, Any]:
    """Return the host's record."""
    return json.loads(host.path("/var/lib/kubexms/state.json").read_text())


def merged(target: Any, change: Any) -> Any:
    """Return ``target`` after a merge patch (RFC 7386)."""
    if not isinstance(change, dict):
        return change
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


class Cluster:
    """Objects by their path in the API, and etcd's members.

    ``requests`` has (method, path, body) of each request; ``mishaps`` maps (method, path) to what happens
    instead, one after the other: an exception, or a status with a message.
    """

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.members: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str, Any]] = []
        self.mishaps: dict[tuple[str, str], list[Any]] = {}
        self._version = 100

    def put(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        """Keep an object, with a version and, when its spec changed, a generation."""
        self._version += 1
        before = self.objects.get(path, {})
        content = copy.deepcopy(content)
        metadata = content.setdefault("metadata", {})
        metadata["resourceVersion"] = str(self._version)
        generation = before.get("metadata", {}).get("generation", 0)
        if "spec" in content:
            metadata["generation"] = generation + (content["spec"] != before.get("spec"))
        self.objects[path] = content
        return content

    def add_node(self, name: str, *, ready: bool = True, **metadata: Any) -> dict[str, Any]:
        """Add a Node, as recorded from a cluster."""
        node = json.loads((DATA / "kubernetes-1.36.3-node.json").read_text())
        node["metadata"].update(name=name, **metadata)
        condition = next(one for one in node["status"]["conditions"] if one["type"] == "Ready")
        if not ready:
            condition.update(status="False", message="container runtime network not ready")
        return self.put(f"/api/v1/nodes/{name}", node)

    def paths(self, method: str) -> list[str]:
        """Return the paths of all requests of a method."""
        return [path for found, path, _body in self.requests if found == method]

    def answer(self, method: str, target: str, body: Any, kind: str) -> tuple[int, Any]:
        """Answer one request with a status and an object or text."""
        self.requests.append((method, target, copy.deepcopy(body)))
        path = target.partition("?")[0]
        mishaps = self.mishaps.get((method, path))
        if mishaps:
            mishap = mishaps.pop(0)
            if isinstance(mishap, Exception):
                raise mishap
            return mishap
        if "labelSelector=" in target:
            return self._collection(method, path, unquote(target.partition("labelSelector=")[2]))
        if path.startswith("/v3/"):
            return self._etcd(path, body)
        return getattr(self, f"_{method.lower()}")(path, body, kind)

    def _get(self, path: str, _body: Any, _kind: str) -> tuple[int, Any]:
        if path in self.objects:
            return 200, self.objects[path]
        if path in ("/readyz", "/version", "/health", "/healthz"):
            return 200, "ok"
        items = [item for name, item in self.objects.items() if name.rpartition("/")[0] == path]
        return (200, {"items": items}) if items else (404, {"message": "not found"})

    def _post(self, path: str, body: Any, _kind: str) -> tuple[int, Any]:
        return 201, self.put(f"{path}/{body['metadata']['name']}", body)

    def _patch(self, path: str, body: Any, kind: str) -> tuple[int, Any]:
        if kind == "application/apply-patch+yaml":
            return 200, self.put(path, body)
        wanted = body.get("metadata", {}).get("resourceVersion")
        if wanted not in (None, self.objects[path]["metadata"]["resourceVersion"]):
            return 409, {"message": "the object has been modified"}
        return 200, self.put(path, merged(self.objects[path], body))

    def _delete(self, path: str, _body: Any, _kind: str) -> tuple[int, Any]:
        return (200, {}) if self.objects.pop(path, None) else (404, {"message": "not found"})

    def _collection(self, method: str, path: str, selector: str) -> tuple[int, Any]:
        key, value = selector.split("=")
        found = [
            name
            for name, item in self.objects.items()
            if name.rpartition("/")[0] == path and (item["metadata"].get("labels") or {}).get(key) == value
        ]
        items = [self.objects[name] for name in found]
        if method == "DELETE":
            for name in found:
                del self.objects[name]
        return 200, {"items": items}

    def _etcd(self, path: str, body: Any) -> tuple[int, Any]:
        if path.endswith("/remove"):
            self.members = [one for one in self.members if one["ID"] != body["ID"]]
        return 200, {"members": self.members}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Return the cluster that answers every HTTPS request of the API client."""
    found = Cluster()

    class Connection:
        """Stands in for http.client.HTTPSConnection."""

        def __init__(self, hostname: str, port: int, **_options: Any) -> None:
            self.server = f"{hostname}:{port}"

        def request(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> None:
            data = json.loads(body) if body else None
            self._answer = found.answer(method, path, data, headers["Content-Type"])

        def getresponse(self) -> Any:
            status, content = self._answer
            text = content if isinstance(content, str) else json.dumps(content)

            class Response:
                """Stands in for http.client.HTTPResponse."""

                def __init__(self) -> None:
                    self.status = status

                def read(self) -> bytes:
                    return text.encode()

            return Response()

        def close(self) -> None:
            """Nothing is open."""

    class Context:
        """Stands in for ssl.SSLContext: the credentials in the recorded files are cut out."""

        def __init__(self, _protocol: int) -> None:
            pass

        def load_verify_locations(self, **_options: Any) -> None:
            """Trust nobody in particular."""

        def load_cert_chain(self, *_paths: str) -> None:
            """Be nobody in particular."""

    monkeypatch.setattr(_kube_api.http.client, "HTTPSConnection", Connection)
    monkeypatch.setattr("ssl.SSLContext", Context)
    return found
