"""The tray's icons, drawn at the very sizes they are shown in.

Each state has a shape of its own in its colour. A dark rim sets it off from a light panel; on a dark one the colour
does that by itself.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPainterPathStroker, QPen, QPixmap, QPolygonF

from posture.tray.view import COLOURS, Icon

SIZES_PX: Final = (16, 18, 20, 22, 24, 26, 28, 32, 36, 40, 44, 48, 56, 64, 96, 128)
"""What panels ask for, with up to twice the resolution; in between the next larger one is scaled."""
RIM: Final = "#1c1c1e"
"""Colour of the rim, and of what is drawn upon a shape."""
_GRID: Final = 16.0  # the shapes' own units to a side


@cache
def make_icon(icon: Icon) -> QIcon:
    """Return the icon in every size; needs a QGuiApplication."""
    made = QIcon()
    for size_px in SIZES_PX:
        pixmap = _draw(icon, size_px)
        made.addPixmap(pixmap)
        made.addPixmap(pixmap, QIcon.Mode.Disabled)  # the menu's first line keeps its colour
    return made


def _draw(icon: Icon, size_px: int) -> QPixmap:
    """Return the icon in one size."""
    pixmap = QPixmap(size_px, size_px)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    unit_px = size_px / _GRID
    painter.scale(unit_px, unit_px)
    shape, mark = _SHAPES[icon]()
    rim_px = max(1.0, round(unit_px))  # whole pixels, or small icons look blurred
    rim = QPen(QColor(RIM), 2.0 * rim_px / unit_px)
    rim.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(rim)
    painter.drawPath(shape)
    painter.fillPath(shape, QColor(COLOURS[icon]))
    painter.fillPath(mark, QColor(RIM))
    painter.end()
    return pixmap


def _disc() -> tuple[QPainterPath, QPainterPath]:
    """Return what being upright is shown by."""
    path = QPainterPath()
    path.addEllipse(QRectF(2, 2, 12, 12))
    return path, QPainterPath()


def _triangle(*, is_full: bool) -> tuple[QPainterPath, QPainterPath]:
    """Return what a slouch is shown by: hollow while it is young, full and marked when it has lasted."""
    path, mark = QPainterPath(), QPainterPath()
    path.addPolygon(QPolygonF([QPointF(8, 1.5), QPointF(15, 14), QPointF(1, 14)]))
    path.closeSubpath()
    if is_full:
        mark.addRoundedRect(QRectF(7, 5, 2, 4.6), 0.8, 0.8)
        mark.addEllipse(QRectF(6.9, 10.6, 2.2, 2.2))
        return path, mark
    inner = QPainterPath()
    inner.addPolygon(QPolygonF([QPointF(8, 5.9), QPointF(11.4, 12), QPointF(4.6, 12)]))
    inner.closeSubpath()
    return path.subtracted(inner), mark


def _ring() -> tuple[QPainterPath, QPainterPath]:
    """Return what is shown while nobody is before the camera."""
    path = QPainterPath()  # what is covered twice is a hole
    path.addEllipse(QRectF(2, 2, 12, 12))
    path.addEllipse(QRectF(4.75, 4.75, 6.5, 6.5))
    return path, QPainterPath()


def _cross() -> tuple[QPainterPath, QPainterPath]:
    """Return what is shown while no monitor runs."""
    lines = [_stroke([(3.5, 3.5), (12.5, 12.5)], 2.8), _stroke([(3.5, 12.5), (12.5, 3.5)], 2.8)]
    return lines[0].united(lines[1]), QPainterPath()


def _plate() -> QPainterPath:
    """Return the ground for a mark."""
    path = QPainterPath()
    path.addRoundedRect(QRectF(2, 2, 12, 12), 3, 3)
    return path


def _question() -> tuple[QPainterPath, QPainterPath]:
    """Return what is shown while nothing can be judged: a question mark."""
    bow = QPainterPath()
    bow.moveTo(5.4, 6.4)
    bow.arcTo(QRectF(5.4, 3.9, 5.2, 4.6), 180, -225)
    bow.quadTo(8, 8.7, 8, 9.9)
    mark = _stroker(1.7).createStroke(bow)
    mark.setFillRule(Qt.FillRule.WindingFill)
    mark.addEllipse(QRectF(6.95, 11.0, 2.1, 2.1))
    return _plate(), mark


def _dots() -> tuple[QPainterPath, QPainterPath]:
    """Return what is shown while the monitor gives no answer: three dots."""
    mark = QPainterPath()
    for x in (3.3, 6.9, 10.5):
        mark.addEllipse(QRectF(x, 6.9, 2.2, 2.2))
    return _plate(), mark


def _bars() -> tuple[QPainterPath, QPainterPath]:
    """Return what a rest is shown by."""
    path = QPainterPath()
    path.addRoundedRect(QRectF(2, 2, 4, 12), 1, 1)
    path.addRoundedRect(QRectF(10, 2, 4, 12), 1, 1)
    return path, QPainterPath()


def _stroker(width: float) -> QPainterPathStroker:
    """Return what turns a line into a shape."""
    stroker = QPainterPathStroker()
    stroker.setWidth(width)
    stroker.setCapStyle(Qt.PenCapStyle.RoundCap)
    stroker.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return stroker


def _stroke(points: list[tuple[float, float]], width: float) -> QPainterPath:
    """Return a thick line through `points`."""
    line = QPainterPath(QPointF(*points[0]))
    for x, y in points[1:]:
        line.lineTo(x, y)
    return _stroker(width).createStroke(line)


_SHAPES: Final = {
    Icon.UPRIGHT: _disc,
    Icon.SLOUCHING: lambda: _triangle(is_full=False),
    Icon.ALERT: lambda: _triangle(is_full=True),
    Icon.AWAY: _ring,
    Icon.UNKNOWN: _question,
    Icon.RESTING: _bars,
    Icon.TROUBLE: _dots,
    Icon.OFF: _cross,
}
