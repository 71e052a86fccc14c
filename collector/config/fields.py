"""The kinds of value that settings have, each refusing nonsense with its remedy."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Annotated, Any, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from collector.config import rules
from collector.core import times
from collector.core.model import Micros

MIB = 1024 * 1024
UNSURE = "The vendor does not document this."
"""What the description of a setting says whose default is a guess about the vendor."""

YEAR_IN_SECONDS = 366 * 86_400

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
TAG = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
MAX_TEXT = 1024
START = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
WORD = re.compile(r"[!-~]{1,255}")
APP_NAME = re.compile(r"[!-~]{1,48}")
PATH = re.compile(r"/[!-~]{0,1023}")


class Section(BaseModel):
    """A block of settings: nothing unknown, nothing converted, nothing changed later."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    @model_validator(mode="wrap")
    @classmethod
    def _at_once(
        cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        """Have the section's own rules told together with what is wrong in it."""
        try:
            made = handler(value)
        except ValidationError as error:
            raise rules.together(cls, value, error, info) from None
        rules.refuse(made, value, info)
        return made


@dataclass(frozen=True)
class Facts:
    """What a value is judged by besides itself; handed to pydantic as its context."""

    now: Micros
    allow_plaintext: bool
    outputs: frozenset[str]
    pipelines: frozenset[str] = frozenset()


IN_THE_PAST = "give a time in the past"
"""What to do about a time that is later than now."""


def in_the_future(now: Micros) -> str:
    """What is wrong with a time that is later than now."""
    return f"lies in the future (it is now {times.isoformat(now)})"


def refuse(reason: str, fix: str) -> PydanticCustomError:
    """The error for a value that may be shown."""
    return PydanticCustomError("setting", "{reason}", {"reason": reason, "fix": fix})


def conceal(reason: str, fix: str) -> PydanticCustomError:
    """The error for a value that may hold a secret and is never shown."""
    return PydanticCustomError("concealed", "{reason}", {"reason": reason, "fix": fix})


def address(text: str) -> IPv4Address | IPv6Address | None:
    """The IP address that a text spells, or None."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        reason = "is no name: only letters, digits, - and _, at most 64"
        raise refuse(reason, "rename it, for example acme_eu")
    return text


def _tag(text: str) -> str:
    if not TAG.fullmatch(text):
        reason = "is no tag: small letters, digits, dots, - and _, at most 128"
        raise refuse(reason, "write one like casb.proofpoint.alert")
    return text


def _text(text: str) -> str:
    if not text or text != text.strip() or not text.isprintable() or len(text) > MAX_TEXT:
        reason = "is empty, too long, or has blanks at its ends or control characters"
        raise refuse(reason, "write 1 to 1024 printable characters")
    return text


def _field_name(text: str) -> str:
    if '"' in text or "\\" in text:
        raise refuse("has a quote or a backslash", "write the name as it reads, without escapes")
    return _text(text)


def can_be_secret(text: str) -> bool:
    """Whether a setting takes this text for a secret: one line, with nothing at its ends."""
    return bool(text) and text == text.strip() and text.isprintable()


def _secret(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value
    if not isinstance(value, str):
        raise conceal("must be text", "put the secret in quotes")
    if not can_be_secret(value):
        reason = "is empty, or has blanks at its ends or control characters inside"
        raise conceal(reason, "check the variable or file that it comes from")
    return value


def _header_secret(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().isascii():
        raise conceal("cannot go into an HTTP header: not ASCII", "check that it was copied whole")
    return secret


def _host(text: str) -> str:
    if not HOST.fullmatch(text) and address(text) is None:
        reason = "is no host name or address (no scheme, no port, no path)"
        raise refuse(reason, "write the host alone; the port has its own setting")
    return text


def _start(text: str, info: ValidationInfo) -> str:
    fix = 'write it as "2026-01-31T00:00:00Z"'
    if not START.fullmatch(text):
        raise refuse("is no UTC time", fix)
    try:
        instant = times.parse(text)
    except ValueError:
        raise refuse("is no date of the calendar", fix) from None
    if instant < 0:
        raise refuse("lies before 1970", fix)
    if isinstance(info.context, Facts) and instant > info.context.now:
        raise refuse(in_the_future(info.context.now), IN_THE_PAST)
    return text


def _output(name: str, info: ValidationInfo) -> str:
    if isinstance(info.context, Facts) and name not in info.context.outputs:
        known = ", ".join(sorted(info.context.outputs)) or "none"
        raise refuse("is no output of this configuration", f"choose from: {known}")
    return name


def _pipeline(name: str, info: ValidationInfo) -> str:
    if isinstance(info.context, Facts) and name not in info.context.pipelines:
        known = ", ".join(sorted(info.context.pipelines)) or "none; write one under pipelines:"
        raise refuse("is no pipeline of this configuration", f"choose from: {known}")
    return name


def _path(value: Any) -> Any:
    if isinstance(value, str) and not (value.strip() and value.isprintable()):
        raise refuse("is empty or has control characters", "write the path of a file or folder")
    return value


def _matching(pattern: re.Pattern[str], reason: str, fix: str) -> AfterValidator:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise refuse(reason, fix)
        return text

    return AfterValidator(check)


Name: TypeAlias = Annotated[str, AfterValidator(_name)]
Tag: TypeAlias = Annotated[str, AfterValidator(_tag)]
Text: TypeAlias = Annotated[str, AfterValidator(_text)]
FieldName: TypeAlias = Annotated[str, AfterValidator(_field_name)]
Secret: TypeAlias = Annotated[SecretStr, BeforeValidator(_secret)]
HeaderSecret: TypeAlias = Annotated[Secret, AfterValidator(_header_secret)]
Host: TypeAlias = Annotated[str, AfterValidator(_host)]
StartTime: TypeAlias = Annotated[str, AfterValidator(_start)]
OutputName: TypeAlias = Annotated[str, AfterValidator(_output)]
PipelineName: TypeAlias = Annotated[str, AfterValidator(_pipeline)]
PipelineNames: TypeAlias = Annotated[tuple[PipelineName, ...], Field(strict=False, max_length=16)]
UrlPath: TypeAlias = Annotated[
    str, _matching(PATH, "is no URL path", "start it with / and leave the host out")
]
HeaderName: TypeAlias = Annotated[
    str, _matching(TOKEN, "is no HTTP header name", "use letters, digits and -")
]
SyslogName: TypeAlias = Annotated[
    str, _matching(WORD, "has blanks or is too long", "use up to 255 printable ASCII characters")
]
AppName: TypeAlias = Annotated[
    str,
    _matching(APP_NAME, "has blanks or is too long", "use up to 48 printable ASCII characters"),
]
FilePath: TypeAlias = Annotated[Path, Field(strict=False), BeforeValidator(_path)]

Seconds: TypeAlias = Annotated[float, Field(gt=0, le=YEAR_IN_SECONDS)]
SecondsOrOff: TypeAlias = Annotated[float, Field(ge=0, le=YEAR_IN_SECONDS)]
Minutes: TypeAlias = Annotated[float, Field(gt=0, le=YEAR_IN_SECONDS / 60)]
Hours: TypeAlias = Annotated[float, Field(gt=0, le=24 * 366)]
Days: TypeAlias = Annotated[int, Field(ge=1, le=3660)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000_000)]
Workers: TypeAlias = Annotated[int, Field(ge=1, le=64)]
CountOrOff: TypeAlias = Annotated[int, Field(ge=0, le=1_000_000_000)]
Bytes: TypeAlias = Annotated[int, Field(ge=1024, le=1024 * 1024 * MIB)]
StoredBytes: TypeAlias = Annotated[int, Field(ge=MIB, le=1024 * 1024 * MIB)]
Port: TypeAlias = Annotated[int, Field(ge=1, le=65_535)]
Status: TypeAlias = Annotated[int, Field(ge=100, le=599)]
Statuses: TypeAlias = Annotated[tuple[Status, ...], Field(strict=False, max_length=64)]
