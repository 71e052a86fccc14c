"""The internal lane: the collector's own metrics and health, as records like any other."""

from __future__ import annotations

import resource
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from collector.app.backpressure import SpoolGate
from collector.app.delivery import Delivery, Lane
from collector.app.health import Board
from collector.app.jobs import Job
from collector.app.kernel import Kernel
from collector.config.models import Settings
from collector.core import state, times
from collector.core.health import Change, Notice
from collector.core.ledger import Account
from collector.core.model import Batch, Clock, Micros
from collector.errors import StateError
from collector.logs import component_logger
from collector.persistence.sqlite import SqliteStore

_CHANGES_AT_ONCE = 1000
"""Ledger rows announced at one time; the rest follows with the next statistics."""

log = component_logger("OutputProcess", "MainThread")


class Announcer:
    """Puts metrics, health and changes of the ledger into the internal lane."""

    def __init__(
        self,
        settings: Settings,
        store: SqliteStore,
        clock: Clock,
        gate: SpoolGate,
        board: Board,
        kernel: Kernel,
        worker: int = 0,
    ) -> None:
        """``worker``: the number of the worker process that tells; 0 where there is none."""
        self._worker = worker
        self._globals = settings.globals
        self._outputs = tuple(name for name, each in settings.outputs.items() if each.internal)
        self._store = store
        self._clock = clock
        self._gate = gate
        self._board = board
        self._kernel = kernel

    def announce(self, jobs: Sequence[Job], delivery: Delivery | None) -> None:
        """Spool the metrics of this moment; a store that fails is told, not raised.

        Without ``delivery`` those of a worker: whoever delivers tells of spool and ledger.
        """
        if not self._outputs:
            return
        try:
            metrics = [
                *map(self._service, jobs),
                *([*self._senders(delivery), self._spool()] if delivery else ()),
                self._process(),
                *map(self._told, self._board.standing()),
            ]
            changes = self._store.unannounced(_CHANGES_AT_ONCE) if delivery else []
            events = [self._change(source, account) for source, account in changes]
            self._announce([*metrics, *events], changes)
        except StateError as error:
            log.error("%s", error)

    def tell(self, news: Sequence[Change | Notice]) -> None:
        """Spool what happened to the health of sources; a store that fails is told, not raised."""
        if not self._outputs or not news:
            return
        try:
            self._announce([self._told(each) for each in news])
        except StateError as error:
            log.error("%s", error)

    def _announce(
        self, records: list[dict[str, Any]], changes: Iterable[tuple[str, Account]] = ()
    ) -> None:
        batch = self._batch(records)
        if self._store.spool.size + len(batch.body) <= self._gate.limit:
            self._store.announce(batch, changes)
        else:
            log.warning("The spool has no room for the metrics of this moment")

    def _batch(self, records: list[dict[str, Any]]) -> Batch:
        now = self._clock.now()
        return Batch(
            source="collector",
            tag=self._globals.internal_tag,
            lane="internal",
            mode="metrics",
            count=len(records),
            body=b"".join(msgspec.json.encode(record) + b"\n" for record in records),
            first=now,
            last=now,
            outputs=self._outputs,
        )

    def _change(self, source: str, account: Account) -> dict[str, Any]:
        return {
            **self._head("ledger"),
            "source": source,
            "hour": times.isoformat(account.span.start),
            "state": account.state,
            "reason": account.reason,
            **msgspec.structs.asdict(account.counts),
            "repaired": account.repaired,
        }

    def _service(self, job: Job) -> dict[str, Any]:
        service = job.service
        totals = service.intake.totals()
        health = self._board.health(service.source_id)
        return {
            **self._head("service_metrics"),
            "source": service.source_id,
            "input_type": service.input_type,
            "service": service.service,
            "received_total": totals.received,
            "duplicates_total": totals.duplicates,
            "generated_total": totals.generated,
            "dead_letters_total": totals.rejected,
            "health": health.state,
            "health_since": times.isoformat(health.since),
            "health_events": len(health.events),
            "last_data": times.isoformat_or_none(health.last_data),
            "state": state.to_state(service.intake.checkpoint) | {"last_ids": None},
        }

    def _senders(self, delivery: Delivery) -> list[dict[str, Any]]:
        backlog = self._store.spool.backlog()
        return [
            self._sender(lane, backlog.get((lane.name, lane.lane), 0)) for lane in delivery.lanes
        ]

    def _sender(self, lane: Lane, waiting: int) -> dict[str, Any]:
        counts = lane.stats.counts()
        return {
            **self._head("sender_metrics"),
            "output": lane.name,
            "lane": lane.lane,
            "senders_available": 1,
            "sent_total": counts.sent,
            "sent_since": counts.sent_since,
            "since": times.isoformat(counts.since),
            "elapsed_seconds": round(self._clock.monotonic() - lane.since, 3),
            "refused_total": counts.refused,
            "failures_total": counts.failures,
            "waiting": waiting,
            "spool_bytes": self._store.spool.size,
        }

    def _spool(self) -> dict[str, Any]:
        letters = self._store.letter_totals()
        return {
            **self._head("spool_metrics"),
            "spool_bytes": self._store.spool.size,
            "spool_max_bytes": self._gate.limit,
            "pulling_paused": self._gate.paused,
            "pulling_paused_seconds_total": round(self._gate.paused_seconds, 3),
            "dead_letters": sum(each.records for each in letters),
            "dead_letter_bytes": sum(each.bytes for each in letters),
            "dead_letters_dropped_total": sum(each.dropped for each in letters),
        }

    def _process(self) -> dict[str, Any]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        counts = self._kernel.counts()
        return {
            **self._head("process_metrics"),
            **({"worker": self._worker} if self._worker else {}),
            "cpu_seconds_total": round(used.ru_utime + used.ru_stime, 3),
            "memory_peak_bytes": used.ru_maxrss * 1024,
            "group_memory_bytes": counts.memory_bytes,
            "group_memory_limit_bytes": counts.memory_limit_bytes,
        }

    def _told(self, news: Change | Notice) -> dict[str, Any]:
        match news:
            case Change():
                return self._head("source_state", news.time) | {
                    "source": news.subject,
                    "previous": news.previous,
                    "state": news.state,
                    "cause": news.cause,
                }
            case Notice(event=event):
                return self._head("health_event", news.time) | {
                    "subject": news.subject,
                    "status": news.status,
                    "event": event.fault.kind,
                    "number": event.fault.number,
                    "part": event.part,
                    "cause": event.fault.cause,
                    "remedy": event.fault.remedy,
                    "count": event.count,
                    "first_seen": times.isoformat(event.first_seen),
                    "last_seen": times.isoformat(event.last_seen),
                }

    def _head(self, kind: str, time: Micros | None = None) -> dict[str, Any]:
        return {
            "type": kind,
            "time": times.isoformat(self._clock.now() if time is None else time),
            "collector_id": self._globals.id,
            "collector_name": self._globals.name,
        }
