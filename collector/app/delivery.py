"""The delivering side: one thread per output and lane, and their statistics."""

from __future__ import annotations

import threading
from collections.abc import Callable

from collector.app.credentials import Credentials
from collector.app.metadata import metadata_by_source
from collector.app.outcome import PARTIAL, Outcome
from collector.app.outputs import sender
from collector.app.patience import PatientSpool
from collector.app.renewing import RenewingSender, rereading_secrets_only
from collector.config.models import Settings
from collector.config.outputs import Output
from collector.core import phrases
from collector.core.log import Log
from collector.core.model import LANES, Clock
from collector.errors import CollectorError, ReaderGone, Stopped, Undelivered
from collector.logs import ComponentLogger, component_logger
from collector.persistence.sqlite import SqliteStore
from collector.senders.base import Sender
from collector.senders.deliver import deliver
from collector.senders.statistics import DeliveryStats


class Lane:
    """One lane of one output: its thread and its numbers."""

    def __init__(self, name: str, lane: str, output: Output, clock: Clock) -> None:
        self.name = name
        self.lane = lane
        self.output = output
        self.stats = DeliveryStats(clock.now())
        self.since = clock.monotonic()
        component = phrases.monitor_component(output.type, lane, name)
        self.log: ComponentLogger = component_logger("OutputProcess", component)


class Delivery:
    """All senders of the collector."""

    def __init__(
        self,
        settings: Settings,
        store: SqliteStore,
        clock: Clock,
        outcome: Outcome,
        stop: Callable[[], None],
        reread: Callable[[], Settings],
    ) -> None:
        self._reread = reread
        self._store = store
        self._clock = clock
        self._outcome = outcome
        self._stop = stop
        self._draining = threading.Event()
        self._metadata = metadata_by_source(settings)
        self.lanes = [
            Lane(name, lane, output, clock)
            for name, output in settings.outputs.items()
            for lane in LANES
            if lane == "standard" or output.internal
        ]
        self._threads = [
            threading.Thread(target=self._deliver, args=[lane], name=f"{lane.name}-{lane.lane}")
            for lane in self.lanes
        ]

    def start(self) -> None:
        """Begin to deliver; returns at once."""
        for thread in self._threads:
            thread.daemon = True  # a stuck destination must not keep the program from ending
            thread.start()

    def drain(self) -> None:
        """From now on hold nothing back for a later confirmation."""
        self._draining.set()

    def join(self, seconds: float) -> bool:
        """Wait for the threads after a stop, so many real seconds in all; whether all ended."""
        self._store.spool.wake()
        share = seconds / max(len(self._threads), 1)
        for thread in self._threads:
            thread.join(share)
        return not any(thread.is_alive() for thread in self._threads)

    def waiting(self) -> int:
        """Records that some output of ours still has to confirm.

        What waits for an output that is not configured waits for a person.
        """
        backlog = self._store.spool.backlog()
        return sum(backlog.get((lane.name, lane.lane), 0) for lane in self.lanes)

    def report(self) -> None:
        """Log the statistics of every lane, as the reference page shows them."""
        backlog = self._store.spool.backlog()
        for lane in self.lanes:
            counts = lane.stats.checkpoint(self._clock.now())
            elapsed = self._clock.monotonic() - lane.since
            lane.since = self._clock.monotonic()
            lane.log.info(phrases.available_senders(1))
            lane.log.info(phrases.sender_queue(backlog.get((lane.name, lane.lane), 0)))
            lane.log.info(
                phrases.messages_sent(
                    lane.lane, counts.sent, counts.since, counts.sent_since, elapsed
                )
            )
            if counts.fault is not None:
                told = Undelivered(counts.fault.number, counts.fault.cause, counts.fault.remedy)
                lane.log.warning("The output is failing: %s", told)

    def _sender(self, lane: Lane) -> Sender:
        look = rereading_secrets_only(self._reread, lane.name, lane.output)
        credentials = Credentials(lane.output, look)
        return RenewingSender(
            credentials,
            lambda output: sender(output, self._clock, lane.log, self._metadata),
            lane.log,
        )

    def _deliver(self, lane: Lane) -> None:
        try:
            deliver(
                lane.name,
                lane.lane,
                self._sender(lane),
                PatientSpool(self._store.spool, self._clock, lane.log),
                self._clock,
                lane.stats,
                lane.log.logger,
                max_retry_wait=lane.output.max_retry_wait_in_seconds,
                draining=self._draining.is_set,
            )
        except ReaderGone:
            lane.log.info("Nobody reads standard output any more; the collector stops")
            self._outcome.broken(PARTIAL)
            self._stop()
        except Stopped:
            return  # what is not confirmed is sent again at the next start
        except CollectorError as error:
            lane.log.critical("%s; the collector stops", error)
            self._outcome.failed(lane.name, error)
            self._stop()
        except Exception:  # told in full, and the program stops: nothing would be delivered
            lane.log.exception("InternalError 2: please report this")
            self._outcome.failed(lane.name, None)
            self._stop()


def warn_of_unconfigured_outputs(settings: Settings, store: SqliteStore, log: Log) -> None:
    """Tell of records for outputs that nobody serves: they would fill the spool for ever."""
    for (output, _lane), count in store.spool.backlog().items():
        if output not in settings.outputs:
            log.warning(
                "%d records wait for the output %s, which is not configured -> configure it "
                "again, or give them up with 'collector state abandon %s'",
                count,
                output,
                output,
            )
