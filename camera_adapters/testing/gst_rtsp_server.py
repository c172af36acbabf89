# mypy: disable-error-code="import-not-found,import-untyped,no-untyped-call"
"""A small RTSP server that plays video files in a loop. Run by the system's python3 (needs gi).

    python3 gst_rtsp_server.py '{"mounts": {"/cam": "/clips/a.mp4"}}'

Binds 127.0.0.1 on a free port, prints that port on one line, and serves until its standard input
closes, so that it can never outlive whoever started it. With ``user`` and ``password`` every mount
wants basic authentication. A file is anything that holds H.264 or H.265 and starts with a key frame;
nothing is encoded here, so that the server costs next to nothing.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Sequence
from fractions import Fraction

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtspServer  # noqa: E402 - versions come first

_READ = "filesrc name=file ! parsebin ! {parse} ! {caps} ! appsink name=out sync=false"
_PLAY = (
    "( appsrc name=pictures format=time block=false caps={caps} ! {parse} ! {pay} name=pay0 pt=96 )"
)
_KINDS = {
    "H264": ("h264parse", "video/x-h264,stream-format=byte-stream,alignment=au", "rtph264pay"),
    "H265": ("h265parse", "video/x-h265,stream-format=byte-stream,alignment=au", "rtph265pay"),
}


def _pictures(file: str, parse: str, caps: str) -> tuple[list[bytes], Fraction]:
    """The file's encoded pictures in decoding order, and how many of them make a second."""
    pipeline = Gst.parse_launch(_READ.format(parse=parse, caps=caps))
    pipeline.get_by_name("file").set_property("location", file)
    out = pipeline.get_by_name("out")
    pipeline.set_state(Gst.State.PLAYING)
    pictures: list[bytes] = []
    fps = Fraction(25)
    while (sample := out.try_pull_sample(10 * Gst.SECOND)) is not None:
        buffer = sample.get_buffer()
        pictures.append(buffer.extract_dup(0, buffer.get_size()))
        found, numerator, denominator = sample.get_caps().get_structure(0).get_fraction("framerate")
        if found and numerator:
            fps = Fraction(numerator, denominator)
    pipeline.set_state(Gst.State.NULL)
    if not pictures:
        raise SystemExit(f"{file}: no pictures found, expected H.264 or H.265")
    return pictures, fps


class _Loop:
    """Feeds one medium's source element: the pictures over and over, one picture's time apart."""

    def __init__(self, pictures: Sequence[bytes], fps: Fraction) -> None:
        self._pictures = pictures
        self._each_ns = int(Gst.SECOND / fps)
        self._next = 0

    def feed(self, source: GstApp.AppSrc, _wanted_bytes: int) -> None:
        buffer = Gst.Buffer.new_wrapped(self._pictures[self._next % len(self._pictures)])
        buffer.pts = buffer.dts = self._next * self._each_ns
        buffer.duration = self._each_ns
        self._next += 1
        source.emit("push-buffer", buffer)


def _factory(file: str, codec: str) -> GstRtspServer.RTSPMediaFactory:
    """One medium, shared by all who watch it, as a camera's picture is."""
    parse, caps, pay = _KINDS[codec]
    pictures, fps = _pictures(file, parse, caps)
    factory = GstRtspServer.RTSPMediaFactory()
    timed = f"{caps},framerate={fps.numerator}/{fps.denominator}"
    factory.set_launch(_PLAY.format(parse=parse, caps=timed, pay=f"{pay} config-interval=-1"))
    factory.set_shared(True)

    def configure(_factory: GstRtspServer.RTSPMediaFactory, media: GstRtspServer.RTSPMedia) -> None:
        source = media.get_element().get_by_name("pictures")
        source.connect("need-data", _Loop(pictures, fps).feed)

    factory.connect("media-configure", configure)
    return factory


def _require(
    server: GstRtspServer.RTSPServer,
    factory: GstRtspServer.RTSPMediaFactory,
    user: str,
    password: str,
) -> None:
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(permissions)


def main() -> None:
    """Serve what the first argument asks for."""
    wanted = json.loads(sys.argv[1])
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    for path, file in wanted["mounts"].items():
        factory = _factory(file, wanted.get("codec", "H264"))
        if wanted.get("user"):
            _require(server, factory, wanted["user"], wanted["password"])
        server.get_mount_points().add_factory(path, factory)
    server.attach(None)
    loop = GLib.MainLoop()

    def stop_with_starter() -> None:
        sys.stdin.read()
        loop.quit()

    threading.Thread(target=stop_with_starter, daemon=True).start()
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    loop.run()


if __name__ == "__main__":
    main()
