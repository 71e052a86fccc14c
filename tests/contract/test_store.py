"""What every state store promises to pullers, senders and the program.

One suite for all kinds of store: add a ``State`` to ``STATES`` to hold another to it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from collector.core.checkpoint import Checkpoint, Live, started
from collector.core.dedup import TIMELESS_SLOT
from collector.core.digests import unpack
from collector.core.ledger import COMPLETE, Entry
from collector.core.model import NO_TIME, Batch, Counts, Refusal, Window
from collector.core.policy import Usage
from collector.core.store import Commit, DeadLetter
from collector.core.times import HOUR, SECOND
from collector.errors import StateError
from tests.fakes.stores import START, FullStore, SqliteState, State

SOURCE = "casb#alerts"
SLOT = START // HOUR
STATES: dict[str, Callable[[Path], State]] = {"sqlite": SqliteState}


@pytest.fixture(params=STATES)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> State:
    """A place for the state, empty."""
    return STATES[request.param](tmp_path / "state")


@pytest.fixture
def store(state: State) -> Iterator[FullStore]:
    """An open store."""
    opened = state.open()
    yield opened
    opened.close()


def batch(text: str = "a", *outputs: str, lane: str = "standard", count: int = 1) -> Batch:
    """A batch of equal records, for ``siem`` unless outputs are named."""
    return Batch(
        source=SOURCE,
        tag="casb.proofpoint.alert",
        lane=lane,
        mode="live",
        count=count,
        body=f'{{"id":"{text}"}}\n'.encode() * count,
        first=START,
        last=START + SECOND,
        outputs=outputs or ("siem",),
    )


def commit(*batches: Batch, hours: int = 1, **changed: object) -> Commit:
    """A commit that moves the checkpoint by so many hours from the start."""
    whole = Commit(
        source=SOURCE,
        checkpoint=msgspec.structs.replace(started(START), since=START + hours * HOUR),
        observed=START,
        batches=batches,
    )
    return msgspec.structs.replace(whole, **changed)


def entry(received: int, spooled: int, state: str | None = None) -> Entry:
    """A ledger entry of the first hour."""
    counts = Counts(received=received, spooled=spooled)
    return Entry(span=Window(START, START + HOUR), counts=counts, state=state)


def digest(number: int) -> bytes:
    """A digest."""
    return number.to_bytes(16, "big")


def letter(reason: str = "no JSON") -> DeadLetter:
    """Bytes kept aside."""
    return DeadLetter(source=SOURCE, tag="t", reason=reason, raw=b"\xff{", observed=START)


def bodies(store: FullStore, output: str = "siem", lane: str = "standard") -> list[bytes]:
    """What an output is still owed."""
    return [each.body for each in store.spool.take(output, lane, 0, 1 << 20)]


def test_a_new_store_knows_nothing(store: FullStore) -> None:
    """No checkpoint, no digest, no call, nothing to deliver."""
    assert store.checkpoint(SOURCE) is None
    assert list(store.known(SOURCE, SLOT)) == []
    assert store.usage("casb") == Usage()
    assert (store.spool.size, store.spool.backlog()) == (0, {})
    assert store.spool.position("siem", "standard") is None


def test_a_checkpoint_comes_back_as_it_went_in(state: State) -> None:
    """Every field survives a restart."""
    checkpoint = Checkpoint(
        initial_start_time=START,
        since=START + HOUR,
        last_event_time=START + 7,
        last_ids=("a", "é", '"'),
        cursor="+/=",
        owed=(Window(START, START + HOUR),),
        live=Live(START + 5, clean=True, unbroken_since=START),
    )
    first = state.open()
    first.commit(commit(checkpoint=checkpoint))
    first.close()
    second = state.open()
    assert second.checkpoint(SOURCE) == checkpoint
    second.close()


def test_a_commit_is_one_whole(state: State, store: FullStore) -> None:
    """Batches, digests, bytes kept aside, account and checkpoint are all there after it."""
    store.commit(
        commit(
            batch("a"),
            batch("b"),
            digests={SLOT: [digest(1), digest(2)], SLOT + 1: [digest(3)]},
            entries=[entry(3, 3)],
            dead_letters=[letter()],
        )
    )
    assert bodies(store) == [b'{"id":"a"}\n', b'{"id":"b"}\n']
    assert unpack(store.known(SOURCE, SLOT)) == {digest(1), digest(2)}
    assert unpack(store.known(SOURCE, SLOT + 1)) == {digest(3)}
    assert state.rows("dead_letter") == [(SOURCE, None, "no JSON", b"\xff{")]
    assert state.rows("ledger") == [(SOURCE, START, "open", None, 3, 3, 0, 0, 0)]
    checkpoint = store.checkpoint(SOURCE)
    assert checkpoint is not None
    assert checkpoint.since == START + HOUR


def assert_only_the_first_hour(state: State, store: FullStore) -> None:
    """A first commit of one batch is there, and no trace of a second one."""
    checkpoint = store.checkpoint(SOURCE)
    assert checkpoint is not None
    assert checkpoint.since == START + HOUR
    assert bodies(store) == [b'{"id":"a"}\n']
    assert store.spool.size == len(b'{"id":"a"}\n')
    assert list(store.known(SOURCE, SLOT)) == []
    assert state.rows("dead_letter") == []
    assert state.rows("ledger") == []


SECOND_COMMIT = commit(
    batch("b"),
    hours=2,
    digests={SLOT: [digest(1)]},
    entries=[entry(1, 1)],
    dead_letters=[letter()],
)


@pytest.mark.parametrize("table", ["spool", "pending", "known", "dead_letter", "ledger"])
def test_a_commit_that_fails_anywhere_leaves_nothing(
    state: State, store: FullStore, table: str
) -> None:
    """Whichever part fails, none of the commit is there, in memory either."""
    store.commit(commit(batch("a")))
    state.break_writes_to(table)
    with pytest.raises(StateError):
        store.commit(SECOND_COMMIT)
    assert_only_the_first_hour(state, store)


def test_a_commit_that_fails_at_its_last_step_leaves_nothing(
    state: State, store: FullStore
) -> None:
    """The checkpoint is written last; when it cannot be, the rest is undone."""
    store.commit(commit(batch("a")))
    state.break_writes_to("checkpoint")
    with pytest.raises(StateError):
        store.commit(SECOND_COMMIT)
    assert_only_the_first_hour(state, store)


def test_an_account_that_does_not_add_up_is_refused(state: State, store: FullStore) -> None:
    """A page that received three and spooled two is a defect, never stored."""
    store.commit(commit(batch("a")))
    with pytest.raises(StateError, match=r"211"):
        store.commit(msgspec.structs.replace(SECOND_COMMIT, entries=[entry(3, 2)]))
    assert_only_the_first_hour(state, store)


def test_a_value_of_a_wrong_type_leaves_nothing(state: State, store: FullStore) -> None:
    """A defect of the caller raises its own error, and the transaction is undone."""
    store.commit(commit(batch("a")))
    with pytest.raises(TypeError):
        store.commit(msgspec.structs.replace(SECOND_COMMIT, digests={SLOT: ["text"]}))
    assert_only_the_first_hour(state, store)
    store.commit(commit(batch("c"), hours=3))
    assert len(bodies(store)) == 2


def test_the_account_adds_up_over_commits(state: State, store: FullStore) -> None:
    """Counts of one span are added, and its state is the last one said."""
    store.commit(commit(entries=[entry(3, 3)]))
    store.commit(commit(entries=[entry(4, 4)]))
    store.commit(commit(entries=[entry(0, 0, COMPLETE)]))
    store.commit(commit(entries=[entry(1, 1)]))
    assert state.rows("ledger") == [(SOURCE, START, "complete", None, 8, 8, 0, 0, 0)]


def test_batches_come_in_commit_order(store: FullStore) -> None:
    """Ids grow, and ``after`` asks for what follows."""
    store.commit(commit(batch("a"), batch("b")))
    store.commit(commit(batch("c")))
    taken = store.spool.take("siem", "standard", 0, 1 << 20)
    assert [each.body for each in taken] == [b'{"id":"a"}\n', b'{"id":"b"}\n', b'{"id":"c"}\n']
    assert [each.id for each in taken] == sorted(each.id for each in taken)
    assert store.spool.take("siem", "standard", taken[1].id, 1 << 20) == taken[2:]


def test_a_batch_comes_out_as_it_went_in(store: FullStore) -> None:
    """Every field of a batch reaches the sender."""
    sent = batch("a", count=3)
    store.commit(commit(sent))
    (taken,) = store.spool.take("siem", "standard", 0, 1)
    for field in ("source", "tag", "lane", "mode", "count", "body", "first", "last"):
        assert getattr(taken, field) == getattr(sent, field), field


def test_a_take_is_bounded_but_never_empty_handed(store: FullStore) -> None:
    """As many batches as fit, and at least one, whatever its size."""
    size = len(batch("a").body)
    store.commit(commit(*(batch(letter) for letter in "abcd")))
    assert len(store.spool.take("siem", "standard", 0, 2 * size)) == 2
    assert len(store.spool.take("siem", "standard", 0, 1)) == 1


def test_taking_confirms_nothing(store: FullStore) -> None:
    """What was taken is taken again until it is confirmed."""
    store.commit(commit(batch("a")))
    assert bodies(store) == bodies(store) == [b'{"id":"a"}\n']


def test_uids_are_the_same_at_every_try_and_after_a_restart(state: State) -> None:
    """A destination may drop repeats by the uid."""
    first = state.open()
    first.commit(commit(batch("a"), batch("b")))
    before = [each.uid for each in first.spool.take("siem", "standard", 0, 1 << 20)]
    first.close()
    second = state.open()
    after = [each.uid for each in second.spool.take("siem", "standard", 0, 1 << 20)]
    second.close()
    assert before == after
    assert len(set(before)) == 2


def test_uids_of_two_stores_differ(tmp_path: Path) -> None:
    """Two collectors that share a destination do not drop each other's records."""
    uids = set()
    for name in ("one", "two"):
        store = SqliteState(tmp_path / name).open()
        store.commit(commit(batch("a")))
        uids.add(store.spool.take("siem", "standard", 0, 1)[0].uid)
        store.close()
    assert len(uids) == 2


