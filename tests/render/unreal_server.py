"""A server that speaks UnrealCV's protocol and shows a scene bundle as Unreal would.

It shares no code with ``render/unreal``: axes are turned by scipy, and pictures come from the
layers of the built-in renderer. What it says of itself follows UnrealCV's client 1.3.2.
"""

from __future__ import annotations

import io
import socket
import struct
import threading
from dataclasses import dataclass, field

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.render import Renderer, to_display
from vasgen.render_spec import RenderSpec
from vasgen.semantics import BUILDING, SemanticClass

HEADER = struct.Struct("<II")
MAGIC = 0x9E2B83C1

COMMANDS = """vget /unrealcv/commands
vget /unrealcv/version
vget /cameras
vset /cameras/spawn
vset /camera/[uint]/location [float] [float] [float]
vset /camera/[uint]/rotation [float] [float] [float]
vset /camera/[uint]/fov [float]
vset /camera/[uint]/size [uint] [uint]
vget /camera/[uint]/lit [str]
vget /camera/[uint]/depth [str]
vget /camera/[uint]/normal [str]
vget /camera/[uint]/object_mask [str]
vget /objects
vget /object/[str]/color
vset /object/[str]/rotation [float] [float] [float]"""


def require_client():
    """Skip the tests where UnrealCV's client cannot be loaded."""
    pytest.importorskip(
        "unrealcv",
        exc_type=ImportError,
        reason="UnrealCV's client, or a system library that its OpenCV needs, is missing",
    )


def frame(payload):
    """A message of UnrealCV: magic number, length, payload."""
    return HEADER.pack(MAGIC, len(payload)) + payload


