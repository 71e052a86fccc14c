"""The whole configuration as typed, frozen settings."""

from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import Field, field_validator

from collector.config.casb import CasbInput
from collector.config.fields import Name, Section
from collector.config.globals import Globals
from collector.config.metadata import tagged
from collector.config.outputs import Output
from collector.config.pipelines import PipelineConfig
from collector.config.pod import PodInput
from collector.config.websocket import WebSocketInput

AnyInput: TypeAlias = Annotated[CasbInput | PodInput | WebSocketInput, Field(discriminator="type")]

INPUT_TYPES = ("proofpoint_casb", "proofpoint_pod", "websocket")


class Settings(Section):
    """The configuration of one collector."""

    globals: Globals = Field(description="The collector as a whole.")
    outputs: dict[Name, Output] = Field(
        min_length=1, max_length=64, description="Destinations, by name."
    )
    inputs: dict[Name, AnyInput] = Field(
        min_length=1, max_length=4096, description="Tenants to collect from, by name."
    )
    pipelines: dict[Name, PipelineConfig] = Field(
        default={},
        max_length=64,
        description="What records go through before they are kept, by name; see "
        "[pipelines.md](pipelines.md).",
    )

    @field_validator("inputs", mode="before")
    @classmethod
    def _types(cls, inputs: Any) -> Any:
        """Fill in what stands elsewhere: an input's type, and the placeholders of tags."""
        if not isinstance(inputs, dict):
            return inputs
        return {name: tagged(name, typed(name, settings)) for name, settings in inputs.items()}

    @property
    def state_folder(self) -> Path:
        """Where this collector keeps its state."""
        return self.globals.persistence.config.directory_name

    def sources(self) -> list[str]:
        """All that is to be collected: the enabled services of enabled inputs."""
        return [
            f"{name}#{field}"
            for name, each in self.inputs.items()
            if each.enabled
            for field in each.services.enabled()
        ]

    def outputs_of(self, name: str) -> tuple[str, ...]:
        """The names of the outputs that get this input's records."""
        chosen = self.inputs[name].outputs
        return tuple(self.outputs) if chosen is None else chosen


def typed(name: str, settings: Any) -> Any:
    """One input's settings with ``type`` filled in from its name, where that is a type."""
    if isinstance(settings, dict) and "type" not in settings and name in INPUT_TYPES:
        return {"type": name, **settings}
    return settings
