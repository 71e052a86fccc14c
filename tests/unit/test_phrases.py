"""The log texts against the lines on Devo's documentation page, word for word."""

from __future__ import annotations

from deepdiff import DeepDiff

from collector.core import phrases, times

COMPONENT = "ProofpointCasbAlertsPuller(proofpoint_casb,proofpoint_casb_1,alerts,predefined)"
MIDNIGHT = times.parse("2023-01-16T00:00:00Z")
PULLED = times.parse("2023-01-16T14:16:20.026261Z")
OLD = {
    "initial_start_time_in_utc": "2022-01-16T00:00:00Z",
    "last_event_time_in_utc": "2022-01-21T00:00:00Z",
    "last_ids": [],
    "@persistence_version": 1,
}
NEW = {
    "initial_start_time_in_utc": "2023-01-16T00:00:00Z",
    "last_event_time_in_utc": "2023-01-16T00:00:00Z",
    "last_ids": [],
    "@persistence_version": 1,
}
OLD_SHOWN = (
    "{'initial_start_time_in_utc': '2022-01-16T00:00:00Z', "
    "'last_event_time_in_utc': '2022-01-21T00:00:00Z', "
    "'last_ids': [], '@persistence_version': 1}"
)
NEW_SHOWN = (
    "{'initial_start_time_in_utc': '2023-01-16T00:00:00Z', "
    "'last_event_time_in_utc': '2023-01-16T00:00:00Z', "
    "'last_ids': [], '@persistence_version': 1}"
)
NO_EVENTS = (
    "Statistics for this pull cycle (@devo_pulling_id=1673878580026):"
    "Number of requests made: 1; Number of events received: 0; "
    "Number of duplicated events filtered out: 0; Number of events generated and sent: 0; "
    "Average of events per second: 0.000."
)


def no_events(*, partial: bool) -> str:
    """The statistics of the pull on the page."""
    return phrases.statistics(
        pulling_id=1673878580026,
        requests=1,
        received=0,
        duplicates=0,
        generated=0,
        elapsed=0.258,
        partial=partial,
    )


def test_puller_component() -> None:
    """The puller's name carries its class, input type, input, service and kind."""
    assert phrases.puller_component("proofpoint_casb", "proofpoint_casb_1", "alerts") == COMPONENT


def test_setup_component() -> None:
    """The setup's name carries the collector, too."""
    assert phrases.setup_component(
        "example_collector", "proofpoint_casb", "proofpoint_casb_1", "alerts"
    ) == (
        "ProofpointCasbPullerSetup"
        "(example_collector,proofpoint_casb#proofpoint_casb_1,alerts#predefined)"
    )


def test_puller_class_of_the_other_product() -> None:
    """The classes of services not on the page are named in the same way."""
    assert phrases.puller_class("proofpoint_pod", "maillog") == "ProofpointPodMaillogPuller"


def test_monitor_component() -> None:
    """The monitor of a lane is named after the sender group and the output."""
    assert phrases.monitor_component("devo", "standard", "devo_1") == (
        "DevoSenderManagerMonitor(standard_senders,devo_1)"
    )


def test_setup_succeeded() -> None:
    """The setup's one line."""
    assert phrases.setup_succeeded("ProofpointCasbAlertsPuller") == (
        "Setup for module <ProofpointCasbAlertsPuller> has been successfully executed"
    )


def test_pre_pull() -> None:
    """The lines around the preparation name the component again."""
    assert phrases.pre_pull_started(COMPONENT) == (
        f"{COMPONENT} Starting the execution of pre_pull()"
    )
    assert phrases.pre_pull_finished(COMPONENT) == (
        f"{COMPONENT} Finalizing the execution of pre_pull()"
    )


def test_persistence_read() -> None:
    """The state is shown as a dictionary, in its own order."""
    assert phrases.reading_persistence() == "Reading persisted data"
    assert phrases.persistence_read(OLD) == f"Data retrieved from the persistence: {OLD_SHOWN}"


def test_persistence_read_at_the_very_first_start() -> None:
    """Nothing was persisted yet."""
    assert phrases.persistence_read(None) == "Data retrieved from the persistence: None"