def test_an_id_is_never_used_again(store: FullStore) -> None:
    """Not even when the spool was empty in between: the uid would name another batch."""
    store.commit(commit(batch("a")))
    (first,) = store.spool.take("siem", "standard", 0, 1)
    store.spool.confirm("siem", "standard", [first.id], [], None)
    store.commit(commit(batch("b")))
    (second,) = store.spool.take("siem", "standard", 0, 1)
    assert second.id > first.id


def test_one_output_down_holds_nothing_back_from_another(store: FullStore) -> None:
    """Each output has its own account of what it is owed."""
    store.commit(commit(batch("a", "siem", "archive"), batch("b", "siem", "archive")))
    ids = [each.id for each in store.spool.take("archive", "standard", 0, 1 << 20)]
    store.spool.confirm("archive", "standard", ids, [], None)
    assert bodies(store, "archive") == []
    assert bodies(store, "siem") == [b'{"id":"a"}\n', b'{"id":"b"}\n']
    assert store.spool.backlog() == {("siem", "standard"): 2}


def test_lanes_are_apart(store: FullStore) -> None:
    """The internal lane is neither owed to nor confirmed by the standard one."""
    store.commit(commit(batch("a")))
    store.announce(batch("m", lane="internal", count=2))
    (standard,) = store.spool.take("siem", "standard", 0, 1 << 20)
    (internal,) = store.spool.take("siem", "internal", 0, 1 << 20)
    store.spool.confirm("siem", "standard", [standard.id, internal.id], [], "here")
    assert store.spool.backlog() == {("siem", "internal"): 2}
    assert store.spool.position("siem", "internal") is None
    assert store.spool.position("siem", "standard") == "here"


