"""``collector simulate``: the vendor's stand-in as a program of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.options import JsonOption
from collector.cli.process import stop_on_signals
from collector.cli.screen import out, print_json
from collector.clock import SystemClock
from collector.core.model import Micros
from collector.core.times import DAY, HOUR
from collector.errors import ConfigError

if TYPE_CHECKING:
    from collector.simulator import Simulator, SimulatorOptions

_NO_PORT = 48


def simulate(
    port: Annotated[
        int, typer.Option(help="Port on loopback; 0 takes a free one.", min=0, max=65535)
    ] = 8080,
    seed: Annotated[int, typer.Option(help="The same seed makes the same records.")] = 1,
    history: Annotated[float, typer.Option(help="Hours of records before now.", min=0)] = 24.0,
    duration: Annotated[
        float, typer.Option(help="Hours for which new records appear.", min=0)
    ] = 24.0,
    rate: Annotated[float, typer.Option(help="Volume; 1 is a small tenant.", min=0)] = 1.0,
    faults: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A fault script (JSON list).")
    ] = None,
    with_demo_faults: Annotated[
        bool, typer.Option("--demo-faults", help="The faults of 'collector demo'.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Serve a stand-in for Proofpoint CASB and PoD on loopback, until stopped.

    It has the vendor's habits and oddities, and made-up records on example
    domains. The credentials it takes are printed; point a configuration at it
    with endpoints (CASB) and endpoint (PoD).
    """
    # Here and not above: the start of `collector run` must not wait for the simulator's import.
    from collector.simulator import load_faults  # noqa: PLC0415
    from collector.simulator.scripts import demo_faults  # noqa: PLC0415
    from collector.simulator.serve import serve  # noqa: PLC0415

    clock = SystemClock()
    stop_on_signals(clock)
    options = _options(clock.now(), seed, history, duration, rate)
    script = load_faults(faults) if faults else []
    script += demo_faults() if with_demo_faults else []
    try:
        serve(options, clock, script, lambda each: _ready(each, options, as_json=as_json), port)
    except OSError as error:
        cause = f"the simulator cannot listen on port {port} of 127.0.0.1"
        remedy = "name a free port with --port, or let it take one with --port 0"
        raise ConfigError(_NO_PORT, cause, remedy) from error


def _options(
    now: Micros, seed: int, history: float, duration: float, rate: float
) -> SimulatorOptions:
    from collector.simulator import SimulatorOptions  # noqa: PLC0415 - as in ``simulate``
    from collector.simulator.options import DEFAULT_RATES  # noqa: PLC0415

    return SimulatorOptions(
        history_start=now - min(int(history * HOUR), 30 * DAY),
        history_end=now + int(duration * HOUR),
        seed=seed,
        rates={service: each * rate for service, each in DEFAULT_RATES.items()},
        calls_per_day=None,
    )


def _ready(simulator: Simulator, options: SimulatorOptions, *, as_json: bool) -> None:
    facts = {
        "endpoints": simulator.url,
        "endpoint": simulator.ws_url,
        "api_key": options.api_key,
        "client_id": options.client_id,
        "client_secret": options.client_secret,
        "cluster_id": options.cluster_id,
        "token": options.tokens[0],
    }
    if as_json:
        print_json(facts)
        return
    out.print("The simulator is listening. In config.yaml:\n")
    out.print(_SNIPPET.format(**facts), markup=False, highlight=False, soft_wrap=True)
    out.print("Ctrl-C stops it.")


_SNIPPET = """\
inputs:
  casb:
    type: proofpoint_casb
    endpoints: {{auth: "{endpoints}", alerts: "{endpoints}", events: "{endpoints}"}}
    credentials: {{api_key: {api_key}, client_id: {client_id}, client_secret: {client_secret}}}
    services: {{alerts: {{}}, events: {{}}}}
  pod:
    type: proofpoint_pod
    endpoint: {endpoint}
    credentials: {{cluster_id: {cluster_id}, token: {token}}}
    services: {{message: {{}}, maillog: {{}}, audit: {{}}}}
"""
