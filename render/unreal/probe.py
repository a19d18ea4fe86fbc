"""Who listens on a port: an UnrealCV server, something else, or nobody."""

from __future__ import annotations

import os
import socket
from typing import NamedTuple

from vasgen.errors import InputError
from vasgen.render.unreal import wire

#: Names the server's address where no option does: HOST:PORT.
VARIABLE = "VASGEN_UNREAL"

#: The address that UnrealCV listens on by itself.
_DEFAULT = "127.0.0.1:9000"

#: What the server says first.
_GREETING = b"connected"

#: A greeting comes at once from a game that runs.
GREETING_S = 10.0


class Endpoint(NamedTuple):
    """Address of a server."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def endpoint(text: str | None = None) -> Endpoint:
    """The address that a text names, else the environment, else UnrealCV's own.

    Args:
        text: HOST:PORT, HOST or PORT.

    Raises:
        InputError: if it is no address.
    """
    given = text or os.environ.get(VARIABLE) or _DEFAULT
    host, _, port = given.rpartition(":")
    if not host and not port.isdecimal():
        host, port = port, "9000"
    number = int(port) if port.isdecimal() else 0
    if not 0 < number < 65536 or not _is_name(host):
        raise InputError(f"Unreal's address is {given!r}; allowed: HOST:PORT, like {_DEFAULT}.")
    return Endpoint(host or "127.0.0.1", number)


def _is_name(host: str) -> bool:
    """Whether a host may have this name: one like "a..b" cannot even be looked up."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


class UnreachableError(InputError):
    """Nobody answers now; later somebody may."""


def probe(address: Endpoint, timeout_s: float = GREETING_S) -> None:
    """Return if an UnrealCV server greets; errors as :func:`greeted`."""
    greeted(address, timeout_s).close()


def greeted(address: Endpoint, timeout_s: float = GREETING_S) -> socket.socket:
    """An open connection to an UnrealCV server, which has greeted.

    Args:
        address: of the server.
        timeout_s: longest wait for each step; stays the socket's.

    Raises:
        UnreachableError: if nobody listens, or the server has no time.
        InputError: if something else listens.
    """
    try:
        connection = socket.create_connection(address, timeout_s)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            received = _first_bytes(connection)
            _check(address, received)
            _, length = wire.HEADER.unpack_from(received)
            wire.receive_exactly(connection, wire.HEADER.size + length - len(received))
        except BaseException:
            connection.close()
            raise
        return connection
    except TimeoutError:
        raise UnreachableError(
            f"no UnrealCV server greets at {address} within {timeout_s:g} s: either another "
            "program listens there, or Unreal is busy; try again once it plays."
        ) from None
    except OSError as error:
        raise UnreachableError(
            f"no Unreal at {address}: {error.strerror or error}; start a game with the plugin "
            f"UnrealCV, or name its address with --unreal or {VARIABLE}."
        ) from error


def _first_bytes(connection: socket.socket) -> bytes:
    wanted = wire.HEADER.size + len(_GREETING)
    received = b""
    while len(received) < wanted:
        piece = connection.recv(wanted - len(received))
        received += piece
        if not piece or not wire.HEADER.pack(wire.MAGIC, 0).startswith(received[:4]):
            break
    return received


def _check(address: Endpoint, received: bytes) -> None:
    if not received:
        raise UnreachableError(
            f"what listens at {address} hangs up at once: UnrealCV serves one client at a time; "
            "end the other one."
        )
    if received[:4] != wire.HEADER.pack(wire.MAGIC, 0)[:4]:
        raise InputError(
            f"what listens at {address} is no UnrealCV server: it begins with {received!r}."
        )
    if not received[wire.HEADER.size :].startswith(_GREETING):
        raise InputError(
            f"the server at {address} does not greet as UnrealCV does: it begins with {received!r}."
        )