def test_space_is_counted_until_the_last_output_confirmed(store: FullStore) -> None:
    """The size is that of the records which still wait for any output."""
    store.commit(commit(batch("a", "siem", "archive"), batch("bb", "siem")))
    a, b = (len(batch(text).body) for text in ("a", "bb"))
    assert store.spool.size == a + b
    first, second = (each.id for each in store.spool.take("siem", "standard", 0, 1 << 20))
    store.spool.confirm("siem", "standard", [first, second], [], None)
    assert store.spool.size == a
    store.spool.confirm("archive", "standard", [first], [], None)
    assert store.spool.size == 0


def test_the_size_survives_a_restart(state: State) -> None:
    """It is counted anew from what is stored."""
    first = state.open()
    first.commit(commit(batch("a"), batch("b")))
    size = first.spool.size
    first.close()
    second = state.open()
    assert second.spool.size == size > 0
    second.close()


def test_a_batch_for_nobody_is_not_kept(store: FullStore) -> None:
    """Without outputs there is nothing to wait for."""
    store.commit(commit(msgspec.structs.replace(batch("a"), outputs=())))
    assert (store.spool.size, store.spool.backlog()) == (0, {})


def test_confirming_twice_changes_nothing(store: FullStore) -> None:
    """Neither does confirming what was never there."""
    store.commit(commit(batch("a", "siem", "archive")))
    (taken,) = store.spool.take("siem", "standard", 0, 1)
    size = store.spool.size
    for _ in range(2):
        store.spool.confirm("siem", "standard", [taken.id, taken.id + 1000], [], None)
    assert store.spool.size == size
    assert bodies(store, "archive") == [taken.body]


