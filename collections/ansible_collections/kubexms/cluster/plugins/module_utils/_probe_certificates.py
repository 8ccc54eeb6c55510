# SPDX-License-Identifier: GPL-3.0-or-later
"""When the certificates of this host run out: a small DER reader, because hosts have no X.509 library.

Source: RFC 5280 section 4.1 (Certificate, TBSCertificate, Validity), X.690 section 8.1 (tag, length, value).
"""

from __future__ import annotations

import base64
import binascii
import calendar
import glob
import re
import ssl
import time

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_text

_FORMATS = {0x17: "%y%m%d%H%M%SZ", 0x18: "%Y%m%d%H%M%SZ"}  # UTCTime, GeneralizedTime
_VERSION = 0xA0
_BEFORE_VALIDITY = 3  # serialNumber, signature, issuer
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_EMBEDDED = re.compile(r"client-certificate-data: (\S+)")


def certificates():
    """Return ``path`` and ``not_after`` (Unix time) of each certificate of kubeadm and the kubelet."""
    found = []
    for pattern in (paths.PKI + "/*.crt", paths.PKI + "/etcd/*.crt", paths.KUBELET_CERTIFICATE):
        found += [_certificate(path, read_text(path) or "") for path in sorted(glob.glob(pattern))]
    for path in sorted(glob.glob(paths.KUBERNETES + "/*.conf")):
        found.append(_certificate(path, embedded(read_text(path) or "")))
    return [entry for entry in found if entry]


def _certificate(path, text):
    pem = _PEM.search(text)
    return {"path": path, "not_after": not_after(ssl.PEM_cert_to_DER_cert(pem.group(0)))} if pem else None


def embedded(kubeconfig):
    """Return the client certificate (PEM) in a kubeconfig, an empty text when there is none."""
    found = _EMBEDDED.search(kubeconfig)
    try:
        return base64.b64decode(found.group(1)).decode("ascii") if found else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""


def not_after(der):
    """Return the end of a certificate's validity as Unix time."""
    certificate = _value(der, 0)
    content = _value(certificate, 0)
    position = _end(content, 0) if content[0] == _VERSION else 0
    for _field in range(_BEFORE_VALIDITY):
        position = _end(content, position)
    validity = _value(content, position)
    position = _end(validity, 0)
    text = _value(validity, position).decode("ascii")
    return calendar.timegm(time.strptime(text, _FORMATS[validity[position]]))


def _value(data, position):
    start, end = _bounds(data, position)
    return data[start:end]


def _end(data, position):
    return _bounds(data, position)[1]


def _bounds(data, position):
    """Return where the value of the element at ``position`` starts and ends."""
    length, start = data[position + 1], position + 2
    if length & 0x80:
        size = length & 0x7F
        length, start = int.from_bytes(data[start : start + size], "big"), start + size
    return start, start + length
