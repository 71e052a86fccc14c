"""Settings of a generic WebSocket input: any stream of records over ``wss://`` or ``ws://``."""

import re
from typing import Annotated, ClassVar, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, SecretStr, model_validator

from collector.config.fields import (
    MIB,
    Bytes,
    HeaderName,
    HeaderSecret,
    Seconds,
    SecondsOrOff,
    Section,
    StartTime,
    Tag,
    conceal,
    refuse,
)
from collector.config.inputs import Input, Service, Services
from collector.config.secured import Secured
from collector.config.step_fields import SinglePath
from collector.config.urls import SocketUri

_OWN_HEADERS = re.compile(
    r"host|connection|upgrade|content-.*|transfer-encoding|sec-websocket-.*", re.IGNORECASE
)
_MEANINGLESS = ("request_period_in_seconds", "initial_start_time_in_utc")


def _user(user: SecretStr) -> SecretStr:
    if ":" in user.get_secret_value():
        fix = "write the user alone; the password has its own setting"
        raise conceal("has a colon", fix)
    return user


def _header(name: str) -> str:
    if _OWN_HEADERS.fullmatch(name):
        raise refuse("belongs to the handshake itself", "remove it")
    return name


def _delimiter(text: str) -> str:
    if len(text) != 1 or not text.isascii():
        fix = r'write one character, in double quotes where it has no sign: "\u0000", "|"'
        raise refuse("is not one ASCII character", fix)
    return text


Header: TypeAlias = Annotated[HeaderName, AfterValidator(_header)]
Delimiter: TypeAlias = Annotated[str, AfterValidator(_delimiter)]
Message: TypeAlias = Annotated[SecretStr, Field(min_length=1, max_length=65_536)]


class WebSocketCredentials(Secured):
    """Who asks; goes with each handshake."""

    strategy: Literal["none", "basic", "bearer"] = Field(
        default="none",
        description="What the header `Authorization` says: nothing, `user` and `password`, or "
        "`token`. Other ways are made of `headers` and `parameters`.",
    )
    user: Annotated[HeaderSecret, AfterValidator(_user)] | None = Field(
        default=None, description="User, with `strategy: basic`."
    )
    password: HeaderSecret | None = Field(
        default=None, description="Password of that user, with `strategy: basic`."
    )
    token: HeaderSecret | None = Field(
        default=None, description="Token, with `strategy: bearer`: OAuth 2, JWT or any other."
    )
    headers: Annotated[dict[Header, HeaderSecret], Field(max_length=32)] = Field(
        default={}, description="More headers of the handshake."
    )
    parameters: Annotated[dict[str, HeaderSecret], Field(max_length=32)] = Field(
        default={},
        description="Names and values that are added to the query of `uri`: those that must stay "
        "secret.",
    )

    @model_validator(mode="after")
    def _as_the_strategy_says(self) -> Self:
        given = {name for name in ("user", "password", "token") if getattr(self, name) is not None}
        wanted = {"basic": {"user", "password"}, "bearer": {"token"}}.get(self.strategy, set())
        if given != wanted:
            names = " and ".join(sorted(wanted)) or "none of user, password and token"
            raise conceal(f"strategy {self.strategy} goes with {names}", "give just those")
        return self

    @model_validator(mode="after")
    def _one_authorization(self) -> Self:
        if self.strategy != "none" and "authorization" in map(str.lower, self.headers):
            raise conceal("has two headers Authorization", "remove it, or write strategy: none")
        return self


class Framing(Section):
    """The way in which a stream is cut into records."""

    method: Literal["none", "newline", "character", "length", "octet_counting"] = Field(
        default="none",
        description="`none`: a message is a record. `newline`, `character`: records end with a "
        "line end, or with `delimiter`. `length`: a record follows its length in 32 bits, the "
        "highest byte first. `octet_counting`: it follows its length in digits and a blank.",
    )
    delimiter: Delimiter | None = Field(
        default=None, description="The character, with `method: character`."
    )
    spans_messages: bool = Field(
        default=False,
        description="With `newline` and `character`: a record may go on in the next message. "
        "Without this the end of a message ends its last record, too. The other methods tell by "
        "themselves where a record ends.",
    )

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if (self.method == "character") != (self.delimiter is not None):
            raise refuse("delimiter goes with method character", "give both, or neither")
        return self

    @model_validator(mode="after")
    def _ends_of_messages(self) -> Self:
        if self.spans_messages and self.method not in ("newline", "character"):
            raise refuse(
                "spans_messages is for newline and character alone",
                "remove it: a length tells by itself whether a record goes on",
            )
        return self


