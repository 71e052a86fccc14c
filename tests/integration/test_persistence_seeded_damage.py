"""Two hundred seeded damages of a state file: the same state as before, or a ``StateError``.

Reliability matrix, row 8.  Never a raw error of SQLite, never another state without
a word: what is compared is all that decides what is collected and delivered.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from collector.core.checkpoint import started
from collector.core.ledger import COMPLETE, Account, Entry
from collector.core.model import Batch, Counts, Refusal, Window
from collector.core.policy import Usage
from collector.core.store import Commit, DeadLetter
from collector.core.times import HOUR
from collector.errors import StateError
from collector.persistence.database import FILE_NAME
from collector.persistence.letters import Filter
from collector.persistence.report import StateReport
from collector.persistence.sqlite import SqliteStore
from tests.fakes.stores import START, SqliteState

SOURCES = ("casb#alerts", "pod#message")
OUTPUTS = ("siem", "lake")
SLOT = START // HOUR
COMMITS = 12

Snapshot = dict[str, Any]


def commit(rng: random.Random, number: int) -> Commit:
    """One of many commits: a batch of some size, ids, an account, now and then a dead letter."""
    source = SOURCES[number % len(SOURCES)]
    letter = DeadLetter(source=source, tag="t", reason="r", raw=b"\xff", observed=START, hour=START)
    return Commit(
        source=source,
        checkpoint=started(START + number),
        observed=START + number,
        batches=[
            Batch(
                source=source,
                tag="t",
                lane="standard",
                mode="live",
                count=1,
                body=b'{"n":"%s"}\n' % rng.randbytes(rng.choice([50, 500, 40_000])).hex().encode(),
                first=START,
                last=START,
                outputs=OUTPUTS,
                hours=((SLOT, 1),),
            )
        ],
        digests={SLOT: [rng.randbytes(16)]},
        entries=[
            Entry(
                span=Window(START, START + HOUR),
                counts=Counts(received=2, spooled=1, dead_lettered=1),
                state=COMPLETE,
                digest=number,
            )
        ],
        dead_letters=[letter],
    )


def fill(store: SqliteStore, after_each: Callable[[], None] = lambda: None) -> None:
    """Commits, a confirmation with a refusal, and calls against a quota."""
    rng = random.Random(8)
    for number in range(COMMITS):
        store.commit(commit(rng, number))
        after_each()
    first, second, *_rest = store.spool.take("siem", "standard", 0, 1 << 24)
    refusal = Refusal(batch=first.id, index=0, raw=b"{}", reason="HTTP 400")
    store.spool.confirm("siem", "standard", [first.id, second.id], [refusal], "here")
    after_each()
    store.save_usage("casb", Usage(day=START, calls=7, not_before=START))
    after_each()


def snapshot(store: SqliteStore) -> Snapshot:
    """All that decides what is collected and delivered."""
    spool = store.spool
    found: Snapshot = {
        "usage": store.usage("casb"),
        "size": spool.size,
        "backlog": spool.backlog(),
        "letters": store.dead_letters(Filter(), 0, 1000),
        "letter totals": store.letter_totals(),
    }
    for source in SOURCES:
        found[f"checkpoint {source}"] = store.checkpoint(source)
        found[f"known {source}"] = sorted(store.known(source, SLOT))
        found[f"account {source}"] = store.account(source, Window(START, START + HOUR))
    for output in OUTPUTS:
        found[f"owed to {output}"] = spool.take(output, "standard", 0, 1 << 24)
        found[f"position of {output}"] = spool.position(output, "standard")
    return found | {each.id: store.dead_letter(each.id) for each in found["letters"]}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[SqliteState, Snapshot]:
    """A store that was used and closed, and what is in it."""
    state = SqliteState(tmp_path_factory.mktemp("sound") / "state")
    with closing(state.open()) as store:
        fill(store)
    with closing(state.open()) as store:
        return state, snapshot(store)


def copied(sound: SqliteState, to: Path) -> SqliteState:
    """The same state at another place."""
    shutil.copytree(sound.folder, to)
    return SqliteState(to)


def flip_bits(content: bytearray, rng: random.Random) -> None:
    """One bit, or some, anywhere."""
    for _ in range(rng.choice([1, 1, 8, 64])):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def flip_in_every_page(content: bytearray, rng: random.Random) -> None:
    """One bit in each page."""
    for page in range(0, len(content), 16 * 1024):
        content[page + rng.randrange(16 * 1024)] ^= 1 << rng.randrange(8)


def fill_with_zeros(content: bytearray, rng: random.Random) -> None:
    """A hole, of a few bytes or many pages."""
    length = rng.choice([4, 512, 4096, 16 * 1024, 64 * 1024])
    start = rng.randrange(max(len(content) - length, 1))
    content[start : start + length] = bytes(len(content[start : start + length]))


def cut(content: bytearray, rng: random.Random) -> None:
    """The end is missing."""
    del content[rng.randrange(len(content)) :]


def swap_pages(content: bytearray, rng: random.Random) -> None:
    """Two pages stand in each other's place."""
    size = 16 * 1024
    one, other = (size * number for number in rng.sample(range(1, len(content) // size), 2))
    content[one : one + size], content[other : other + size] = (
        content[other : other + size],
        content[one : one + size],
    )


def scribble(content: bytearray, rng: random.Random) -> None:
    """Something else was written there."""
    start = rng.randrange(len(content))
    content[start : start + 200] = rng.randbytes(len(content[start : start + 200]))


DAMAGES = [
    *[(flip_bits, seed) for seed in range(100)],
    *[(flip_in_every_page, seed) for seed in range(20)],
    *[(fill_with_zeros, seed) for seed in range(30)],
    *[(cut, seed) for seed in range(20)],
    *[(swap_pages, seed) for seed in range(10)],
    *[(scribble, seed) for seed in range(20)],
]


@pytest.mark.parametrize(
    ("damage", "seed"), DAMAGES, ids=[f"{damage.__name__}-{seed}" for damage, seed in DAMAGES]
)
def test_the_state_as_it_was_or_an_error(
    sound: tuple[SqliteState, Snapshot],
    tmp_path: Path,
    damage: Callable[[bytearray, random.Random], None],
    seed: int,
) -> None:
    """Whatever opens shows exactly what was written, and goes on."""
    original, before = sound
    state = copied(original, tmp_path / "state")
    content = bytearray(state.file.read_bytes())
    damage(content, random.Random(seed))
    state.file.write_bytes(content)
    try:
        with closing(state.open()) as store:
            assert snapshot(store) == before
            store.commit(commit(random.Random(0), 99))
            assert store.checkpoint(SOURCES[1]) == started(START + 99)
    except StateError as error:
        assert error.number == 205, error  # noqa: PT017 - it need not be raised


@pytest.mark.parametrize("seed", range(30))
def test_a_look_at_a_damaged_state(
    sound: tuple[SqliteState, Snapshot], tmp_path: Path, seed: int
) -> None:
    """``collector state show`` says the same as before, or that the state is damaged."""
    original, _before = sound
    state = copied(original, tmp_path / "state")
    expected = StateReport.read(state.folder)
    content = bytearray(state.file.read_bytes())
    rng = random.Random(seed)
    rng.choice([flip_bits, fill_with_zeros, scribble])(content, rng)
    state.file.write_bytes(content)
    try:
        found = StateReport.read(state.folder)
    except StateError as error:
        assert error.number == 205, error  # noqa: PT017 - as above
    else:
        assert found.services == expected.services


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_log_leads_back_to_an_earlier_commit(tmp_path: Path, seed: int) -> None:
    """A write-ahead log that is cut, flipped or lost gives a state that once was, as a whole.

    An earlier state is safe: what was collected since is collected again.
    """
    rng = random.Random(seed)
    state = SqliteState(tmp_path / "state")
    seen: list[Snapshot] = []
    with closing(state.open()) as store:
        fill(store, lambda: seen.append(snapshot(store)))
        left = copied(state, tmp_path / "left")
    log = left.folder / f"{FILE_NAME}-wal"
    content = bytearray(log.read_bytes())
    rng.choice([flip_bits, fill_with_zeros, cut, scribble])(content, rng)
    log.write_bytes(content)
    (left.folder / f"{FILE_NAME}-shm").unlink()
    if seed == 0:
        os.truncate(log, 0)
    try:
        with closing(left.open()) as store:
            found = snapshot(store)
    except StateError as error:
        assert error.number == 205, error  # noqa: PT017 - as above
    else:
        assert found in [*seen, EMPTY]


def test_a_state_that_was_set_back_gives_no_uid_twice(tmp_path: Path) -> None:
    """A destination that knows repeats by their uid must not take a new batch for one.

    The numbers of batches begin again where a restored backup left off.
    """
    state = SqliteState(tmp_path / "state")
    with closing(state.open()) as store:
        store.commit(commit(random.Random(1), 1))
    backup = copied(state, tmp_path / "backup")
    uids = []
    for place, number in ((state, 2), (backup, 3)):
        with closing(place.open()) as store:
            store.commit(commit(random.Random(number), number))
            uids.append([each.uid for each in store.spool.take("siem", "standard", 0, 1 << 24)])
    assert uids[0][0] == uids[1][0]
    assert uids[0][1] != uids[1][1]


EMPTY: Snapshot = {
    "usage": Usage(),
    "size": 0,
    "backlog": {},
    "letters": [],
    "letter totals": [],
    **{f"checkpoint {source}": None for source in SOURCES},
    **{f"known {source}": [] for source in SOURCES},
    **{f"account {source}": Account(span=Window(START, START + HOUR)) for source in SOURCES},
    **{f"owed to {output}": [] for output in OUTPUTS},
    **{f"position of {output}": None for output in OUTPUTS},
}
