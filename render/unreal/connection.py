"""A connection to the UnrealCV server inside a running Unreal, through UnrealCV's own client.

The client waits for ever for a greeting, reads on in a thread that dies of a lost connection,
and prints. Here each wait has an end, and each failure is one clear line.
"""

from __future__ import annotations

import logging
import socket
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from vasgen.errors import InputError, MissingDependencyError
from vasgen.render.unreal.probe import Endpoint, UnreachableError, probe

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

#: A greeting comes at once from a game that runs.
GREETING_S = 10.0

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
        started = time.monotonic()
        try:
            replies: list[Any] = self._client.request_batch(list(commands))
        except (OSError, AssertionError) as error:
            self.close()
            if time.monotonic() - started < 0.9 * self._timeout_s:
                raise UnreachableError(
                    f"lost the connection to UnrealCV at {self.address} at {commands[0]!r}; is "
                    "Unreal still running?"
                ) from error
            raise InputError(
                f"UnrealCV at {self.address} does not answer {commands[0]!r} within "
                f"{self._timeout_s:g} s: is the game paused, or still loading?"
            ) from error
        return replies

    def _open(self) -> None:
        client, greeting_s = _new_client(self.address), min(GREETING_S, self._timeout_s)
        try:
            with _limited(greeting_s), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of an old server; that is refused below
                client.connect()
            if not client.isconnected():
                probe(self.address, greeting_s)  # says why
                raise UnreachableError(
                    f"UnrealCV at {self.address} greets, but answers nothing within "
                    f"{greeting_s:g} s: is the game paused, or still loading?"
                )
            client.sock.settimeout(self._timeout_s)
            _check_version(client, self.address, self._timeout_s)
        except BaseException:
            client.disconnect()
            raise
        self._client = client
        self._opened += 1


def is_refusal(reply: object) -> bool:
    """Whether a reply says that a command could not be obeyed."""
    return reply is None or (isinstance(reply, str) and reply.lower().startswith("error"))


def _new_client(address: Endpoint) -> Any:
    """UnrealCV's client: silent, and with a reading thread that reports why it ends."""
    try:
        import unrealcv
    except ImportError as error:
        raise MissingDependencyError(
            f"the Unreal backend needs UnrealCV's client ({error}): pip install 'vasgen[unreal]'."
        ) from error
    logging.getLogger("unrealcv").setLevel(logging.CRITICAL + 1)
    vars(unrealcv)["print"] = _silent

    client: Any = unrealcv.Client(tuple(address))
    client.RECONNECT_ATTEMPTS = 0  # it would read the dead socket again, for a minute
    read = client.receive_loop_queue

    def read_and_report() -> None:
        try:
            read()
        except Exception as error:
            client.recv_data_q.put(error)

    client.receive_loop_queue = read_and_report
    return client


def _silent(*_: object) -> None:
    """What the client prints is for its developers."""


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Sockets made meanwhile wait no longer: the client makes its own, without an end."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _check_version(client: Any, address: Endpoint, timeout_s: float) -> None:
    from unrealcv import ApiVersionManager

    versions = ApiVersionManager(client.request)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        versions.load(timeout=2 * timeout_s)  # the socket's own end comes first
    if not client.isconnected():
        raise UnreachableError(f"UnrealCV at {address} broke off after greeting.")
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