def test_persistence_steps() -> None:
    """The upgrade and the corrections announce themselves."""
    assert phrases.running_upgrades() == "Running the persistence upgrade steps"
    assert phrases.running_corrections() == "Running the persistence corrections steps"


def test_initial_start_changed() -> None:
    """The difference is shown as DeepDiff gives it."""
    difference = DeepDiff(OLD["initial_start_time_in_utc"], NEW["initial_start_time_in_utc"])
    assert phrases.initial_start_changed(difference, NEW) == (
        "Detected initial start time in UTC change: "
        "{'values_changed': {'root': {'new_value': '2023-01-16T00:00:00Z', "
        "'old_value': '2022-01-16T00:00:00Z'}}}. "
        f"Resetting state to {NEW_SHOWN}"
    )


def test_persistence_changed() -> None:
    """Both contents are shown."""
    assert phrases.persistence_changed(OLD, NEW) == (
        "Some changes have been detected and the persistence needs to be updated. "
        f"Previous content: {OLD_SHOWN}. New content: {NEW_SHOWN}"
    )


def test_persistence_updated() -> None:
    """The lines around the write."""
    assert phrases.updating_persistence() == "Updating the persistence"
    assert phrases.persistence_updated() == "Persistence has been updated successfully"


def test_pull_begins() -> None:
    """The period, then the pull."""
    assert phrases.starting_collection(600) == "Starting data collection every 600 seconds"
    assert phrases.pull_started() == "Pull Started"


def test_ranges() -> None:
    """Whole seconds have no fraction, others six digits; the offset is always there."""
    assert phrases.retrieving("alerts", MIDNIGHT, PULLED) == (
        "Retrieving/sending alerts event(s) having timestamp between "
        "2023-01-16T00:00:00+00:00 and 2023-01-16T14:16:20.026261+00:00"
    )
    assert phrases.retrieved(0, "alerts", MIDNIGHT, PULLED) == (
        "Retrieved 0 alerts event(s) from "
        "2023-01-16T00:00:00+00:00 to 2023-01-16T14:16:20.026261+00:00"
    )


def test_statistics() -> None:
    """Partial and final statistics differ in one word."""
    assert no_events(partial=False) == NO_EVENTS
    assert no_events(partial=True) == f"(Partial) {NO_EVENTS}"


def test_average_is_that_of_generated_events() -> None:
    """Duplicates are not part of the average."""
    text = phrases.statistics(
        pulling_id=1,
        requests=2,
        received=100,
        duplicates=90,
        generated=10,
        elapsed=4.0,
        partial=False,
    )
    assert text.endswith("Average of events per second: 2.500.")


def test_average_of_an_instant_pull() -> None:
    """A pull without a measurable duration has no average."""
    text = phrases.statistics(
        pulling_id=1, requests=0, received=3, duplicates=0, generated=3, elapsed=0.0, partial=False
    )
    assert text.endswith("Average of events per second: 0.000.")


def test_pull_ends() -> None:
    """Times have milliseconds."""
    assert phrases.up_to_date() == "The data is up to date!"
    assert phrases.collection_completed(0.258, 599.742) == (
        "Data collection completed. Elapsed time: 0.258 seconds. "
        "Waiting for 599.742 second(s) until the next one"
    )


def test_sender_statistics() -> None:
    """The page's two lines on the state of the senders."""
    assert phrases.available_senders(1) == "Number of available senders: 1"
    assert phrases.sender_queue(0) == "sender manager internal queue size: 0"


def test_messages_sent() -> None:
    """The checkpoint is written with a blank; the page leaves the parenthesis open."""
    since = times.parse("2023-01-10T16:09:16.116750Z")
    on_the_page = (
        "Standard - Total number of messages sent: 57, messages sent since "
        '"2023-01-10 16:09:16.116750+00:00": 0 (elapsed 0.000 seconds'
    )
    assert phrases.messages_sent("standard", 57, since, 0, 0.0) == f"{on_the_page})"
    assert phrases.messages_sent("internal", 1, since, 0, 0.0).startswith("Internal - Total")
