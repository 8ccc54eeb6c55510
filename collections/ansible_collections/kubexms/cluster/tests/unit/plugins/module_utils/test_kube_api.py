# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of the Kubernetes API: its answers, its errors, and real TLS with certificates of a real CA."""

from __future__ import annotations

import base64
import http.server
import shutil
import ssl
import subprocess
import threading

import pytest
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_api as kube_api
from ansible_collections.kubexms.cluster.tests.unit.plugins.conftest import DATA, join_host

ADMIN = (DATA / "kubeadm-1.36.3-admin.conf").read_text()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server", "https://10.77.2.11:6443"),
        ("client-certificate-data", "AAAA"),
        ("client-certificate", ""),
        ("token", ""),
    ],
)
def test_fields_of_a_kubeconfig(name, value):
    assert kube_api._field(ADMIN, name) == value


def test_a_quoted_field():
    assert kube_api._field('  - server: "https://x:1"\n', "server") == "https://x:1"


@pytest.fixture
def api(host, cluster):
    join_host(host)
    return kube_api.admin_api()


def test_objects_and_texts(api, cluster):
    cluster.put("/api/v1/x/a", {"kind": "X"})
    assert api.get("/api/v1/x/a")["kind"] == "X"
    assert api.get("/readyz") == "ok"
    assert api.get("/api/v1/x/b") is None
    api.delete("/api/v1/x/b")


@pytest.mark.parametrize(
    ("answer", "retriable", "message"),
    [
        ((404, {"message": "not found"}), False, "not found"),
        ((409, {"message": "modified"}), True, "modified"),
        ((500, "plain text\n"), True, "plain text"),
        ((422, "[]"), False, "[]"),
    ],
)
def test_refusals(api, cluster, answer, retriable, message):
    cluster.mishaps[("POST", "/x")] = [answer]
    with pytest.raises(kube_api.ApiError) as error:
        api.request("POST", "/x", {})
    assert error.value.message == f"POST /x was refused with status {answer[0]}: {message}"
    assert (error.value.status, error.value.retriable) == (answer[0], retriable)


def test_a_server_that_is_silent_can_be_asked_again(api, cluster):
    cluster.mishaps[("GET", "/readyz")] = [OSError("refused"), kube_api.http.client.BadStatusLine("")]
    for _attempt in range(2):
        with pytest.raises(kube_api.ApiError) as error:
            api.get("/readyz")
        assert (error.value.status, error.value.retriable) == (0, True)
    assert api.get("/readyz") == "ok"


class Certificates:
    """A CA, and pairs signed by it, made by openssl below a folder."""

    def __init__(self, folder):
        self.folder = folder
        self._openssl("req", "-x509", "-new", "-nodes", *self._key("ca"), "-subj", "/CN=ca", "-out", "ca.crt")

    def pair(self, name, extension=""):
        self._openssl(
            "req", "-new", "-nodes", *self._key(name), "-subj", f"/CN={name}", "-out", f"{name}.csr"
        )
        (self.folder / "ext").write_text(extension)
        signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ext"]
        self._openssl("x509", "-req", "-in", f"{name}.csr", *signing, "-out", f"{name}.crt")
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"

    def data(self, name):
        return base64.b64encode((self.folder / name).read_bytes()).decode()

    def _key(self, name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", f"{name}.key"]

    def _openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture
def certificates(tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificates")
    folder = tmp_path / "pki"
    folder.mkdir()
    return Certificates(folder)


@pytest.fixture
def tls_server(certificates):
    """Return the address of an HTTPS server that answers with the name in its client's certificate."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            subject = dict(part[0] for part in self.connection.getpeercert()["subject"])
            body = subject["commonName"].encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates.pair("server", "subjectAltName=IP:127.0.0.1"))
    context.load_verify_locations(certificates.folder / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def kubeconfig(certificates, server, *credentials):
    authority = certificates.data("ca.crt")
    return "\n".join(
        [f"    server: {server}", f"    certificate-authority-data: {authority}", *credentials, ""]
    )


def close(api):
    api._connection.close()


def test_keys_inside_a_kubeconfig(host, certificates, tls_server):
    certificates.pair("admin")
    embedded = [
        f"    client-certificate-data: {certificates.data('admin.crt')}",
        f"    client-key-data: {certificates.data('admin.key')}",
    ]
    host.write("/etc/kubernetes/admin.conf", kubeconfig(certificates, "https://elsewhere:1", *embedded))
    host.write("/etc/kubernetes/controller-manager.conf", f"server: {tls_server}\n")
    api = kube_api.admin_api()
    assert api.get("/") == "admin"
    assert api.get("/") == "admin", "over the same connection"
    close(api)


def test_keys_in_files_beside_a_kubeconfig(host, certificates, tls_server):
    certificate, key = certificates.pair("node")
    files = [f"    client-certificate: {certificate}", f"    client-key: {key}"]
    host.write("/etc/kubernetes/kubelet.conf", kubeconfig(certificates, tls_server, *files))
    api = kube_api.kubelet_api()
    assert api.get("/") == "node"
    close(api)


def test_a_server_of_another_ca_is_not_believed(host, certificates, tls_server, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    certificate, key = certificates.pair("node")
    files = [f"    client-certificate: {certificate}", f"    client-key: {key}"]
    host.write("/etc/kubernetes/kubelet.conf", kubeconfig(Certificates(other), tls_server, *files))
    with pytest.raises(kube_api.ApiError, match="certificate verify failed"):
        kube_api.kubelet_api().get("/")


def test_whoever_answers_counts_as_a_cluster(cluster):
    cluster.mishaps[("GET", "/version")] = [(401, "who are you"), OSError("refused")]
    assert kube_api.answers("10.77.2.11:6443")
    assert not kube_api.answers("10.77.2.11:6443")
