"""However many sources and workers there are, each source has one owner, and none too many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector.core.workers import deaths, pause, share, spread

names = st.lists(st.integers(), unique=True, max_size=60)
many = st.integers(1, 64)


@st.composite
def units(draw: st.DrawFn) -> list[list[int]]:
    """Different sources, cut into units of one or more."""
    sources = draw(names)
    found: list[list[int]] = []
    for source in sources:
        together = draw(st.booleans())
        if found and together:
            found[-1].append(source)
        else:
            found.append([source])
    return found


@given(units(), many)
def test_each_source_has_one_owner(found: list[list[int]], workers: int) -> None:
    """Nothing is left out, nothing is owned twice, and no unit is torn apart."""
    spread_out = spread(found, workers)
    owned = [source for own in spread_out for source in own]
    assert sorted(owned) == sorted(source for unit in found for source in unit)
    for unit in found:
        assert any(set(unit) <= set(own) for own in spread_out)


@given(units(), many)
def test_the_load_is_even(found: list[list[int]], workers: int) -> None:
    """As many units each, but for one; nobody has none."""
    spread_out = spread([[tuple(unit)] for unit in found], workers)
    assert len(spread_out) == min(workers, len(found))
    sizes = {len(own) for own in spread_out}
    assert not sizes or (min(sizes) >= 1 and max(sizes) - min(sizes) <= 1)


@given(units(), many, st.integers())
def test_what_is_added_moves_nothing(found: list[list[int]], workers: int, new: int) -> None:
    """With all workers busy, a unit at the end joins one of them and moves no other."""
    if len(found) < workers:
        return
    before, after = spread(found, workers), spread([*found, [new]], workers)
    assert [own[: len(earlier)] for own, earlier in zip(after, before, strict=True)] == before


@given(st.integers(1, 10_000), st.lists(st.integers(1, 10), min_size=1, max_size=20))
def test_parts_never_exceed_a_budget(spare: int, owns: list[int]) -> None:
    """The parts add up to the budget at most, and each has one for each of its own at least."""
    everybody = sum(owns)
    budget = everybody + spare
    parts = [share(budget, own, everybody) for own in owns]
    assert sum(parts) <= budget
    assert all(part >= own for part, own in zip(parts, owns, strict=True))


@given(st.lists(st.floats(0, 200), min_size=1, max_size=40))
def test_restarts_are_never_a_tight_loop(lives: list[float]) -> None:
    """Whatever the lives, a pause is between half a second and a minute."""
    count = 0
    for lived in lives:
        count = deaths(count, lived)
        assert 0.5 <= pause(count) <= 60.0
