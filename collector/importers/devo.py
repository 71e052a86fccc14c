"""Devo's collectors for Proofpoint: ``config.yaml`` of a collector, or the hosted JSON.

    globals: {id: ..., name: ...}
    outputs: {devo_1: {type: devo_platform, config: {...}}}
    inputs: {proofpoint_casb: {id: ..., credentials: {...}, services: {alerts: {}, events: {}}}}

Names here are Devo's wherever both have a setting (docs/vendor-notes.md, Devo 2).
"""

from __future__ import annotations

from typing import Any

from collector.config.casb_services import CasbAlerts, CasbEvents
from collector.config.hosted import MARK, NAMES, NEUTRAL
from collector.config.pod import PodMaillog, PodMessage
from collector.config.problems import Place
from collector.importers import pod
from collector.importers.devo_outputs import outputs
from collector.importers.draft import UNKNOWN, UNREADABLE, Draft
from collector.importers.original import Original, Setting, normal
from collector.importers.rules import dismiss, follow, rule
from collector.importers.values import seconds, text, toggle

GROUPS = ("globals", MARK, "outputs", "inputs")
GLOBALS = (
    rule("id", "id"),
    rule("name", "name"),
    rule("debug", "debug", toggle),
    rule("persistence.config.directory_name", "persistence.config.directory_name"),
    *(rule(theirs, ours, seconds) for theirs, ours in NAMES.items()),
)
GLOBAL_REASONS = (
    ("|".join(NEUTRAL), "about Devo's own processes and queues"),
    ("persistence.type", "the store is SQLite here, one file in the folder"),
)
TYPES = {
    "proofpointcasb": "proofpoint_casb",
    "proofpointpod": pod.TYPE,
    "proofpointondemand": pod.TYPE,
}
INPUT = (rule("enabled", "enabled", toggle), rule("description", "description"))
CREDENTIALS = ("api_key", "client_id", "client_secret")
MISSPELT = {"client_id": "credentials.cliend_id"}
"""So spelled in the prose of Devo's page."""

INPUT_REASONS = (
    ("id", "an input is known by its name here"),
    (
        "base_url|override_base_url|commons.base_url",
        "set region, or endpoints: alerts and events have hosts of their own",
    ),
)
REGION = "region is us; set eu or au where the tenant lives there"
SERVICES: dict[str, dict[str, Any]] = {
    "proofpoint_casb": {"alerts": CasbAlerts, "events": CasbEvents},
    pod.TYPE: {"message": PodMessage, "maillog": PodMaillog},
}
STARTED = "initial_start_time_in_utc"
NO_BLOCK = "is no block of settings"
RENAMED = {"override_tag": "tag"}


def take(data: Any, draft: Draft) -> None:
    """Globals, outputs and inputs, each under the name that it has there."""
    if not isinstance(data, dict):
        draft.leave((), NO_BLOCK)
        return
    for group in ("globals", MARK):
        original = Original(data.get(group), (group,))
        follow(GLOBALS, original, draft, ("globals",))
        dismiss(GLOBAL_REASONS, original, draft)
        draft.rest(original)
    for group in ("outputs", "inputs"):
        if not isinstance(data.get(group) or {}, dict):
            draft.leave((group,), NO_BLOCK)
    outputs(data.get("outputs"), draft)
    for name, settings in _named(data, "inputs").items():
        _input(name, settings, draft)
    draft.rest(Original({name: data[name] for name in data if name not in GROUPS}))


def _named(data: Any, group: str) -> dict[str, Any]:
    """The blocks of a group, by name."""
    found = data.get(group) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def _input(name: str, settings: Any, draft: Draft) -> None:
    """An input, whose type is its name unless it says one."""
    place: Place = ("inputs", name)
    original = Original(settings, place)
    said = original.take("type")
    kind = TYPES.get(normal(name if said is None else str(said.value)))
    if kind is None:
        draft.leave(place, "only inputs for Proofpoint CASB and Proofpoint on Demand are read")
        return
    base = draft.block("inputs", kind, Setting(path=(), place=place, value=name), "casb")
    if said is not None:
        draft.tell(said.place, (*base, "type"))
    follow(INPUT, original, draft, base)
    if kind == pod.TYPE:
        _pod(original, draft, base)
    else:
        _casb(original, draft, base)
    _services(kind, settings, original, draft, base)
    dismiss(INPUT_REASONS, original, draft)
    draft.rest(original)


