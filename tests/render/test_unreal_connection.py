"""The real client over TCP: what goes wrong ends, soon, and in one clear line."""

import contextlib
import logging
import socket
import threading

import pytest

from tests.render.unreal_server import COMMANDS, UnrealServer, frame, require_client
from vasgen.errors import InputError, MissingDependencyError
from vasgen.render.unreal.connection import Connection
from vasgen.render.unreal.probe import VARIABLE, Endpoint, UnreachableError, endpoint, probe

require_client()

QUICK = {"timeout_s": 0.5, "waits_s": (0.01, 0.05, 0.1, 0.3)}


def connection(address, **more):
    return Connection(endpoint(address), **{**QUICK, **more})


def asking(address, command="vget /objects", **more):
    """The reply to one command on a connection that is closed again."""
    with contextlib.closing(connection(address, **more)) as line:
        return line.through(lambda: line.ask(command))


@contextlib.contextmanager
def listener(greeting, *, hang_up=False):
    """Some other program that listens."""
    server = socket.create_server(("127.0.0.1", 0))

    def talk():
        kept = []
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                client.sendall(greeting)
                if hang_up:
                    client.close()
                else:
                    kept.append(client)
        for client in kept:
            client.close()

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield "{}:{}".format(*server.getsockname())
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_a_question_and_its_answer():
    with UnrealServer() as server:
        assert asking(server.address, "vget /unrealcv/version") == "1.1.0"
    assert server.asked[0] == "vget /unrealcv/commands"


def test_nothing_is_printed(capfd):
    with UnrealServer() as server:
        server.faults.drops["vget /objects"] = 1
        asking(server.address)
    assert capfd.readouterr() == ("", "")


def test_nothing_outside_of_the_connection_is_changed(monkeypatch):
    import unrealcv

    def refuse(_):
        raise AssertionError("all sockets of the process would have this timeout")

    monkeypatch.setattr(socket, "setdefaulttimeout", refuse)
    logger = logging.getLogger("unrealcv")
    before = logger.level, vars(unrealcv).get("print"), unrealcv.Client.receive
    with UnrealServer() as server:
        asking(server.address)
    assert before == (logger.level, vars(unrealcv).get("print"), unrealcv.Client.receive)


def test_unrealcvs_own_client_understands_the_server_of_the_tests():
    import unrealcv

    with UnrealServer() as server:
        client = unrealcv.Client(tuple(endpoint(server.address)))
        try:
            assert client.connect()
            assert client.request("vget /unrealcv/version") == "1.1.0"
            assert client.request_batch(["vget /objects", "vget /cameras"]) == [
                "Sun",
                "FusionCameraActor_0",
            ]
        finally:
            client.disconnect()


def test_many_questions_keep_their_order():
    with UnrealServer() as server, contextlib.closing(connection(server.address)) as line:
        commands = [f"vget /object/{i:03d}/color" for i in range(450)]
        server.faults.replies.update({c: str(i).encode() for i, c in enumerate(commands)})
        assert line.through(lambda: line.ask_all(commands)) == [str(i) for i in range(450)]


def test_nobody_there():
    port = free_port()
    with pytest.raises(InputError, match=f"no Unreal at 127.0.0.1:{port}: Connection refused"):
        asking(f"127.0.0.1:{port}")


def test_a_web_server():
    with (
        listener(b"HTTP/1.1 400 Bad Request\r\n\r\n") as address,
        pytest.raises(InputError, match=r"is no UnrealCV server: it begins with b'HTTP"),
    ):
        asking(address)


def test_a_silent_server():
    with (
        listener(b"") as address,
        pytest.raises(InputError, match=r"no UnrealCV server greets at .* within 0\.5 s"),
    ):
        asking(address)


def test_half_a_greeting():
    with (
        listener(frame(b"connected to game")[:10]) as address,
        pytest.raises(InputError, match="no UnrealCV server greets"),
    ):
        asking(address)


def test_another_greeting():
    with (
        listener(frame(b"welcome to my game")) as address,
        pytest.raises(InputError, match="does not greet as UnrealCV does"),
    ):
        asking(address)


def test_a_server_that_greets_and_is_silent():
    with (
        listener(frame(b"connected to game")) as address,
        pytest.raises(InputError, match=r"greets, but answers nothing within 0\.5 s"),
    ):
        asking(address)


def test_a_server_that_hangs_up():
    with listener(b"", hang_up=True) as address, pytest.raises(InputError, match="hangs up at on"):
        asking(address)


def test_a_server_that_has_a_client_already():
    with UnrealServer() as server, contextlib.closing(connection(server.address)) as first:
        first.through(lambda: first.ask("vget /objects"))
        with pytest.raises(InputError, match="UnrealCV serves one client at a time"):
            asking(server.address)