class WebSocketStream(Secured, Service):
    """The records of the stream."""

    mode: ClassVar[str] = "live"

    tag: Tag = Field(default="websocket.stream", description="Tag (table) of the records.")
    codec: Literal["raw", "json", "native_json", "gelf", "syslog"] = Field(
        default="raw",
        description="What a record is. `raw`: any bytes; they become `message`. `json`: an object, "
        "or an array of them. `native_json`: Vector's own events. `gelf`: Graylog's format. "
        "`syslog`: RFC 5424 or RFC 3164.",
    )
    framing: Framing = Field(
        default=Framing(), description="How records are told apart within the messages."
    )
    id_field: SinglePath | None = Field(
        default=None,
        description="Path of the field that holds a record's id, for example `meta.id`. Default: "
        "none; a record is known by where it came.",
    )
    time_field: SinglePath | None = Field(
        default=None,
        description="Path of the field that holds a record's time. Default: none; a record has the "
        "time at which it came.",
    )
    time_format: Literal["iso8601", "unix", "unix_ms", "unix_us", "unix_ns"] = Field(
        default="iso8601",
        description="How that time is written: ISO 8601 (without a zone it is UTC), or seconds, "
        "milliseconds, microseconds or nanoseconds since 1970-01-01 UTC.",
    )
    deduplicate: bool = Field(
        default=False,
        description="Drop a record whose id and time are known already; without `id_field` that "
        "is one with the same content. Needs `time_field`. Default: no; equal records are "
        "different records.",
    )
    initial_message: Message | None = Field(
        default=None,
        description="Text to send when the connection is open, such as a subscription.",
    )
    initial_message_timeout_in_seconds: SecondsOrOff = Field(
        default=2.0,
        description="Seconds within which something must come after the initial message, or the "
        "connection is made anew; 0 is no limit. What comes is a record like any other.",
    )
    connect_timeout_in_seconds: Seconds = Field(
        default=30.0, description="Seconds to reach the server and finish the handshake."
    )
    ping_interval_in_seconds: SecondsOrOff = Field(
        default=60.0, description="Seconds between two pings; 0 is never."
    )
    ping_timeout_in_seconds: SecondsOrOff = Field(
        default=30.0,
        description="Seconds without a byte after a ping (data counts as its answer) after which "
        "the connection is made anew; 0 is never.",
    )
    ping_message: Annotated[str, Field(min_length=1, max_length=65_536)] | None = Field(
        default=None,
        description="Text that is sent as a ping. Default: none; pings are WebSocket's own frames.",
    )
    idle_limit_in_seconds: SecondsOrOff = Field(
        default=0.0,
        description="Seconds without a byte from the server (pongs count) after which the "
        "connection is made anew; 0 is never.",
    )
    max_message_bytes: Bytes = Field(
        default=16 * MIB,
        description="Size in bytes that a message has at most; one of more than twice the size "
        "ends the connection.",
    )
    max_record_bytes: Bytes = Field(
        default=8 * MIB, description="Largest record in bytes; a larger one is kept aside."
    )
    compression: bool = Field(
        default=True, description="Offer permessage-deflate; the server may decline it."
    )
    request_period_in_seconds: Seconds = Field(
        default=600.0, description="Not for a stream: nothing is asked for. Refused here."
    )
    initial_start_time_in_utc: StartTime | None = Field(
        default=None,
        description="Not for a stream: it begins when it is first heard. Refused here.",
    )

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        for name in _MEANINGLESS:
            if name in self.model_fields_set:
                raise refuse(f"{name} means nothing for a stream", "remove it")
        return self

    @model_validator(mode="after")
    def _repeats(self) -> Self:
        if self.deduplicate and self.time_field is None:
            reason = "deduplicate needs time_field: repeats are looked for by id and time"
            raise refuse(reason, "add time_field, or remove deduplicate")
        return self

    @model_validator(mode="after")
    def _pings(self) -> Self:
        if self.ping_interval_in_seconds == 0 and self._sets_pings():
            reason = "ping_timeout_in_seconds and ping_message need ping_interval_in_seconds"
            raise refuse(reason, "give it more than 0, or remove them")
        return self

    def _sets_pings(self) -> bool:
        timeout_set = "ping_timeout_in_seconds" in self.model_fields_set
        return self.ping_message is not None or (timeout_set and self.ping_timeout_in_seconds > 0)


class WebSocketServices(Services):
    """What is collected from a WebSocket."""

    stream: WebSocketStream | None = Field(default=None, description="Collect the stream.")


class WebSocketInput(Input):
    """Any stream of records over a WebSocket; what it sends while nobody hears it is lost."""

    type: Literal["websocket"] = Field(
        default="websocket",
        description="This kind of input. Default: the input's own name, when that is a type.",
    )
    uri: SocketUri = Field(
        description="URI of the stream, with path and query: `wss://...`, or `ws://...` on this "
        "machine. Secret parts of the query go into `credentials.parameters`."
    )
    credentials: WebSocketCredentials = Field(
        default=WebSocketCredentials(), description="Who asks."
    )
    services: WebSocketServices = Field(
        description="What is collected; there is one service, `stream`."
    )
