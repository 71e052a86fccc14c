"""``collector simulate``: the vendor's stand-in as a program of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from collector.cli.options import JsonOption
from collector.cli.process import stop_on_signals
from collector.cli.screen import out, plain, print_json, table
from collector.cli.stdout import Unwritable
from collector.clock import SystemClock
from collector.core.model import Micros
from collector.core.times import DAY, HOUR
from collector.errors import ConfigError

if TYPE_CHECKING:
    from collector.simulator import Fault, Simulator, SimulatorOptions

_NO_PORT = 48
_YEAR_HOURS = 366 * 24

PortOption = Annotated[
    int, typer.Option(help="Port on loopback; 0 takes a free one.", min=0, max=65535)
]
SeedOption = Annotated[int, typer.Option(help="The same seed makes the same records.")]
HistoryOption = Annotated[
    float, typer.Option(help="Hours of records before now.", min=0, max=_YEAR_HOURS)
]
DurationOption = Annotated[
    float, typer.Option(help="Hours for which new records appear.", min=0, max=_YEAR_HOURS)
]
RateOption = Annotated[float, typer.Option(help="Volume; 1 is a small tenant.", min=0)]
AssignmentsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Anything that --list-options shows; may be repeated; overrides the options above.",
    ),
]
PlainOption = Annotated[
    bool, typer.Option("--no-oddities", help="No odd record but those asked for with --set.")
]
ListOption = Annotated[
    bool,
    typer.Option("--list-options", help="Show the names for --set, with values and meanings."),
]
FaultsOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A fault script (JSON list).")
]
DemoFaultsOption = Annotated[
    bool, typer.Option("--demo-faults", help="The faults of 'collector demo'.")
]


def simulate(
    port: PortOption = 8080,
    seed: SeedOption = 1,
    history: HistoryOption = 24.0,
    duration: DurationOption = 24.0,
    rate: RateOption = 1.0,
    no_oddities: PlainOption = False,
    assignments: AssignmentsOption = None,
    list_options: ListOption = False,
    faults: FaultsOption = None,
    with_demo_faults: DemoFaultsOption = False,
    as_json: JsonOption = False,
) -> None:
    """Serve a stand-in for Proofpoint CASB and PoD on loopback, until stopped.

    It has the vendor's habits and oddities, and made-up records on example
    domains. The credentials it takes are printed; point a configuration at it
    with endpoints (CASB) and endpoint (PoD).
    """
    # Here and not above: the start of `collector run` must not wait for the simulator's import.
    from collector.simulator import QUIET, load_faults  # noqa: PLC0415
    from collector.simulator.assignments import assigned  # noqa: PLC0415
    from collector.simulator.scripts import demo_faults  # noqa: PLC0415

    clock = SystemClock()
    base = _base(clock.now(), seed, history, duration, rate)
    base.update(QUIET if no_oddities else {})
    options = assigned(base, assignments or ())
    if list_options:
        _list(options, as_json=as_json)
        return
    script = load_faults(faults) if faults else []
    script += demo_faults() if with_demo_faults else []
    _serve(options, clock, script, port, as_json=as_json)


def _base(now: Micros, seed: int, history: float, duration: float, rate: float) -> dict[str, Any]:
    """What the options besides --set say, as fields of ``SimulatorOptions``."""
    from collector.simulator.options import DEFAULT_RATES  # noqa: PLC0415 - as in ``simulate``

    return {
        "history_start": now - min(int(history * HOUR), 30 * DAY),
        "history_end": now + int(duration * HOUR),
        "seed": seed,
        "rates": {service: each * rate for service, each in DEFAULT_RATES.items()},
        "calls_per_day": None,
    }


def _list(options: SimulatorOptions, *, as_json: bool) -> None:
    from collector.simulator.assignments import described  # noqa: PLC0415 - as in ``simulate``

    if as_json:
        print_json([msgspec.to_builtins(each) for each in described(options)])
        return
    shown = table("name", "value", "~meaning")
    for each in described(options):
        shown.add_row(plain(each.name), plain(each.value), plain(each.meaning))
    out.print(shown)


def _serve(
    options: SimulatorOptions, clock: SystemClock, script: list[Fault], port: int, *, as_json: bool
) -> None:
    from collector.simulator.serve import serve  # noqa: PLC0415 - as in ``simulate``

    stop_on_signals(clock)
    try:
        serve(options, clock, script, lambda each: _ready(each, options, as_json=as_json), port)
    except Unwritable:  # an OSError too, which is not about the port
        raise
    except OSError as error:
        cause = f"the simulator cannot listen on port {port} of 127.0.0.1"
        remedy = "name a free port with --port, or let it take one with --port 0"
        raise ConfigError(_NO_PORT, cause, remedy) from error


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
