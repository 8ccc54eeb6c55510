# SPDX-License-Identifier: GPL-3.0-or-later
"""Digests of images that hosts pull by name, asked of their registry.

Rules: opencontainers/distribution-spec 1.1 (HEAD of a manifest) and the token authentication of
distribution/distribution, without credentials.
"""

import json
import re
from http import HTTPStatus
from urllib.parse import urlencode

from kubexms.artifacts.lock import LockedImage
from kubexms.artifacts.web import Answer, Request, ask
from kubexms.context import Context
from kubexms.errors import ArtifactFailed

_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")


class Registry:
    """The registry that hosts pull from: ``base`` for all names, or the one each name gives."""

    def __init__(self, base: str | None) -> None:
        self.base = base.rstrip("/") if base else None

    def image(self, ctx: Context, reference: str) -> LockedImage:
        """Return the image a tag stands for now; raise ArtifactFailed where the registry does not say."""
        host, _, rest = reference.partition("/")
        repository, _, tag = rest.rpartition(":")
        url = f"{self.base or f'https://{host}'}/v2/{repository}/manifests/{tag}"
        answer = ask(ctx, Request(url, {"Accept": _MANIFESTS}, "HEAD"))
        if answer.status == HTTPStatus.UNAUTHORIZED:
            headers = {"Accept": _MANIFESTS, "Authorization": f"Bearer {_token(ctx, answer)}"}
            answer = ask(ctx, Request(url, headers, "HEAD"))
        digest = answer.headers.get("docker-content-digest", "")
        if answer.status != HTTPStatus.OK or not _DIGEST.match(digest):
            raise ArtifactFailed(
                f"the registry has no digest of {reference}: {url} answers with status {answer.status}",
                hint="correct KUBEXMS_IMAGE_REGISTRY, or set KUBEXMS_IMAGE_SOURCE=assemble",
            )
        return LockedImage(digest=digest, source=self.base or host)


def _token(ctx: Context, refused: Answer) -> str:
    """Return the anonymous token that a registry's challenge asks for; empty where it asks otherwise."""
    challenge = dict(_CHALLENGE.findall(refused.headers.get("www-authenticate", "")))
    realm = challenge.pop("realm", "")
    if not realm:
        return ""
    answer = ask(ctx, Request(f"{realm}?{urlencode(challenge)}", {}))
    try:
        token = json.loads(answer.body)
    except ValueError:
        return ""
    return str(token.get("token") or token.get("access_token") or "")
