"""A window: opened, filled in its own size, asked for what is pressed. And what its process needs beside it.

SDL, through pygame, shows a picture with one copy of it and says in an error that there is no screen. When a screen
goes away, though, the library under it ends the process, and some systems want the main thread: so a window lives in a
child process whose main thread does nothing else.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np

from posture.capture import import_cv2
from posture.errors import WindowError
from posture.landmarks import UInt8Array
from posture.view.shared_memory import close_to_others

if TYPE_CHECKING:
    import pygame

FIRST_WIDTH_PX: Final = (640, 1280)
"""Of a new window: the picture's own, or a third of the screen's, within these (our choice)."""
MAX_WIDTH_PX: Final = 1920
"""Of what is drawn; a larger window enlarges that."""
_BLUE: Final = (86, 180, 233)  # Okabe and Ito's, as of being upright
_RIM: Final = (28, 28, 30)
_ICON_PX: Final = 64
_REPEAT_MS: Final = (400, 40)  # until a held key repeats, and between two times (our choice)
_BGR_MASKS: Final = (0xFF0000, 0xFF00, 0xFF)  # of red, green and blue in a pixel of four bytes
_FIRST_LETTER: Final = 4  # USB HID usage tables, keyboard page: 4 is the place of A, 30 that of 1
_LAST_ASCII, _FIRST_NAMED = 0x7F, 1 << 30  # SDL's codes: of characters, from here on of keys without one
_PLACES: Final = dict(enumerate("abcdefghijklmnopqrstuvwxyz1234567890", _FIRST_LETTER))

_ENVIRONMENT: Final = {
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
    "SDL_NO_SIGNAL_HANDLERS": "1",
    "SDL_VIDEO_ALLOW_SCREENSAVER": "1",  # a game keeps the screen awake; this must not
    "SDL_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR": "0",  # a game has the desktop's effects turned off
    "SDL_WINDOWS_DPI_AWARENESS": "permonitorv2",
    # Without it SDL falls back to drawing into nowhere. Its Wayland needs OpenGL, which costs six times as much.
    **({} if sys.platform in ("win32", "darwin") else {"SDL_VIDEODRIVER": "x11"}),
}
# It would ask for input methods and against the screen saver, and start a message bus for that where there is none.
_NO_BUS: Final = dict.fromkeys(("DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS"), "disabled:")
_BY_COPYING: Final = ("x11", "windows")  # where a picture can be shown without a graphics processor's driver
_ACCELERATION: Final = "SDL_FRAMEBUFFER_ACCELERATION"


Key: TypeAlias = str
"""What a pressed key types, or the name of one that types nothing, such as ``left`` or ``escape``."""


class Touch(NamedTuple):
    """Where the mouse is, with its left button down, in pixels of the window."""

    x: int
    y: int


Happening: TypeAlias = Key | Touch


def find_obstacle(environ: Mapping[str, str], platform: str) -> str:
    """Return why no window can be opened here, or nothing.

    Parameters
    ----------
    environ : mapping
        The process's environment.
    platform : str
        As `sys.platform`.
    """
    if platform in ("win32", "darwin") or environ.get("DISPLAY"):
        return ""
    if environ.get("WAYLAND_DISPLAY"):
        return "the window needs XWayland, and DISPLAY is not set"
    return "there is no screen here (DISPLAY is not set)"


def settle_in(*, is_quiet: bool) -> None:
    """Make the present process one that shows a window and nothing else.

    Parameters
    ----------
    is_quiet : bool
        Keep the libraries' words off the terminal.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process too
    _forbid_core_file()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2) if is_quiet else (1,):
        os.dup2(nowhere, descriptor)
    import_cv2().setNumThreads(1)  # a second one costs more than the few lines that are drawn


