"""A connection to the UnrealCV server inside a running Unreal, through UnrealCV's own client.

The client's own socket waits for ever for a greeting, its reading thread dies of a lost
connection, and both print. Here the socket is ours: each wait has an end, and each failure is one
clear line. Nothing outside of this connection is changed.
"""

from __future__ import annotations

import socket
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from vasgen.errors import InputError, MissingDependencyError
from vasgen.render.unreal import wire
from vasgen.render.unreal.probe import GREETING_S, Endpoint, UnreachableError, greeted

Result = TypeVar("Result")

#: The oldest server that tells which commands it knows.
OLDEST = (1, 1, 0)

#: One command of each kind that a renderer sends.
COMMANDS = (
    "vset /cameras/spawn",
    "vget /cameras",
    "vset /camera/0/location 0 0 0",
    "vset /camera/0/rotation 0 0 0",
    "vset /camera/0/fov 90",
    "vset /camera/0/size 8 8",
    "vget /camera/0/lit png",
    "vget /camera/0/depth npy",
    "vget /camera/0/normal png",
    "vget /camera/0/object_mask png",
    "vget /objects",
    "vget /object/name/color",
)

#: Seconds between attempts to connect anew.
_WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0)

#: Commands sent before their replies are read: both must fit into the buffers of a socket.
_BATCH = 100


class Connection:
    """A connection that is made on first use, and again when it was lost.

    Args:
        address: of the server.
        timeout_s: longest wait for a reply; the first picture of a level may take long.
        waits_s: pauses before each attempt to connect anew, seconds.

    Attributes:
        address: of the server.
    """

    def __init__(
        self,
        address: Endpoint,
        *,
        timeout_s: float = 60.0,
        waits_s: Sequence[float] = _WAITS_S,
    ) -> None:
        self.address = address
        self._timeout_s, self._waits_s = timeout_s, tuple(waits_s)
        self._client: Any = None
        self._opened = 0

    @property
    def opened(self) -> int:
        """How often a connection was made: what a server was told before is void."""
        return self._opened

    def through(self, work: Callable[[], Result]) -> Result:
        """Do work that asks; if the connection is lost, do it again on a new one.

        Raises:
            InputError: if the server cannot be reached, is none of UnrealCV, is too old, or
                does not come back.
        """
        waits = iter(self._waits_s)
        while True:
            try:
                if self._client is None:
                    self._open()
                return work()
            except UnreachableError:
                self.close()
                wait = next(waits, None)
                if wait is None or not self._opened:  # a server that never was does not come back
                    raise
                time.sleep(wait)

    def ask(self, command: str) -> Any:
        """The reply to a command: text, or bytes where it is none.

        Raises:
            UnreachableError: if the connection is lost.
            InputError: if the server refuses, or does not answer in time.
        """
        (reply,) = self._exchange([command])
        if is_refusal(reply):
            raise InputError(f"UnrealCV at {self.address} answers {command!r} by {reply!r:.200}.")
        return reply

    def ask_all(self, commands: Sequence[str]) -> list[Any]:
        """The replies to many commands, refusals too; errors as :meth:`ask`."""
        starts = range(0, len(commands), _BATCH)
        batches = [self._exchange(commands[start : start + _BATCH]) for start in starts]
        return [reply for batch in batches for reply in batch]

    def close(self) -> None:
        """Hang up."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()

    def _exchange(self, commands: Sequence[str]) -> list[Any]:
        try:
            replies: list[Any] = self._client.request_batch(list(commands))
        except TimeoutError as error:
            self.close()
            raise InputError(
                f"UnrealCV at {self.address} does not answer {commands[0]!r} within "
                f"{self._timeout_s:g} s: is the game paused, or still loading?"
            ) from error
        except (OSError, AssertionError) as error:
            self.close()
            raise UnreachableError(
                f"lost the connection to UnrealCV at {self.address} at {commands[0]!r}; is "
                "Unreal still running?"
            ) from error
        return replies

    def _open(self) -> None:
        unrealcv, greeting_s = _library(), min(GREETING_S, self._timeout_s)
        line = greeted(self.address, greeting_s)
        client = _client_on(line, unrealcv.Client(tuple(self.address)))
        try:
            _check_version(unrealcv.ApiVersionManager(self._first_request(client)), self.address)
        except BaseException:
            client.disconnect()
            raise
        line.settimeout(self._timeout_s)
        self._client = client
        self._opened += 1

    def _first_request(self, client: Any) -> Callable[..., Any]:
        """Asks a server that has greeted just now."""

        def request(command: str, **_: object) -> Any:
            try:
                return client.request_batch([command])[0]
            except TimeoutError as error:
                raise UnreachableError(
                    f"UnrealCV at {self.address} greets, but answers nothing within "
                    f"{client.sock.gettimeout():g} s: is the game paused, or still loading?"
                ) from error
            except (OSError, AssertionError) as error:
                raise UnreachableError(
                    f"UnrealCV at {self.address} breaks off after greeting ({error})."
                ) from error

        return request


def is_refusal(reply: object) -> bool:
    """Whether a reply says that a command could not be obeyed."""
    return reply is None or (isinstance(reply, str) and reply.lower().startswith("error"))


def _library() -> Any:
    """The package unrealcv.

    Raises:
        MissingDependencyError: if it is not there, or needs a library that is not.
    """
    try:
        import unrealcv
    except ImportError as error:
        raise MissingDependencyError(
            f"the Unreal backend needs UnrealCV's client ({error}): pip install 'vasgen[unreal]'."
        ) from error
    return unrealcv


def _client_on(line: socket.socket, client: Any) -> Any:
    """UnrealCV's client on an open socket, and its reading thread begun.

    Its own ways to send and receive print, and read the dead socket again for a minute.
    """

    def send(message: bytes) -> bool:
        wire.send(line, message)
        return True

    def receive() -> bytes:
        message = wire.receive(line)
        if not message.partition(b":")[0].isdigit():
            raise ConnectionError(f"a reply begins with {message[:20]!r}")
        return message

    def read_and_report() -> None:
        try:
            client.receive_loop_queue()
        except Exception as error:
            client.recv_data_q.put(error)

    client.sock, client.send, client.receive = line, send, receive
    client.t = threading.Thread(target=read_and_report, daemon=True)
    client.t.start()
    return client


def _check_version(versions: Any, address: Endpoint) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an old server; that is refused below
        versions.load()
    oldest = ".".join(map(str, OLDEST))
    version = versions.get_server_version_tuple()
    if not versions.has_command_capabilities() or (version and version < OLDEST):
        told = versions.get_server_version() or f"older than {oldest}"
        raise InputError(
            f"the UnrealCV server at {address} is {told}; allowed: {oldest} or newer; update the "
            "plugin."
        )
    missing = [command for command in COMMANDS if not versions.supports_command(command)]
    if missing:
        raise InputError(
            f"the UnrealCV server at {address} (version {versions.get_server_version()}) does not "
            f"know {missing[0]!r}: update the plugin."
        )
