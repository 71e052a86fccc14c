"""Before the first pull: read the state, bring it up to date, and start anew when asked to.

The steps and their log lines are those of Devo's reference page; changing
``initial_start_time_in_utc`` is how its users reset a service.
"""

from __future__ import annotations

from deepdiff import DeepDiff

from collector.core import checkpoint as rules
from collector.core import phrases, state, times
from collector.core.checkpoint import Checkpoint
from collector.core.log import Log
from collector.core.model import Micros
from collector.core.times import DAY
from collector.persistence.sqlite import SqliteStore

DEFAULT_LOOKBACK: Micros = 7 * DAY


def pre_pull(
    store: SqliteStore,
    source: str,
    component: str,
    initial_start_time: Micros | None,
    now: Micros,
    log: Log,
    *,
    dated: bool = True,
) -> Checkpoint:
    """The checkpoint to pull from.

    ``initial_start_time`` is the configured one, or None for the default, seven
    days before the first start.  What has no times of its own (``dated`` False) is
    corrected when its stream begins (``pullers/gaps.py``), not here.  Raises
    ``StateError`` when the stored state cannot be used.
    """
    log.info(phrases.pre_pull_started(component))
    log.info(phrases.reading_persistence())
    stored = store.stored_state(source)
    log.info(phrases.persistence_read(stored))
    log.info(phrases.running_upgrades())
    checkpoint = store.checkpoint(source)
    log.info(phrases.running_corrections())
    wanted = _wanted(checkpoint, initial_start_time, now, log, dated=dated)
    if stored is None or wanted != checkpoint:
        _update(store, source, stored, wanted, now, log)
    log.info(phrases.pre_pull_finished(component))
    return wanted


def _wanted(
    checkpoint: Checkpoint | None,
    initial_start_time: Micros | None,
    now: Micros,
    log: Log,
    *,
    dated: bool,
) -> Checkpoint:
    if checkpoint is None:
        start = now - DEFAULT_LOOKBACK if initial_start_time is None else initial_start_time
        return rules.started(start)
    if initial_start_time is not None and initial_start_time != checkpoint.initial_start_time:
        anew = rules.started(initial_start_time)
        before, after = checkpoint.initial_start_time, initial_start_time
        changes = DeepDiff(times.isoformat(before), times.isoformat(after)).to_dict()
        log.info(phrases.initial_start_changed(changes, state.to_state(anew)))
        return anew
    return state.corrected(checkpoint, now) if dated else checkpoint


def _update(
    store: SqliteStore,
    source: str,
    stored: state.State | None,
    wanted: Checkpoint,
    now: Micros,
    log: Log,
) -> None:
    log.warning(phrases.persistence_changed(stored, state.to_state(wanted)))
    log.info(phrases.updating_persistence())
    if stored is not None and stored["initial_start_time_in_utc"] == times.isoformat(
        wanted.initial_start_time
    ):
        store.correct(source, wanted, now)
    else:
        reason = "first start" if stored is None else "initial_start_time_in_utc was changed"
        store.reset(source, wanted, now, reason)
    log.warning(phrases.persistence_updated())