def test_refused_records_are_kept_aside(state: State, store: FullStore) -> None:
    """With the output that refused them, in the transaction that confirms the rest."""
    store.commit(commit(batch("a", count=2)))
    (taken,) = store.spool.take("siem", "standard", 0, 1)
    refusal = Refusal(batch=taken.id, index=1, raw=b'{"id":"a"}', reason="HTTP 400")
    store.spool.confirm("siem", "standard", [taken.id], [refusal], "here")
    assert state.rows("dead_letter") == [(SOURCE, "siem", "HTTP 400", b'{"id":"a"}')]
    assert bodies(store) == []


def test_a_confirmation_that_fails_changes_nothing(state: State, store: FullStore) -> None:
    """Batch, position and size stay as they were: the batch is sent again."""
    store.commit(commit(batch("a")))
    (taken,) = store.spool.take("siem", "standard", 0, 1)
    state.break_writes_to("position")
    with pytest.raises(StateError):
        store.spool.confirm("siem", "standard", [taken.id], [], "here")
    assert bodies(store) == [taken.body]
    assert store.spool.position("siem", "standard") is None
    assert store.spool.size == len(taken.body)


def test_positions_survive_and_stay_when_none_is_given(state: State) -> None:
    """Each output and lane has one; a confirmation without one leaves it."""
    first = state.open()
    first.spool.confirm("siem", "standard", [], [], "one")
    first.spool.confirm("archive", "standard", [], [], "two")
    first.spool.confirm("siem", "standard", [], [], None)
    first.close()
    second = state.open()
    assert second.spool.position("siem", "standard") == "one"
    assert second.spool.position("archive", "standard") == "two"
    assert second.spool.position("siem", "internal") is None
    second.close()


def test_a_wait_ends_when_something_is_owed(store: FullStore) -> None:
    """A commit wakes the sender; the long time-out would show if it did not."""
    woken = threading.Event()

    def sender() -> None:
        store.spool.wait("siem", "standard", 0, 60.0)
        woken.set()

    thread = threading.Thread(target=sender)
    thread.start()
    store.commit(commit(batch("x", "archive")))
    assert not woken.is_set()
    store.commit(commit(batch("a")))
    thread.join(30)
    assert woken.is_set()


def test_a_wait_does_not_begin_when_something_is_owed(store: FullStore) -> None:
    """What was committed before the wait counts."""
    store.commit(commit(batch("a")))
    store.spool.wait("siem", "standard", 0, 60.0)


def test_a_wait_ends_by_itself(store: FullStore) -> None:
    """After its seconds, with nothing owed."""
    store.spool.wait("siem", "standard", 0, 0.01)
    assert bodies(store) == []


def test_a_reset_forgets_the_source_and_no_other(state: State, store: FullStore) -> None:
    """State, known ids and account of one service go; what waits for delivery stays."""
    other = "casb#events"
    for source in (SOURCE, other):
        store.commit(
            commit(batch("a"), source=source, digests={SLOT: [digest(1)]}, entries=[entry(1, 1)])
        )
    store.reset(SOURCE, started(START + 5 * HOUR), START, "asked for")
    assert store.checkpoint(SOURCE) == started(START + 5 * HOUR)
    assert list(store.known(SOURCE, SLOT)) == []
    assert unpack(store.known(other, SLOT)) == {digest(1)}
    assert [row[0] for row in state.rows("ledger")] == [other]
    assert state.rows("history") == [(SOURCE, "asked for")]
    assert len(bodies(store)) == 2


def test_a_reset_leaves_a_damaged_letter_as_it_is(state: SqliteState, store: FullStore) -> None:
    """It does not fail for it, nor seal it anew: the damage still shows when it is read."""
    store.commit(commit(dead_letters=[letter("a"), letter("b")]))
    state.run("UPDATE dead_letter SET hour = 7, raw = x'00' WHERE reason = 'a'")
    store.reset(SOURCE, started(START), START, "asked for")
    assert state.run("SELECT hour FROM dead_letter ORDER BY id") == [(7,), (NO_TIME,)]