def _pod(original: Original, draft: Draft, base: Place) -> None:
    cluster = original.take("credentials.cluster_id", "credentials.cluster")
    token = original.take("credentials.token", "credentials.api_key")
    pod.credentials(draft, base, cluster, token, hidden=False)
    pod.tell_once(draft, pod.MODE)


def _casb(original: Original, draft: Draft, base: Place) -> None:
    draft.keep((*base, "region"), "us", REGION)
    for name in CREDENTIALS:
        found = original.take(f"credentials.{name}", MISSPELT.get(name, f"credentials.{name}"))
        secret = None if found is None else text(found.value)
        note = pod.NOT_IN_FILE if found is None else ""
        draft.refer((*base, "credentials", name), found, secret, note)
    _rate(original, draft, base)


def _rate(original: Original, draft: Draft, base: Place) -> None:
    """Calls a second, and limits of a period, as the least time between two calls."""
    found = original.take("requests_per_second", "commons.requests_per_second")
    often = None if found is None else seconds(found.value)
    if found is not None and often:
        wait = round(1 / often, 3)
        draft.put((*base, "rate", "min_interval_in_seconds"), wait, found.place, "1 divided by it")
    elif found is not None:
        draft.leave(found.place, UNREADABLE)
    limits = original.take("requests_limits", "commons.requests_limits")
    if limits is not None and not _daily(limits, draft, base):
        draft.leave(limits.place, "set rate.calls_per_day and rate.min_interval_in_seconds")


def _daily(limits: Setting, draft: Draft, base: Place) -> bool:
    """A limit of a day, the only one: ``[{period: 1d, number_of_requests: 1000}]``."""
    if not isinstance(limits.value, list) or len(limits.value) != 1:
        return False
    original = Original(limits.value[0], limits.place)
    period, number = original.take("period"), original.take("number_of_requests")
    count = None if number is None else seconds(number.value)
    if period is None or period.value != "1d" or count is None or not count.is_integer():
        return False
    draft.put((*base, "rate", "calls_per_day"), int(count), limits.place)
    return True


def _services(kind: str, settings: Any, original: Original, draft: Draft, base: Place) -> None:
    """The services, with the settings that have the same name here."""
    for found in original.below("services"):
        if found.path == ("services",):
            draft.leave(found.place, NO_BLOCK)
    for name, service in _named(settings, "services").items():
        place: Place = ("inputs", str(base[-1]), "services", name)
        model = SERVICES[kind].get(normal(name))
        if model is None:
            draft.leave(place, "is no service here")
            continue
        to = (*base, "services", normal(name))
        draft.add(to, place)
        for setting in Original(service, place).rest():
            _setting(setting, model, draft, to)
    chosen = draft.settings["inputs"][base[-1]].get("services", {})
    for name in () if chosen else SERVICES[kind]:
        draft.keep((*base, "services", name), {}, pod.UNSAID)
    for name in SERVICES[kind]:
        service = draft.settings["inputs"][base[-1]]["services"].get(name)
        if service is not None and STARTED not in service:
            draft.keep((*base, "services", name), None, pod.START, comment=False)


def _setting(setting: Setting, model: Any, draft: Draft, to: Place) -> None:
    name = str(setting.place[-1])
    ours = RENAMED.get(name, name)
    if len(setting.path) == 1 and ours in model.model_fields:
        draft.put((*to, ours), setting.value, setting.place)
    else:
        draft.leave(setting.place, UNKNOWN)
