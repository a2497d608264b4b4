"""A webcam stand-in: numbered pictures as MJPEG over HTTP on loopback, with faults on demand.

    with MjpegServer(fault="stall", after=10) as server:
        open_source(server.url)
        server.fault = ""            # healthy again for the next connection

Every picture carries its number as 16 black or white blocks, which survive JPEG: `read_number`.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Literal

import cv2
import numpy as np

Fault = Literal["", "close", "reset", "stall", "garbage", "truncated", "404", "401", "html", "slow", "mute"]
WIDTH_PX, HEIGHT_PX = 320, 240
N_BITS, BLOCK_PX = 16, 16


def numbered_picture(number: int, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX) -> np.ndarray:
    """Return a (H, W, 3) BGR picture that carries `number`: a grey ramp over a row of bits, lowest first."""
    ramp = np.linspace(60, 200, width_px, dtype=np.uint8)
    picture = np.repeat(np.tile(ramp, (height_px, 1))[..., None], 3, axis=2)
    for bit in range(N_BITS):
        left = bit * BLOCK_PX
        picture[:BLOCK_PX, left : left + BLOCK_PX] = 255 * (number >> bit & 1)
    return picture


def read_number(image: np.ndarray) -> int:
    """Return the number that `numbered_picture` put into a picture, RGB or BGR."""
    middle = BLOCK_PX // 2
    return sum(
        int(image[middle - 2 : middle + 2, bit * BLOCK_PX + middle].mean() > 127) << bit
        for bit in range(N_BITS)
    )


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        camera: MjpegServer = self.server.camera  # type: ignore[attr-defined]
        fault, after = camera.fault, camera.after
        with camera.changed:
            camera.n_connections += 1
            camera.last_authorization = self.headers.get("Authorization")
            camera.changed.notify_all()
        if fault in ("404", "401"):
            self.send_error(int(fault))
            return
        if fault == "mute" or (fault == "slow" and camera.stopped.wait(after)):
            camera.stopped.wait()
            return
        self.send_response(200)
        if fault == "html":
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<html>hello</html>" * 100)
            return
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        with contextlib.suppress(OSError):  # the reader has gone
            self._stream(camera, fault, after)

    def _stream(self, camera: MjpegServer, fault: str, after: float) -> None:
        n_sent = 0
        while not camera.stopped.is_set():
            data = cv2.imencode(".jpg", numbered_picture(camera.number()))[1].tobytes()
            if n_sent >= after:
                if fault == "stall":
                    camera.stopped.wait()
                    return
                if fault == "close":
                    return
                if fault == "reset":
                    linger = b"\1\0\0\0\0\0\0\0"
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    self.connection.close()
                    return
                if fault == "garbage":
                    data = bytes(len(data))
                if fault == "truncated":
                    data = data[: len(data) // 2]
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            self._send(camera, head.encode() + data + b"\r\n")
            n_sent += 1
            camera.stopped.wait(1.0 / camera.rate_hz)

    def _send(self, camera: MjpegServer, data: bytes) -> None:
        """Send a picture, or as much of it as comes through while the line is slow."""
        at = 0
        while at < len(data) and not camera.stopped.is_set():
            n = camera.trickle_bytes or len(data)
            self.wfile.write(data[at : at + n])
            self.wfile.flush()
            at += n
            if camera.trickle_bytes:
                camera.stopped.wait(0.1)


class _Server(ThreadingTCPServer):  # HTTPServer would look up the host's name, which can take seconds
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Readers come and go: not an error."""


class MjpegServer:
    """Serves pictures at `rate_hz` until closed; `fault` sets in `after` pictures (or seconds for slow)."""

    def __init__(self, fault: Fault = "", *, after: float = 0, rate_hz: float = 30.0, port: int = 0) -> None:
        self.fault: Fault = fault
        self.after = after
        self.rate_hz = rate_hz
        self.trickle_bytes = 0
        """Bytes sent every tenth of a second, also of a picture on its way; 0 = all at once."""
        self.changed = threading.Condition()
        self.n_connections = 0
        self.last_authorization: str | None = None
        self._start_s = time.monotonic()
        self.port = port
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/video"

    def number(self) -> int:
        """Return the number a picture sent now carries: ticks of the frame rate since the start."""
        return int((time.monotonic() - self._start_s) * self.rate_hz) % (1 << N_BITS)

    def start(self) -> None:
        """Listen, on the port of last time if there was one."""
        self.stopped = threading.Event()
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.camera = self  # type: ignore[attr-defined]
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and end every connection."""
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait_for_connections(self, n: int, timeout_s: float = 15.0) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.n_connections >= n, timeout_s), self.n_connections

    def __enter__(self) -> MjpegServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