def test_a_reset_that_fails_changes_nothing(state: State, store: FullStore) -> None:
    """It is one transaction."""
    store.commit(commit(digests={SLOT: [digest(1)]}))
    before = store.checkpoint(SOURCE)
    state.break_writes_to("history")
    with pytest.raises(StateError):
        store.reset(SOURCE, started(START + 5 * HOUR), START, "asked for")
    assert store.checkpoint(SOURCE) == before
    assert unpack(store.known(SOURCE, SLOT)) == {digest(1)}


def test_a_correction_keeps_known_ids_and_account(state: State, store: FullStore) -> None:
    """Only the checkpoint is replaced."""
    store.commit(commit(digests={SLOT: [digest(1)]}, entries=[entry(1, 1)]))
    store.correct(SOURCE, started(START), START)
    assert store.checkpoint(SOURCE) == started(START)
    assert unpack(store.known(SOURCE, SLOT)) == {digest(1)}
    assert len(state.rows("ledger")) == 1


def test_digests_are_forgotten_only_when_old_in_both_ways(store: FullStore) -> None:
    """Committed long ago and before the slots that may be read again; other sources stay."""
    for slot, observed in ((1, 100), (2, 300), (9, 100)):
        store.commit(commit(digests={slot: [digest(slot + observed)]}, observed=observed))
    store.commit(commit(digests={1: [digest(7)]}, observed=100, source="pod#audit"))
    store.forget(SOURCE, 200, 5)
    assert list(store.known(SOURCE, 1)) == []
    assert unpack(store.known(SOURCE, 2)) == {digest(302)}
    assert unpack(store.known(SOURCE, 9)) == {digest(109)}
    assert unpack(store.known("pod#audit", 1)) == {digest(7)}


def test_an_hour_is_forgotten_as_a_whole(store: FullStore) -> None:
    """Not before its newest ids are old enough: of half an hour the rest would look new."""
    for observed in (100, 300):
        store.commit(commit(digests={1: [digest(observed)]}, observed=observed))
    store.forget(SOURCE, 200, 5)
    assert unpack(store.known(SOURCE, 1)) == {digest(100), digest(300)}
    store.forget(SOURCE, 301, 5)
    assert list(store.known(SOURCE, 1)) == []


@pytest.mark.parametrize("slot", [TIMELESS_SLOT, 0])
def test_times_that_never_were_do_not_fill_the_store(store: FullStore, slot: int) -> None:
    """Events without a time, or of 1970, may come for ever: their ids go one commit at a time."""
    for observed in (START, START + 60 * HOUR):
        store.commit(commit(digests={slot: [digest(observed)]}, observed=observed))
    store.forget(SOURCE, START + 12 * HOUR, SLOT + 50)
    assert unpack(store.known(SOURCE, slot)) == {digest(START + 60 * HOUR)}


