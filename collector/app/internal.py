"""The internal lane: the collector's own metrics, as records like any other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from collector.app.backpressure import SpoolGate
from collector.app.delivery import Delivery
from collector.app.jobs import Job
from collector.config.models import Settings
from collector.core import state, times
from collector.core.ledger import Account
from collector.core.model import Batch, Clock
from collector.errors import StateError
from collector.logs import component_logger
from collector.persistence.sqlite import SqliteStore

_CHANGES_AT_ONCE = 1000
"""Ledger rows announced at one time; the rest follows with the next statistics."""

log = component_logger("OutputProcess", "MainThread")


class Announcer:
    """Puts metrics of services and senders, and changes of the ledger, into the internal lane."""

    def __init__(
        self, settings: Settings, store: SqliteStore, clock: Clock, gate: SpoolGate
    ) -> None:
        self._globals = settings.globals
        self._outputs = tuple(name for name, each in settings.outputs.items() if each.internal)
        self._store = store
        self._clock = clock
        self._gate = gate

    def announce(self, jobs: Sequence[Job], delivery: Delivery) -> None:
        """Spool the metrics of this moment; a store that fails is told, not raised."""
        if not self._outputs:
            return
        try:
            metrics = [*map(self._service, jobs), *self._senders(delivery), self._spool()]
            changes = self._store.unannounced(_CHANGES_AT_ONCE)
            events = [self._change(source, account) for source, account in changes]
            batch = self._batch([*metrics, *events])
            if self._store.spool.size + len(batch.body) <= self._gate.limit:
                self._store.announce(batch, changes)
            else:
                log.warning("The spool has no room for the metrics of this moment")
        except StateError as error:
            log.error("%s", error)

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
        return {
            **self._head("service_metrics"),
            "source": service.source_id,
            "input_type": service.input_type,
            "service": service.service,
            "received_total": totals.received,
            "duplicates_total": totals.duplicates,
            "generated_total": totals.generated,
            "dead_letters_total": totals.rejected,
            "state": state.to_state(service.intake.checkpoint) | {"last_ids": None},
        }

    def _senders(self, delivery: Delivery) -> list[dict[str, Any]]:
        backlog = self._store.spool.backlog()
        records = []
        for lane in delivery.lanes:
            counts = lane.stats.counts()
            records.append(
                {
                    **self._head("sender_metrics"),
                    "output": lane.name,
                    "lane": lane.lane,
                    "sent_total": counts.sent,
                    "refused_total": counts.refused,
                    "failures_total": counts.failures,
                    "waiting": backlog.get((lane.name, lane.lane), 0),
                    "spool_bytes": self._store.spool.size,
                }
            )
        return records

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

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "type": kind,
            "time": times.isoformat(self._clock.now()),
            "collector_id": self._globals.id,
            "collector_name": self._globals.name,
        }