class Pane:
    """One window.

    Parameters
    ----------
    title : str
        What stands above it.
    group : str
        What desktops know the program's windows of this kind by.
    repeats_keys : bool
        Whether a key that is held down is told again and again.
    """

    def __init__(self, title: str, group: str, *, repeats_keys: bool = False) -> None:
        self.is_open = False
        """Whether there is a window; one that the user closes is found closed by :meth:`happenings`."""
        self._title, self._group, self._repeats_keys = title, group, repeats_keys
        self._shown_px = (0, 0, 0, 0)
        self._pygame: ModuleType
        self._window: pygame.Window

    def open(self, width: int, height: int) -> None:
        """Open the window: any size, at first the shape of this many pixels.

        Raises
        ------
        WindowError
            If there is no screen, SDL cannot use it, or there is no SDL.
        """
        self._pygame = pg = _import_pygame(self._group)
        try:
            self._window = self._make_window(width, height)
        except pg.error as error:
            screen = f"DISPLAY={os.environ['DISPLAY']}" if os.environ.get("DISPLAY") else "the screen"
            raise WindowError(f"no window can be opened on {screen} ({error})") from error
        pg.key.stop_text_input()  # or an input method, as for Chinese, would take the keys
        pg.key.set_repeat(*_REPEAT_MS if self._repeats_keys else ())
        pg.event.set_blocked(None)
        wanted = (pg.KEYDOWN, pg.MOUSEBUTTONDOWN, pg.MOUSEMOTION, pg.QUIT, pg.WINDOWCLOSE, pg.WINDOWEXPOSED)
        pg.event.set_allowed(wanted)
        self.is_open = True

    def size_px(self) -> tuple[int, int]:
        """Return the width and height inside the window."""
        width, height = self._window.get_surface().get_size()
        return width, height

    def show(self, page_bgr: UInt8Array) -> None:
        """Show a picture, (H, W, 3) uint8, as large as it fits, in the middle."""
        surface = self._window.get_surface()
        wide, high = surface.get_size()
        if (wide, high) != self._shown_px[:2]:  # new memory
            close_to_others()
        height, width = page_bgr.shape[:2]
        if width > wide or height > high or (width < wide - 1 and height < high - 1):
            scale = min(wide / width, high / height)
            width, height = max(1, round(width * scale)), max(1, round(height * scale))
            page_bgr = import_cv2().resize(page_bgr, (width, height))
        shown_px = (wide, high, width, height)
        if shown_px != self._shown_px:  # what is beside it may be of another shape
            surface.fill(0)
            self._shown_px = shown_px
        self._copy(page_bgr, surface, (wide - width) // 2, (high - height) // 2)
        self._window.flip()

    def happenings(self) -> Iterator[Happening]:
        """Yield what has happened since the last look, and look whether the window has been closed."""
        pg = self._pygame
        for event in pg.event.get():
            if event.type in (pg.QUIT, pg.WINDOWCLOSE):
                self.is_open = False
            elif event.type == pg.WINDOWEXPOSED:
                self._window.flip()  # what another window has hidden is still in memory
            elif event.type == pg.KEYDOWN:
                if not event.mod & (pg.KMOD_CTRL | pg.KMOD_ALT | pg.KMOD_GUI):
                    yield _read_key(event.unicode, event.key, event.scancode, pg.key.name(event.key))
            elif event.button == 1 if event.type == pg.MOUSEBUTTONDOWN else event.buttons[0]:
                scale = self.size_px()[0] / self._window.size[0]  # screens that count in points
                yield Touch(round(event.pos[0] * scale), round(event.pos[1] * scale))

    def _make_window(self, width: int, height: int) -> pygame.Window:
        """Return a window that shows pictures by copying them; where it cannot, by OpenGL, at six times the cost."""
        pg = self._pygame
        pg.display.init()
        is_ours = _ACCELERATION not in os.environ and pg.display.get_driver() in _BY_COPYING
        if is_ours:
            os.environ[_ACCELERATION] = "0"
        least, most = FIRST_WIDTH_PX
        first = min(max(width, least, pg.display.get_desktop_sizes()[0][0] // 3), most)
        size = first, max(1, round(first * height / width))
        window: pygame.Window = pg.Window(self._title, size, resizable=True, allow_high_dpi=True)
        window.set_icon(_draw_icon(pg))
        try:
            window.get_surface()
        except pg.error:
            if not is_ours:
                raise
            pg.display.quit()  # a screen of 30 bits; SDL looks once each time whether to copy
            os.environ[_ACCELERATION] = "1"
            return self._make_window(width, height)
        return window

    def _copy(self, page_bgr: UInt8Array, surface: pygame.Surface, left: int, top: int) -> None:
        """Copy a picture that fits into the window's memory."""
        height, width = page_bgr.shape[:2]
        if surface.get_bitsize() == 32 and surface.get_masks()[:3] == _BGR_MASKS:
            memory = np.asarray(surface.get_view("0"))
            pixels = memory.reshape(surface.get_height(), -1, 4)[top : top + height, left : left + width]
            cv2 = import_cv2()
            cv2.cvtColor(page_bgr, cv2.COLOR_BGR2BGRA, dst=pixels)  # a third of SDL's time
        else:  # a screen with other pixels, such as one of 16 bits
            page = np.ascontiguousarray(page_bgr)
            surface.blit(self._pygame.image.frombuffer(page, (width, height), "BGR"), (left, top))


def _import_pygame(group: str) -> ModuleType:
    """Return pygame, told to behave like a window of the desktop and not like a game.

    A variable that the user has set in the environment is left alone.

    Raises
    ------
    WindowError
        If it is not there, or another one is.
    """
    names = {"SDL_VIDEO_X11_WMCLASS": group, "SDL_VIDEO_WAYLAND_WMCLASS": group}
    os.environ.update(_NO_BUS)
    for key, value in (_ENVIRONMENT | names).items():
        os.environ.setdefault(key, value)
    try:
        import pygame

        pygame.Window  # noqa: B018 (the older pygame, which may lie in the same place, has none)
    except (ImportError, AttributeError) as error:
        raise WindowError("windows need pygame-ce alone: 'posture doctor' says what to install") from error
    return pygame


def _read_key(text: str, code: int, place: int, name: str) -> Key:
    """Return a key: by its place where another script is typed, so that nobody has to leave it for a letter.

    Parameters
    ----------
    text : str
        What it types, as far as SDL knows without an input method.
    code : int
        SDL's for it: a character's number, or one of a key without.
    place : int
        Where it is on the keyboard, as USB numbers the keys.
    name : str
        SDL's for it: ``left``, or ``[1]`` on the number pad.
    """
    if len(text) == 1 and " " <= text <= "~":
        return text
    if _LAST_ASCII < code < _FIRST_NAMED:
        return _PLACES.get(place, "")
    return name.strip("[]")


def _draw_icon(pg: ModuleType) -> pygame.Surface:
    """Return the program's icon: the disc that stands for being upright."""
    cv2, half = import_cv2(), _ICON_PX // 2
    icon = np.zeros((_ICON_PX, _ICON_PX, 4), np.uint8)
    for colour, radius in ((_RIM, half - 2), (_BLUE, half - 6)):
        cv2.circle(icon, (half, half), radius, (*colour, 255), -1, cv2.LINE_AA)
    surface: pygame.Surface = pg.image.frombytes(icon.tobytes(), (_ICON_PX, _ICON_PX), "RGBA")
    return surface


def _forbid_core_file() -> None:
    """Let no crash write this process's memory, and so a picture, to the disk."""
    if sys.platform != "win32":
        import resource

        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
