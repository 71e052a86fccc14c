"""Spans of time against each other: joined, touching, cut."""

from __future__ import annotations

from collections.abc import Iterable

from collector.core.model import Window


def merged(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same time in as few spans as can be, sorted and apart."""
    found: list[Window] = []
    for window in sorted(windows):
        if found and window.start <= found[-1].end:
            last = found.pop()
            found.append(Window(last.start, max(last.end, window.end)))
        else:
            found.append(window)
    return tuple(found)


def touch(one: Window, other: Window) -> bool:
    """Whether they have time in common."""
    return one.start < other.end and other.start < one.end


def cut(window: Window, hole: Window) -> list[Window]:
    """What is left of a span without another."""
    if hole.end <= window.start or window.end <= hole.start:
        return [window]
    rest: list[Window] = []
    if window.start < hole.start:
        rest.append(Window(window.start, hole.start))
    if hole.end < window.end:
        rest.append(Window(hole.end, window.end))
    return rest
