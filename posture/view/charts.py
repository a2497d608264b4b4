"""Charts of a replay for a notebook: each draws into the axes given, or into a figure of its own.

The parts are drawn by :mod:`posture.view.axes`, as those of ``posture replay --plot`` are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from posture.api.result import ReplayResult
from posture.view.axes import (
    draw_all,
    draw_band,
    draw_deviations,
    draw_events,
    draw_ratio,
    import_matplotlib,
    set_time_axis,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ALL_IN: Final = (10.0, 6.0)
_ALONE_IN: Final = (10.0, 3.6)
_BAND_IN: Final = (10.0, 1.2)
"""Sizes of figures, inches: a notebook's width (our choice)."""


def plot_replay(result: ReplayResult, figure: Figure | None = None) -> Figure:
    """Draw deviations, slouch ratio and states below each other, on one time axis.

    Parameters
    ----------
    result : ReplayResult
        What :func:`posture.replay` found.
    figure : matplotlib.figure.Figure, optional
        Where to draw; the default is a new one, made by pyplot.

    Returns
    -------
    matplotlib.figure.Figure
        `figure`.

    Raises
    ------
    OutputError
        If Matplotlib is not installed.
    """
    if figure is None:
        import_matplotlib("a plot")
        from matplotlib import pyplot

        figure = pyplot.figure(figsize=_ALL_IN, layout="constrained")
    draw_all(figure, result.steps, result.thresholds, result.settings.judge.release_ratio, result.source)
    return figure


def plot_deviations(result: ReplayResult, ax: Axes | None = None) -> Axes:
    """Draw the neck and trunk deviations over time, with their thresholds and the alerts.

    Parameters
    ----------
    result : ReplayResult
        What :func:`posture.replay` found.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the default is a figure of its own, made by pyplot.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`: x is frame time in seconds, y degrees forward of upright. Frames that were not judged are gaps.

    Raises
    ------
    OutputError
        If Matplotlib is not installed.
    """
    ax = _new_axes(_ALONE_IN) if ax is None else ax
    draw_deviations(ax, result.steps, result.thresholds)
    draw_events(ax, result.events)
    set_time_axis(ax, result.steps)
    return ax


def plot_slouch_ratio(result: ReplayResult, ax: Axes | None = None) -> Axes:
    """Draw the quantity that is decided on over time: the largest deviation as a share of its threshold.

    Parameters
    ----------
    result : ReplayResult
        What :func:`posture.replay` found.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the default is a figure of its own, made by pyplot.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`: x is frame time in seconds, y the ratio, 1 = at the threshold.

    Raises
    ------
    OutputError
        If Matplotlib is not installed.
    """
    ax = _new_axes(_ALONE_IN) if ax is None else ax
    draw_ratio(ax, result.steps, result.settings.judge.release_ratio)
    draw_events(ax, result.events, has_words=False)
    set_time_axis(ax, result.steps)
    return ax


def plot_states(result: ReplayResult, ax: Axes | None = None) -> Axes:
    """Draw the states over time as a band, each with its colour, its hatch and, where there is room, its word.

    Parameters
    ----------
    result : ReplayResult
        What :func:`posture.replay` found.
    ax : matplotlib.axes.Axes, optional
        Where to draw; the default is a figure of its own, made by pyplot.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`: x is frame time in seconds; y means nothing.

    Raises
    ------
    OutputError
        If Matplotlib is not installed.
    """
    ax = _new_axes(_BAND_IN) if ax is None else ax
    draw_band(ax, result.steps)
    set_time_axis(ax, result.steps)
    return ax


def _new_axes(size_in: tuple[float, float]) -> Axes:
    """Return axes in a figure of their own, which a notebook shows."""
    import_matplotlib("a plot")
    from matplotlib import pyplot

    _, ax = pyplot.subplots(figsize=size_in, layout="constrained")
    return ax
