# SPDX-License-Identifier: GPL-3.0-or-later
"""Digests of images that hosts pull, from a registry on the loopback."""

from http.server import BaseHTTPRequestHandler

import pytest

from kubexms.artifacts.registry import Registry
from kubexms.context import Context
from kubexms.errors import ArtifactFailed
from tests.unit.artifacts.helpers import Site, digest

DIGEST = f"sha256:{digest(b'manifest')}"
NAME = "registry.k8s.io/coredns/coredns:v1.14.7"
PATH = "/v2/coredns/coredns/manifests/v1.14.7"

pytestmark = pytest.mark.usefixtures("quick")


def test_a_tag_has_a_digest(ctx: Context, site: Site) -> None:
    site.answer = lambda handler: site.say(handler, 200, b"", {"Docker-Content-Digest": DIGEST})
    image = Registry(f"{site.url}/").image(ctx, NAME)
    assert (image.digest, image.archive, image.source) == (DIGEST, None, site.url)
    method, path, headers = site.requests[0]
    assert (method, path) == ("HEAD", PATH)
    assert "application/vnd.oci.image.index.v1+json" in headers["accept"]


def test_a_challenge_is_answered_with_an_anonymous_token(ctx: Context, site: Site) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path.startswith("/token"):
            site.say(handler, 200, b'{"token": "t0k"}')
        elif handler.headers.get("Authorization") == "Bearer t0k":
            site.say(handler, 200, b"", {"Docker-Content-Digest": DIGEST})
        else:
            challenge = f'Bearer realm="{site.url}/token",service="s",scope="repository:x:pull"'
            site.say(handler, 401, b"", {"WWW-Authenticate": challenge})

    site.answer = answer
    assert Registry(site.url).image(ctx, NAME).digest == DIGEST
    assert site.requests[1][1] == "/token?service=s&scope=repository%3Ax%3Apull"


@pytest.mark.parametrize("challenge", ["", "Basic", 'Bearer realm="{url}/none"'])
def test_what_cannot_be_had_is_an_error(ctx: Context, site: Site, challenge: str) -> None:
    headers = {"WWW-Authenticate": challenge.format(url=site.url)} if challenge else {}
    site.answer = lambda handler: site.say(handler, 401, b"", headers)
    with pytest.raises(ArtifactFailed, match="status 401"):
        Registry(site.url).image(ctx, NAME)


@pytest.mark.parametrize("found", ["", "sha256:1", "md5:abc"])
def test_a_registry_without_a_digest_is_an_error(ctx: Context, site: Site, found: str) -> None:
    site.answer = lambda handler: site.say(handler, 200, b"", {"Docker-Content-Digest": found})
    with pytest.raises(ArtifactFailed, match="has no digest of"):
        Registry(site.url).image(ctx, NAME)