@pytest.mark.parametrize("slot", [TIMELESS_SLOT, 0])
def test_times_that_never_were_are_known_as_long_as_their_hour(store: FullStore, slot: int) -> None:
    """Of an hour that is to be read again, an event without a time may come again, too."""
    for observed in (START - HOUR, START + HOUR // 2):
        store.commit(commit(digests={slot: [digest(observed)]}, observed=observed))
    store.forget(SOURCE, START + 100 * HOUR, START // HOUR)
    assert unpack(store.known(SOURCE, slot)) == {digest(START + HOUR // 2)}


def test_digests_are_counted_by_slot(store: FullStore) -> None:
    """Over all commits of a source, in the slots of the span that hold any."""
    for number in (1, 2):
        new = {slot: [digest(number), digest(number + 10)] for slot in (4, 6, 9)}
        store.commit(commit(digests=new))
    store.commit(commit(digests={4: [digest(7)]}, source="pod#audit"))
    assert store.known_counts(SOURCE, 4, 8) == {4: 4, 6: 4}
    assert store.known_counts(SOURCE, TIMELESS_SLOT, TIMELESS_SLOT) == {}


def test_who_waits_is_woken(store: FullStore) -> None:
    """When the program stops, a sender returns at once; it need not find anything."""
    done = threading.Event()

    def waits() -> None:
        store.spool.wait("siem", "standard", 0, 3600.0)
        done.set()

    waiting = threading.Thread(target=waits, daemon=True)
    waiting.start()
    store.spool.wake()
    assert done.wait(10)
    waiting.join()


def test_usage_survives_a_restart(state: State) -> None:
    """The day's calls are not given twice."""
    first = state.open()
    first.save_usage("casb", Usage(day=START, calls=7, not_before=START + 3))
    first.save_usage("casb", Usage(day=START, calls=8, not_before=START + 4))
    first.close()
    second = state.open()
    assert second.usage("casb") == Usage(day=START, calls=8, not_before=START + 4)
    assert second.usage("another") == Usage()
    second.close()


def test_space_is_given_back(store: FullStore) -> None:
    """Housekeeping on a store that was large changes nothing that counts."""
    store.commit(commit(*(batch("x" * 50_000) for _ in range(20)), batch("a", "archive")))
    ids = [each.id for each in store.spool.take("siem", "standard", 0, 1 << 24)]
    store.spool.confirm("siem", "standard", ids, [], None)
    store.give_back_space()
    assert bodies(store, "archive") == [b'{"id":"a"}\n']


def test_only_one_owner(state: State, store: FullStore) -> None:
    """A second collector is refused and told what to do; the first goes on."""
    with pytest.raises(StateError, match=r"201.*another collector"):
        state.open()
    store.commit(commit(batch("a")))
    assert bodies(store) == [b'{"id":"a"}\n']


WRITES: dict[str, Callable[[FullStore], object]] = {
    "commit": lambda store: store.commit(commit(batch("z"), hours=9)),
    "announce": lambda store: store.announce(batch("z")),
    "reset": lambda store: store.reset(SOURCE, started(START), START, "late"),
    "correct": lambda store: store.correct(SOURCE, started(START), START),
    "forget": lambda store: store.forget(SOURCE, 1 << 60, 1 << 40),
    "save_usage": lambda store: store.save_usage("casb", Usage(calls=99)),
    "confirm": lambda store: store.spool.confirm("siem", "standard", [1], [], "stale"),
}


@pytest.mark.parametrize("write", WRITES)
def test_an_owner_that_was_replaced_changes_nothing(
    state: State, store: FullStore, write: str
) -> None:
    """Whatever became of the lock: no write under an old epoch ever succeeds.

    A stale position would make the new owner cut off what it delivered.
    """
    store.commit(commit(batch("a"), digests={SLOT: [digest(1)]}))
    successor = state.usurp()
    try:
        successor.spool.confirm("siem", "standard", [], [], "new")
        successor.save_usage("casb", Usage(calls=5))
        before = successor.checkpoint(SOURCE)
        with pytest.raises(StateError, match=r"212.*taken over"):
            WRITES[write](store)
        assert successor.checkpoint(SOURCE) == before
        assert bodies(successor) == [b'{"id":"a"}\n']
        assert unpack(successor.known(SOURCE, SLOT)) == {digest(1)}
        assert successor.usage("casb") == Usage(calls=5)
        assert successor.spool.position("siem", "standard") == "new"
        successor.commit(commit(batch("b")))
    finally:
        successor.close()


def test_counts_stay_exact_under_threads(store: FullStore) -> None:
    """Pullers commit while senders take and confirm: nothing is lost, doubled or miscounted."""
    outputs, rounds = ("siem", "archive"), 25
    got: dict[str, list[bytes]] = {output: [] for output in outputs}
    errors: list[BaseException] = []

    def puller(name: str) -> None:
        for number in range(rounds):
            store.commit(commit(batch(f"{name}{number}", *outputs), source=f"s#{name}"))

    def sender(output: str) -> None:
        while len(got[output]) < 3 * rounds:
            for taken in store.spool.take(output, "standard", 0, 256):
                store.spool.confirm(output, "standard", [taken.id], [], str(taken.id))
                got[output].append(taken.body)
            store.spool.wait(output, "standard", 0, 0.05)

    def owned(work: Callable[[str], None], name: str) -> None:
        try:
            work(name)
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            errors.append(error)

    threads = [threading.Thread(target=owned, args=(puller, name)) for name in "xyz"]
    threads += [threading.Thread(target=owned, args=(sender, output)) for output in outputs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    expected = sorted(f'{{"id":"{n}{i}"}}\n'.encode() for n in "xyz" for i in range(rounds))
    assert [sorted(got[output]) for output in outputs] == [expected, expected]
    assert (store.spool.size, store.spool.backlog()) == (0, {})
