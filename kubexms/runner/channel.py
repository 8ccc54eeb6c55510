# SPDX-License-Identifier: GPL-3.0-or-later
"""The socket between a playbook's callback plugin and its supervisor.

On connection the supervisor sends one JSON line, the environment variables that hold secrets: in this
way they stand neither in a file nor in the environment that ansible-playbook is started with. From
then on the plugin sends messages, and gets an empty line back for each that it waits for.
"""

import json
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kubexms.runner.messages import Message, MessageInvalid, parse

Receive = Callable[[Message, Callable[[], None]], None]
_MASK = "***"
_SHORTEST = 4
_FREE_TEXT = ("differences", "observation", "error")


def censor(value: Any, secrets: Mapping[str, str]) -> Any:
    """Return a JSON value with every secret (of four characters or more) in its texts masked."""
    if isinstance(value, str):
        for secret in secrets.values():
            if len(secret) >= _SHORTEST:
                value = value.replace(secret, _MASK)
        return value
    if isinstance(value, dict):
        return {key: censor(item, secrets) for key, item in value.items()}
    return [censor(item, secrets) for item in value] if isinstance(value, list) else value


class Channel:
    """Listens on ``path`` while a playbook runs and hands each message to ``receive``.

    ``receive`` is called in a thread of the channel, with the function that lets the playbook go on.
    At the end of the with block everything that the playbook said has been handed over.
    """

    def __init__(self, path: Path, secrets: Mapping[str, str], receive: Receive) -> None:
        self._path = path
        self._secrets = secrets
        self._receive = receive
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        try:
            self._path.unlink(missing_ok=True)
            self._listener.bind(str(self._path))
        except OSError:
            self._listener.close()
            raise
        self._listener.listen(1)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes an accept that nobody answered
        self._thread.join()
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # the playbook ended before it connected
        with connection, connection.makefile("rb") as lines:
            _reply(connection, {"environment": dict(self._secrets)})
            try:
                for line in lines:
                    self._take(line, lambda: _reply(connection, {}))
            except OSError as problem:
                sys.stderr.write(f"{self._path.name}: the playbook broke off: {problem}\n")

    def _take(self, line: bytes, proceed: Callable[[], None]) -> None:
        """Hand one message over; one that cannot be understood is noted and left out."""
        try:
            message = parse(line)
        except MessageInvalid as problem:
            sys.stderr.write(f"{self._path.name}: {problem}\n")
            return
        if self._secrets:
            hidden = {name: censor(getattr(message, name), self._secrets) for name in _FREE_TEXT}
            message = replace(message, **hidden)
        self._receive(message, proceed)


def _reply(connection: socket.socket, document: Mapping[str, Any]) -> None:
    """Send one line; a playbook that is gone needs none."""
    try:
        connection.sendall(json.dumps(document).encode() + b"\n")
    except OSError:
        return
