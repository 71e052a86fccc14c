"""The simulator as a program of its own, and the demo's script against a patient client."""

from __future__ import annotations

import requests

from collector.core.times import HOUR
from collector.simulator import Simulator
from collector.simulator.scripts import demo_faults
from collector.simulator.serve import serve
from tests.fakes.clock import ManualClock
from tests.fakes.vendor import START, CasbClient, quiet_options


def test_serve_until_the_clock_stops() -> None:
    """The simulator is listening when it is handed over, and gone when serve returns."""
    clock = ManualClock(START)
    urls: list[str] = []

    def use(simulator: Simulator) -> None:
        urls.append(simulator.url)
        assert CasbClient(simulator.url, quiet_options()).log_in().status_code == 200
        clock.stop()

    serve(quiet_options(), clock, [], use)
    try:
        requests.get(urls[0], timeout=1)
    except requests.ConnectionError:
        return
    raise AssertionError("the port still answers")


def test_demo_script_lets_a_patient_client_through() -> None:
    """Asking again, with a new token where needed, gets past every fault."""
    options = quiet_options()
    with Simulator(options, ManualClock(START + 6 * HOUR), demo_faults()) as simulator:
        client = CasbClient(simulator.url, options)
        client.log_in()
        seen = set()
        for _ in range(12):
            status = client.alerts().status_code
            seen.add(status)
            if status == 401:
                client.log_in()
        assert seen == {200, 401, 429, 503}
        assert [client.alerts().status_code for _ in range(5)] == [200] * 5
