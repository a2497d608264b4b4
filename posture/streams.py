"""Network cameras: opening an address within a bounded time, and telling why it failed.

Connects to the address the user named and to nothing else.
"""

from __future__ import annotations

import base64
import http.client
import socket
import time
from urllib.parse import SplitResult, unquote, urlsplit

from posture.capture import Capture, import_cv2
from posture.encoded import JpegCapture
from posture.errors import SourceError
from posture.redaction import mask_url

TIMEOUT_S = 3.0  # opening, and each read: FFmpeg would wait 30 s
_DIAGNOSIS_S = 1.0  # a host that let the opening time out gets little more
_PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}


def check_url(url: str) -> SplitResult:
    """Return the parts of a stream's address.

    Raises
    ------
    SourceError
        If it is not one of http, https, rtsp or rtsps, or names no host.
    """
    try:
        parts = urlsplit(url)
        is_valid = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        raise SourceError(f"{mask_url(url)}: not a valid address, expected one like http://host:8080/video")
    if parts.scheme.lower() not in _PORTS:
        raise SourceError(
            f"{mask_url(url)}: cannot read {parts.scheme}:// addresses, only {', '.join(_PORTS)}"
        )
    return parts


def open_stream(url: str, *, timeout_s: float = TIMEOUT_S) -> Capture:
    """Return the stream at `url`, opened; its reads fail after `timeout_s` without data.

    Raises
    ------
    SourceError
        If it cannot be reached, is no video stream, or is a recorded clip.
    """
    check_url(url)
    cv2 = import_cv2()
    timeout_ms = round(timeout_s * 1000)
    options = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, timeout_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, timeout_ms]
    start_s = time.monotonic()
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, options)
    if not capture.isOpened():
        capture.release()
        is_late = time.monotonic() - start_s >= 0.9 * timeout_s
        raise SourceError(f"{mask_url(url)}: {_diagnose(url, timeout_s, is_late=is_late)}")
    n_frames = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    if 1 < n_frames < 1e9:  # a live stream has a negative or no count
        capture.release()
        raise SourceError(
            f"{mask_url(url)}: is a recorded clip, not a live stream; download it and give the file"
        )
    is_jpeg = int(capture.get(cv2.CAP_PROP_FOURCC)) == cv2.VideoWriter.fourcc(*"MJPG")
    if is_jpeg and capture.set(cv2.CAP_PROP_FORMAT, -1):  # packets as they come
        return JpegCapture(capture)
    return capture  # type: ignore[no-any-return]


def _diagnose(url: str, timeout_s: float, *, is_late: bool) -> str:
    """Return why `url` did not open, from a plain connection to its host."""
    parts = check_url(url)
    scheme = parts.scheme.lower()
    host, port = parts.hostname or "", parts.port or _PORTS[scheme]
    silence = f"no picture within {timeout_s:g} s; is the camera on, and the address right?"
    try:
        socket.create_connection((host, port), _DIAGNOSIS_S if is_late else timeout_s).close()
        if is_late:
            return silence
        if scheme in ("http", "https"):
            return _answer(parts, host, port, timeout_s)
    except socket.gaierror:
        return f"host {host} is unknown; check the spelling and the network"
    except ConnectionRefusedError:
        return (
            f"connection refused by {host} port {port}; is the camera's server running, and the port right?"
        )
    except TimeoutError:
        return silence
    except (OSError, http.client.HTTPException) as error:
        return f"cannot be reached: {getattr(error, 'strerror', None) or str(error) or type(error).__name__}"
    return "the server answers, but gives no video stream; check path, user and password"


def _answer(parts: SplitResult, host: str, port: int, wait_s: float) -> str:
    """Return what an HTTP server says to a request for the stream."""
    is_secure = parts.scheme.lower() == "https"
    kind = http.client.HTTPSConnection if is_secure else http.client.HTTPConnection
    connection = kind(host, port, timeout=wait_s)
    headers = {}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    try:
        connection.request(
            "GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), headers=headers
        )
        response = connection.getresponse()
        what = response.headers.get_content_type()
        response.close()
    finally:
        connection.close()
    if response.status == http.client.UNAUTHORIZED:
        return "the server wants a user and password: http://user:password@host/path"
    if response.status >= http.client.BAD_REQUEST:
        return f"the server answers {response.status} {response.reason}; check the path of the address"
    if what.startswith(("multipart/", "video/", "image/")):
        return "the server ends the stream without a picture that can be read"
    return f"the server answers, but not with a video stream ({what}); check the path of the address"