@pytest.mark.parametrize(
    ("version", "commands", "told"),
    [
        ("0.4.0", COMMANDS, r"is 0\.4\.0; allowed: 1\.1\.0 or newer"),
        ("1.0.9", COMMANDS, r"is 1\.0\.9; allowed: 1\.1\.0 or newer"),
        ("1.1.0", "error unknown command", r"is older than 1\.1\.0; allowed: 1\.1\.0 or newer"),
        (
            "1.1.0",
            COMMANDS.replace("vset /cameras/spawn\n", ""),
            r"\(version 1\.1\.0\) does not know 'vset /cameras/spawn': update",
        ),
    ],
)
def test_old_servers(version, commands, told):
    with (
        UnrealServer(version=version, commands=commands) as server,
        pytest.raises(InputError, match=told),
    ):
        asking(server.address)


@pytest.mark.parametrize("version", ["1.1.0", "2.0.1", "error no version"])
def test_new_servers(version):
    with UnrealServer(version=version) as server:
        assert asking(server.address) == "Sun"


def test_an_error_is_told():
    with (
        UnrealServer() as server,
        pytest.raises(InputError, match=r"answers 'vget /camera/7/lit png' by 'error list index"),
    ):
        asking(server.address, "vget /camera/7/lit png")


def test_no_answer_in_time():
    with UnrealServer() as server:
        server.faults.silent = ("vget /objects",)
        with pytest.raises(InputError, match=r"does not answer 'vget /objects' within 0\.5 s"):
            asking(server.address)
    assert server.asked.count("vget /objects") == 1  # waiting again would not help


def test_a_dropped_connection_is_made_again():
    with UnrealServer() as server, contextlib.closing(connection(server.address)) as line:
        server.faults.drops["vget /objects"] = 3
        assert line.through(lambda: line.ask("vget /objects")) == "Sun"
        assert line.opened == 4


def test_a_server_that_drops_every_time():
    with UnrealServer() as server:
        server.faults.drops["vget /objects"] = 99
        with pytest.raises(InputError, match=r"lost the connection .* at 'vget /objects'"):
            asking(server.address)
    assert server.asked.count("vget /objects") == 1 + len(QUICK["waits_s"])


def test_a_server_that_starts_again_on_the_same_port():
    port = free_port()
    with contextlib.closing(connection(f"127.0.0.1:{port}", waits_s=(0.05,) * 40)) as line:
        with UnrealServer(port=port):
            line.through(lambda: line.ask("vget /objects"))
        later = UnrealServer(port=port)
        starting = threading.Timer(0.3, later.__enter__)
        starting.start()
        try:
            assert line.through(lambda: line.ask("vget /objects")) == "Sun"
        finally:
            starting.join()
            line.close()
            later.__exit__()


@pytest.mark.parametrize("number", [b"no number", b"99:", b"-1:"])
def test_replies_that_are_no_replies(number):
    server = UnrealServer()
    server.reply = lambda request, body: number + body
    with (
        server,
        pytest.raises(InputError, match=r"breaks off after greeting \("),
    ):
        asking(server.address)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("gpu1:9001", ("gpu1", 9001)),
        ("9001", ("127.0.0.1", 9001)),
        (":9001", ("127.0.0.1", 9001)),
        ("gpu1", ("gpu1", 9000)),
    ],
)
def test_addresses(text, address):
    assert endpoint(text) == Endpoint(*address)


@pytest.mark.parametrize(
    "text", ["gpu1:", "gpu1:x", "gpu1:0", "gpu1:70000", "a:b:c", "a..b:9000", 64 * "a"]
)
def test_no_addresses(text):
    with pytest.raises(InputError, match=f"Unreal's address is '{text}'; allowed: HOST:PORT"):
        endpoint(text)


def test_the_environment_names_the_address(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert str(endpoint()) == "127.0.0.1:9000"
    monkeypatch.setenv(VARIABLE, "gpu1:9002")
    assert str(endpoint()) == "gpu1:9002"
    assert str(endpoint("gpu2:1")) == "gpu2:1"


def test_an_unknown_host():
    with pytest.raises(UnreachableError, match=r"no Unreal at nowhere\.invalid:9000: "):
        probe(endpoint("nowhere.invalid"), 1.0)


def test_the_probe_knows_an_unrealcv_server():
    with UnrealServer() as server:
        probe(endpoint(server.address), 1.0)


def test_a_client_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "unrealcv", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'vasgen\[unreal\]'"):
        asking("127.0.0.1:9")
