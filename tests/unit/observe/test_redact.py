# SPDX-License-Identifier: GPL-3.0-or-later
"""What looks like a secret is hidden, what does not is left alone."""

import pytest

from kubexms.observe.redact import HIDDEN, redact

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n-----END RSA PRIVATE KEY-----"
DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "registry_password",
        "Passphrase",
        "token",
        "bootstrapToken",
        "private_key",
        "privateKey",
        "certificate_key",
        "encryptionKey",
        "Authorization",
        "client_secret",
        "credentials",
    ],
)
def test_secrets_are_known_by_their_name(name: str) -> None:
    assert redact({name: "x1"}) == {name: HIDDEN}
    assert redact({"outer": [{name: {"nested": "x1"}}]}) == {"outer": [{name: HIDDEN}]}
    assert redact({name: ""}) == {name: ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"before {KEY} after", f"before {HIDDEN} after"),
        (KEY[:45], HIDDEN),
        ("kubeadm join --token abcdef.0123456789abcdef", f"kubeadm join --token {HIDDEN}"),
        ("token is abcdef.0123456789abcdef.", f"token is {HIDDEN}."),
        ("--certificate-key=f00f --v=5", f"--certificate-key={HIDDEN} --v=5"),
        ("Authorization: Bearer eyJh.abc.def", f"Authorization: Bearer {HIDDEN}"),
        ("Authorization: Basic dXNlcjpwYXNz", f"Authorization: Basic {HIDDEN}"),
        ("GET https://user:pass@mirror.example/v2/", f"GET https://{HIDDEN}@mirror.example/v2/"),
    ],
)
def test_secrets_are_known_by_their_form(text: str, expected: str) -> None:
    assert redact(text) == expected
    assert redact([text]) == [expected]
    assert redact({"message": (text,)}) == {"message": [expected]}


@pytest.mark.parametrize(
    "value",
    [
        "stage host on n1: sysctl net.ipv4.ip_forward 0 -> 1",
        f"pulled registry.k8s.io/pause:3.10.2@{DIGEST}",
        "https://10.0.0.1:6443/healthz and user@host",
        "basic settings are fine, bearers too",
        None,
        True,
        3,
        1.5,
        {"hosts": ["n1"], "count": 2, "key": "sysctl"},
    ],
)
def test_the_rest_is_left_alone(value: object) -> None:
    assert redact(value) == value


def test_other_objects_are_shown_as_text() -> None:
    assert redact(ValueError("abcdef.0123456789abcdef is wrong")) == f"{HIDDEN} is wrong"
