# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP requests as the sources need them: with timeouts, tried again when trying again may help."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

from kubexms.context import Context
from kubexms.errors import ConnectionFailed, NotFound

_ATTEMPTS = 4
_FIRST_DELAY = 0.5
_TIMEOUT = 20.0
_TEXT_LIMIT = 4 << 20

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Request:
    """What is asked for. Only http and https are spoken."""

    url: str
    headers: Mapping[str, str]
    method: str = "GET"


@dataclass(frozen=True)
class Answer:
    """What a server said: status, headers (names in lower case) and a short body."""

    status: int
    headers: Mapping[str, str]
    body: str


def open_url(ctx: Context, request: Request) -> http.client.HTTPResponse:
    """Send a request and return its open response; raises OSError (URLError, HTTPError) as urllib does."""
    if urlsplit(request.url).scheme not in {"http", "https"}:
        raise NotFound(f"{request.url} is not a http or https address")
    remaining = ctx.remaining()
    asked = urllib.request.Request(  # noqa: S310 - the scheme was checked
        request.url, headers={"User-Agent": "kubexms", **request.headers}, method=request.method
    )
    timeout = _TIMEOUT if remaining is None else max(0.1, min(_TIMEOUT, remaining))
    response: http.client.HTTPResponse = urllib.request.urlopen(asked, timeout=timeout)  # noqa: S310
    return response


def persist(ctx: Context, url: str, action: Callable[[], _Result]) -> _Result:
    """Do ``action`` until it succeeds, some times, with growing pauses; then raise ConnectionFailed."""
    delay = _FIRST_DELAY
    for attempt in range(1, _ATTEMPTS + 1):
        ctx.check()
        try:
            return action()
        except (OSError, http.client.HTTPException) as cause:
            if attempt == _ATTEMPTS:
                raise ConnectionFailed(f"cannot fetch {url}: {cause}") from cause
        ctx.wait(delay)
        delay *= 2
    raise AssertionError("unreachable")  # pragma: no cover


def ask(ctx: Context, request: Request) -> Answer:
    """Return a server's answer, a refusal (4xx) included; raise ConnectionFailed where there is none."""

    def once() -> Answer:
        try:
            with open_url(ctx, request) as response:
                return _answer(response.status, response.headers, response.read(_TEXT_LIMIT))
        except urllib.error.HTTPError as cause:
            with cause:
                if (
                    cause.code >= HTTPStatus.INTERNAL_SERVER_ERROR
                    or cause.code == HTTPStatus.TOO_MANY_REQUESTS
                ):
                    raise
                return _answer(cause.code, cause.headers, b"")

    return persist(ctx, request.url, once)


def text(ctx: Context, url: str) -> str:
    """Return a small document; raise NotFound where the server has none."""
    answer = ask(ctx, Request(url, {}))
    if answer.status != HTTPStatus.OK:
        raise NotFound(f"{url} answers with status {answer.status}")
    return answer.body


def _answer(status: int, headers: Message, body: bytes) -> Answer:
    found = {name.lower(): value for name, value in headers.items()}
    return Answer(status, found, body.decode("utf-8", errors="replace"))
