"""What the log says, word for word as Devo's CASB collector says it.

Operators' log parsers rely on these texts (the public documentation page of
Devo's Proofpoint CASB collector).  All functions are pure; the level is INFO
except where a docstring says WARNING.  States and differences are printed as
Python dictionaries, instants as UTC with their offset.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.core import times
from collector.core.model import Micros


def puller_class(input_type: str, service: str) -> str:
    """``proofpoint_casb`` and ``alerts`` give ``ProofpointCasbAlertsPuller``."""
    return f"{_camel_case(input_type)}{_camel_case(service)}Puller"


def puller_component(input_type: str, input_name: str, service: str) -> str:
    """The name under which a puller logs."""
    return f"{puller_class(input_type, service)}({input_type},{input_name},{service},predefined)"


def setup_component(collector: str, input_type: str, input_name: str, service: str) -> str:
    """The name under which the setup of a service logs; ``collector`` is ``globals.name``."""
    where = f"{collector},{input_type}#{input_name},{service}#predefined"
    return f"{_camel_case(input_type)}PullerSetup({where})"


def monitor_component(output_type: str, lane: str, output_name: str) -> str:
    """The name under which the statistics of an output's lane are logged."""
    return f"{_camel_case(output_type)}SenderManagerMonitor({lane}_senders,{output_name})"


def setup_succeeded(puller: str) -> str:
    """The vendor took our credentials; ``puller`` is the puller's class name."""
    return f"Setup for module <{puller}> has been successfully executed"


def pre_pull_started(component: str) -> str:
    """The state is read and checked from here on."""
    return f"{component} Starting the execution of pre_pull()"


def pre_pull_finished(component: str) -> str:
    """The state is ready."""
    return f"{component} Finalizing the execution of pre_pull()"


def reading_persistence() -> str:
    """Comes before the state is read."""
    return "Reading persisted data"


def persistence_read(state: Mapping[str, Any] | None) -> str:
    """The state as it was found; None at the very first start."""
    return f"Data retrieved from the persistence: {_shown(state)}"


def running_upgrades() -> str:
    """A state written by an older release is brought up to date."""
    return "Running the persistence upgrade steps"


def running_corrections() -> str:
    """The state is compared with the configuration."""
    return "Running the persistence corrections steps"


def initial_start_changed(difference: Mapping[str, Any], new_state: Mapping[str, Any]) -> str:
    """The operator set another ``initial_start_time_in_utc``; ``difference`` is DeepDiff's."""
    return (
        f"Detected initial start time in UTC change: {_shown(difference)}. "
        f"Resetting state to {_shown(new_state)}"
    )


def persistence_changed(previous: Mapping[str, Any] | None, new: Mapping[str, Any]) -> str:
    """WARNING: the state is about to be replaced."""
    return (
        "Some changes have been detected and the persistence needs to be updated. "
        f"Previous content: {_shown(previous)}. New content: {_shown(new)}"
    )


def updating_persistence() -> str:
    """Comes before the new state is written."""
    return "Updating the persistence"


def persistence_updated() -> str:
    """WARNING: the state was replaced, and is durable."""
    return "Persistence has been updated successfully"


def starting_collection(period: float) -> str:
    """Pulls follow each other every ``period`` seconds."""
    return f"Starting data collection every {period:g} seconds"


def pull_started() -> str:
    """The first line of a pull."""
    return "Pull Started"


def retrieving(service: str, start: Micros, end: Micros) -> str:
    """The span of event time that is asked for."""
    return (
        f"Retrieving/sending {service} event(s) having timestamp "
        f"between {_instant(start)} and {_instant(end)}"
    )


def retrieved(count: int, service: str, start: Micros, end: Micros) -> str:
    """How many events the vendor gave for the span."""
    return f"Retrieved {count} {service} event(s) from {_instant(start)} to {_instant(end)}"


def statistics(
    *,
    pulling_id: int,
    requests: int,
    received: int,
    duplicates: int,
    generated: int,
    elapsed: float,
    partial: bool,
) -> str:
    """The counts of a pull: so far (``partial``), or of all of it.

    ``pulling_id`` is the time of the pull in milliseconds since 1970-01-01 UTC,
    ``elapsed`` its duration in seconds; the average is that of the generated events.
    """
    return (
        f"{'(Partial) ' if partial else ''}Statistics for this pull cycle "
        f"(@devo_pulling_id={pulling_id}):"
        f"Number of requests made: {requests}; "
        f"Number of events received: {received}; "
        f"Number of duplicated events filtered out: {duplicates}; "
        f"Number of events generated and sent: {generated}; "
        f"Average of events per second: {_rate(generated, elapsed):.3f}."
    )


def up_to_date() -> str:
    """Everything that the vendor can give by now was pulled."""
    return "The data is up to date!"


def collection_completed(elapsed: float, waiting: float) -> str:
    """The last line of a pull; both times in seconds."""
    return (
        f"Data collection completed. Elapsed time: {elapsed:.3f} seconds. "
        f"Waiting for {waiting:.3f} second(s) until the next one"
    )


def available_senders(count: int) -> str:
    """How many connections an output's lane has."""
    return f"Number of available senders: {count}"


def sender_queue(size: int) -> str:
    """How many records an output's lane has yet to send."""
    return f"sender manager internal queue size: {size}"


def messages_sent(lane: str, total: int, since: Micros, sent_since: int, elapsed: float) -> str:
    """Records delivered since the start, and since the last statistics at ``since``.

    ``elapsed`` is how many seconds those took to be delivered.  The closing
    parenthesis is missing on Devo's page.
    """
    return (
        f"{lane.capitalize()} - Total number of messages sent: {total}, "
        f'messages sent since "{times.to_datetime(since)}": {sent_since} '
        f"(elapsed {elapsed:.3f} seconds)"
    )


def _camel_case(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _instant(moment: Micros) -> str:
    return times.to_datetime(moment).isoformat()


def _shown(value: Mapping[str, Any] | None) -> str:
    """A plain dictionary, whatever mapping came (DeepDiff prints itself differently)."""
    return str(None if value is None else {name: _short(each) for name, each in value.items()})


def _short(value: Any) -> Any:
    """A list so long that nobody reads it is told by its ends and its length."""
    if not isinstance(value, list) or len(value) <= _LISTED:
        return value
    return [value[0], f"... {len(value) - 2} more ...", value[-1]]


_LISTED = 10


def _rate(count: int, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0
