"""Checkpoints as they are stored: JSON text, under the names of ``core.state``."""

from __future__ import annotations

from typing import Any

import msgspec

from collector.core import state
from collector.core.checkpoint import Checkpoint
from collector.errors import StateError

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def read_state(source: str, text: str) -> state.State:
    """The state as it was stored, before upgrades; raises ``StateError``."""
    try:
        return _decode(text)
    except (msgspec.DecodeError, TypeError) as error:
        raise _unusable(source, error) from error


def read_checkpoint(source: str, stored: state.State) -> Checkpoint:
    """The checkpoint in a stored state; raises ``StateError``."""
    try:
        return state.from_state(stored)
    except ValueError as error:
        raise _unusable(source, error) from error


def write(checkpoint: Checkpoint) -> str:
    """The text to store."""
    return msgspec.json.encode(state.to_state(checkpoint)).decode()


def _unusable(source: str, error: Exception) -> StateError:
    return StateError(
        210,
        f"the state of {source} cannot be used: {error}",
        "run the release that wrote it, or start this service anew with "
        f"'collector state reset {source} --start TIME'",
    )
