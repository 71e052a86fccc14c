"""The soak itself: simulator and HTTP destination in this process, the collector in another."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path

from collector.core import times
from collector.core.times import HOUR
from collector.demo.judge import TAGS
from collector.errors import StateError
from collector.simulator import Simulator
from tests.fakes.deliveries import in_files
from tests.fakes.driven import SharedTime, gaps_exit_code, settled
from tests.fakes.lake import MOODS, Lake
from tests.fakes.processes import Site
from tests.soak import report
from tests.soak.child import Child
from tests.soak.plan import DRAIN_HOURS, SPEED, Plan, laid_out
from tests.soak.report import Report

_LOOK = 0.05
_TELL_EVERY = 10.0
_WARM_UP_HOURS = 8
"""Of the clock, from the calm's beginning: the ids of so many hours are kept in memory."""

Tell = Callable[[str], None]


class Soak:
    """One soak under way."""

    def __init__(
        self, plan: Plan, site: Site, shared: SharedTime, lake: Lake, child: Child
    ) -> None:
        self._plan = plan
        self._site = site
        self._clock = shared.clock
        self._lake = lake
        self._child = child
        self._began = time.monotonic()
        self._done: Counter[str] = Counter()

    def storm_and_calm(self, tell: Tell) -> None:
        """Let everything happen that is planned, at its time."""
        coming = deque(self._plan.happenings)
        told = weighed = 0.0
        while (elapsed := time.monotonic() - self._began) < self._plan.seconds:
            while coming and coming[0].at <= elapsed:
                self._happen(coming.popleft().what)
            if elapsed - weighed >= 1.0:
                weighed = elapsed
                self._child.look(elapsed)
            if elapsed - told >= _TELL_EVERY:
                told = elapsed
                tell(self._progress(elapsed))
            time.sleep(_LOOK)

    def drain(self, tell: Tell) -> bool:
        """Wait until all is settled; False when it is not in good time."""
        limit = self._plan.last + DRAIN_HOURS * HOUR
        told = time.monotonic()
        while not (done := settled(self._site, self._plan.last)) and self._clock.now() < limit:
            if time.monotonic() - told >= _TELL_EVERY:
                told = time.monotonic()
                tell(self._progress(told - self._began))
            time.sleep(1.0)
        self._child.stop()
        return done

    def report(self, simulator: Simulator, *, done: bool) -> Report:
        """Judge what stands at both outputs by the simulator's truth."""
        plan = self._plan
        outputs = {"file": in_files(self._site.out), "http": self._lake.deliveries}
        truth = {service: simulator.truth.emitted(service) for service in TAGS}
        return Report(
            seed=plan.seed,
            minutes=plan.seconds / 60,
            hours=plan.seconds * SPEED / 3600,
            kills=self._done["kill"],
            stops=self._done["stop"],
            faults=len(plan.faults),
            outages=sum(self._done[mood] for mood in MOODS),
            repeats_dropped=self._lake.repeats,
            failures=self._child.failures,
            # That a run was killed is told at the next start, as InternalError 3 to 6.
            defects=self._site.log.count("please report this"),
            settled=done,
            gaps_exit_code=gaps_exit_code(self._site, plan.begins, plan.last),
            lag={name: report.lag(found, plan.begins) for name, found in outputs.items()},
            lag_in_calm={name: report.lag(found, plan.calm) for name, found in outputs.items()},
            memory=report.memory(
                [each for each in self._child.weights if each.at < plan.seconds],
                since=plan.storm + _WARM_UP_HOURS * 3600 / SPEED,
                speed=SPEED,
            ),
            outputs={
                name: [found.verdict(service, truth[service]) for service in TAGS]
                for name, found in outputs.items()
            },
        )

    def _happen(self, what: str) -> None:
        self._done[what] += 1
        if what == "kill":
            self._child.kill()
        elif what == "stop":
            self._child.restart()
        else:
            self._lake.become(what)

    def _progress(self, elapsed: float) -> str:
        weights = self._child.weights
        phase = "storm" if elapsed < self._plan.storm else "calm"
        return (
            f"{elapsed:6.0f} s {phase if elapsed < self._plan.seconds else 'drain':5} "
            f"vendor {times.isoformat(self._clock.now())[:16]}Z  kills {self._done['kill']:3}  "
            f"lake {self._lake.mood:9} {self._lake.deliveries.total():9,} lines  "
            f"waiting {self._waiting():7,}  memory {weights[-1].mib if weights else 0:5.1f} MiB"
        )

    def _waiting(self) -> int:
        try:
            return sum(count for _output, _lane, count in self._site.report().waiting)
        except StateError:
            return 0  # it has not been made yet


def perform(plan: Plan, folder: Path, tell: Tell) -> Report:
    """Soak in the empty folder, and judge."""
    shared = SharedTime(plan.begins, SPEED)
    with (
        Simulator(plan.options(), shared.clock, plan.faults) as simulator,
        Lake(shared.clock) as lake,
    ):
        site = laid_out(plan, folder, simulator, lake.url)
        with Child(site, shared) as child:
            soak = Soak(plan, site, shared, lake, child)
            soak.storm_and_calm(tell)
            done = soak.drain(tell)
            return soak.report(simulator, done=done)