@dataclass
class Eye:
    """An Unreal camera: centimetres, and pitch, yaw, roll in degrees."""

    location: tuple = (0.0, 0.0, 0.0)
    rotation: tuple = (0.0, 0.0, 0.0)
    fov: float = 90.0
    size: tuple = (640, 480)

    def camera(self):
        """The same camera in our world."""
        pitch, yaw, roll = self.rotation
        turn = Rotation.from_euler("ZYX", [yaw, -pitch, -roll], degrees=True).as_matrix()
        forward, right, up = (turn * [[1], [-1], [1]]).T
        width, height = self.size
        focal = width / 2 / np.tan(np.radians(self.fov) / 2)
        pose = np.eye(4)
        pose[:3] = np.column_stack(
            [right, -up, forward, np.multiply(self.location, (0.01, -0.01, 0.01))]
        )
        k = [[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]
        return Camera(width, height, k, pose)


@dataclass
class Faults:
    """What goes wrong, by the beginning of a command.

    Attributes:
        replies: answers instead of the right ones.
        drops: how often the connection is cut instead of an answer.
        silent: commands that get no answer.
    """

    replies: dict = field(default_factory=dict)
    drops: dict = field(default_factory=dict)
    silent: tuple = ()


class UnrealServer:
    """Serves a scene on a free port, to one client at a time; a context manager.

    Args:
        bundle: what the level shows.
        sun: whether the level has a light named "Sun".
        version: of the server.
        commands: that it says it knows.
        greeting: first bytes on the wire.
        port: to listen on; any free one by default.
    """

    def __init__(
        self,
        bundle=None,
        *,
        sun=True,
        version="1.1.0",
        commands=COMMANDS,
        greeting=None,
        port=0,
    ):
        self.faults = Faults()
        self.asked = []
        self.eyes = [Eye()]
        self.sun = (-40.0, 0.0, 0.0)
        self.greeting = frame(b"connected to test") if greeting is None else greeting
        self.version, self.commands = version, commands
        self.renderer = Renderer(bundle, RenderSpec(samples_per_pixel=4)) if bundle else None
        self.names = _names(bundle) if bundle else {}
        self._colours = _colours(sorted(set(self.names.values())))
        self._objects = [*self._colours, *(["Sun"] if sun else [])]
        self._shown = (None, None)
        self.reply = lambda number, body: number + b":" + body
        self._listener = socket.create_server(("127.0.0.1", port))
        self._client = None
        self._busy = threading.Lock()
        self._threads = []

    @property
    def address(self):
        """HOST:PORT."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def __enter__(self):
        self._spawn(self._accept)
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(10)

    def hang_up(self):
        """Cut the connection."""
        if self._client is not None:
            try:
                self._client.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def restart(self):
        """Forget the cameras that were spawned, as a game does that starts again."""
        self.eyes = [Eye()]
        self.hang_up()

    def _spawn(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._busy.acquire(timeout=0.2):
                self._client = client
                self._spawn(self._serve, client)
            else:
                client.close()

    def _serve(self, client):
        try:
            with client:
                client.sendall(self.greeting)
                while (request := _receive(client)) is not None:
                    number, _, command = request.partition(b":")
                    reply = self._answer(command.decode())
                    if reply is None:
                        return
                    if reply is not NotImplemented:
                        client.sendall(frame(self.reply(number, reply)))
        except OSError:
            return
        finally:
            self._busy.release()

    def _answer(self, command):
        """The reply; None to cut the connection, NotImplemented to say nothing."""
        self.asked.append(command)
        for begin, left in self.faults.drops.items():
            if command.startswith(begin) and left:
                self.faults.drops[begin] -= 1
                return None
        if command.startswith(self.faults.silent or ("nothing",)):
            return NotImplemented
        for begin, reply in self.faults.replies.items():
            if command.startswith(begin):
                return reply
        try:
            reply = self._obey(command)
        except (KeyError, IndexError, ValueError) as error:
            reply = f"error {error}"
        return reply if isinstance(reply, bytes) else reply.encode()

    def _obey(self, command):
        verb, path, *values = command.split()
        match verb, *path.strip("/").split("/"):
            case "vget", "unrealcv", "commands":
                return self.commands
            case "vget", "unrealcv", "version":
                return self.version
            case "vget", "cameras":
                return " ".join(f"FusionCameraActor_{i}" for i in range(len(self.eyes)))
            case "vset", "cameras", "spawn":
                self.eyes.append(Eye())
                return f"FusionCameraActor_{len(self.eyes) - 1}"
            case "vset", "camera", number, what:
                return self._move(self.eyes[int(number)], what, values)
            case "vget", "camera", number, what:
                return self._look(self.eyes[int(number)].camera(), what)
            case "vget", "objects":
                return " ".join(self._objects)
            case "vget", "object", name, "color":
                red, green, blue = self._colours[name]
                return f"(R={red},G={green},B={blue},A=255)"
            case "vset", "object", "Sun", "rotation":
                self.sun = tuple(map(float, values))
                return "ok"
        return f"error cannot find a handler for {command!r}"

    def _move(self, eye, what, values):
        kind = int if what == "size" else float
        numbers = tuple(map(kind, values))
        setattr(eye, what, numbers[0] if what == "fov" else numbers)
        return "ok"

    def _look(self, camera, what):
        layers = self._layers(camera)
        if what == "lit":
            return _png(to_display(self.renderer.layers(camera, self.light()).rgb, self.light()))
        if what == "depth":
            file = io.BytesIO()
            with np.errstate(over="ignore"):
                np.save(file, np.where(layers.valid, layers.depth * 100, 1e9).astype(np.float16))
            return file.getvalue()
        if what == "normal":
            facing = np.nan_to_num(layers.normal) * [1, -1, 1]
            return _png(np.rint((facing + 1) / 2 * 255).astype(np.uint8))
        mask = np.zeros((*layers.valid.shape, 3), np.uint8)
        for instance, name in self.names.items():
            mask[layers.valid & (layers.instance == instance)] = self._colours[name]
        return _png(mask)

    def _layers(self, camera):
        key = self.renderer, camera.camera_to_world.tobytes(), camera.intrinsics.tobytes()
        if self._shown[0] != key:
            self._shown = (key, self.renderer.layers(camera, rgb=False))
        return self._shown[1]

    def light(self):
        """Conditions in which the level's sun shines along its X axis."""
        pitch, yaw, roll = self.sun
        turn = Rotation.from_euler("ZYX", [yaw, -pitch, -roll], degrees=True)
        east, south, up = -turn.apply([1, 0, 0])
        azimuth = np.degrees(np.arctan2(east, -south)) % 360
        return Conditions(float(np.degrees(np.arcsin(up))), float(azimuth))


def _receive(client):
    """The next request, or None when the client has gone."""
    with client.makefile("rb", buffering=0) as stream:
        head = b""
        while len(head) < HEADER.size:
            piece = stream.read(HEADER.size - len(head))
            if not piece:
                return None
            head += piece
        magic, length = HEADER.unpack(head)
        assert magic == MAGIC
        body = b""
        while len(body) < length:
            body += stream.read(length - len(body))
        return body


def _png(picture):
    """As UnrealCV sends it: with an opaque alpha channel."""
    alpha = np.full((*picture.shape[:2], 1), 255, np.uint8)
    file = io.BytesIO()
    Image.fromarray(np.concatenate([picture, alpha], axis=2)).save(file, format="PNG")
    return file.getvalue()


def _names(bundle):
    """Name of each object id, as the USD export gives them.

    A building is a mesh of its own; the props of a kind are one instancer, the ground a mesh
    for each class.
    """
    table = bundle.face_table
    names = {}
    for instance in np.unique(table.instance).tolist():
        classes = set(table.semantic[table.instance == instance].tolist())
        if instance and classes & set(map(int, BUILDING)):
            names[instance] = f"building_{instance:05d}"
        else:
            names[instance] = SemanticClass(min(classes)).name.lower()
    return names


def _colours(names):
    """A distinct colour for each object, at least four steps apart."""
    return {
        name: (8 * (i // 900 % 30 + 1), 8 * (i // 30 % 30 + 1), 8 * (i % 30 + 1))
        for i, name in enumerate(names)
    }
