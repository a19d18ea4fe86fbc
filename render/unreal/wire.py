"""Messages of UnrealCV on a socket: a number that marks the beginning, the length, the bytes."""

from __future__ import annotations

import socket
import struct

#: Every message begins with this number and its length.
MAGIC, HEADER = 0x9E2B83C1, struct.Struct("<II")

#: Bytes that are read at once.
_PIECE = 1 << 20


def send(connection: socket.socket, message: bytes) -> None:
    """Write one message.

    Raises:
        OSError: if the connection is lost.
    """
    connection.sendall(HEADER.pack(MAGIC, len(message)) + message)


def receive(connection: socket.socket) -> bytes:
    """Read one message.

    Raises:
        TimeoutError: if the socket's time has passed.
        OSError: if the connection is lost, or what comes is no message.
    """
    magic, length = HEADER.unpack(receive_exactly(connection, HEADER.size))
    if magic != MAGIC:
        raise ConnectionError(f"a message begins with {magic:#x}, not {MAGIC:#x}")
    return receive_exactly(connection, length)


def receive_exactly(connection: socket.socket, count: int) -> bytes:
    """Read so many bytes; errors as :func:`receive`."""
    pieces: list[bytes] = []
    while count:
        pieces.append(connection.recv(min(count, _PIECE)))
        if not pieces[-1]:
            raise ConnectionError("the other side hung up")
        count -= len(pieces[-1])
    return b"".join(pieces)
