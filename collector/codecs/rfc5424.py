"""The syslog protocol of RFC 5424, read strictly by its grammar (section 6)."""

from __future__ import annotations

import re

from collector.codecs.priority import HIGHEST, named
from collector.codecs.raw import with_message
from collector.core.decoded import Record

_TIME = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)"
_HEADER = re.compile(
    rb"<(0|[1-9]\d{0,2})>1 (-|" + _TIME + rb") "
    rb"([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) "
)
_NAME = rb"([!#-<>-\\^-~]{1,32})"
_ELEMENT = re.compile(rb"\[" + _NAME)
_PARAMETER = re.compile(rb" " + _NAME + rb'="((?:[^"\\\]]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(rb'\\(["\\\]])')
_NIL = b"-"
_BOM = b"\xef\xbb\xbf"

_Parameters = dict[str, str | list[str]]


def record(message: bytes) -> Record:
    """The record of a message; raises ``ValueError`` where it leaves the grammar.

    Its fields: ``facility``, ``severity``, ``version``, ``timestamp``, ``hostname``,
    ``appname``, ``procid``, ``msgid`` and ``structured_data`` where they are not nil,
    and ``message``.
    """
    header = _HEADER.match(message)
    if header is None or int(header[1]) > HIGHEST:
        raise ValueError("the header is malformed")
    names = ("timestamp", "hostname", "appname", "procid", "msgid")
    values = zip(names, header.groups()[1:], strict=True)
    fields = named(int(header[1])) | {"version": 1}
    fields |= {name: value.decode() for name, value in values if value != _NIL}
    elements, at = _structured_data(message, header.end())
    if elements:
        fields["structured_data"] = elements
    if at < len(message) and message[at : at + 1] != b" ":
        raise ValueError(f"no blank follows the structured data (byte {at})")
    return with_message(fields, message[at + 1 :].removeprefix(_BOM))


def _structured_data(message: bytes, at: int) -> tuple[dict[str, _Parameters], int]:
    """The elements by id, and where they end."""
    if message[at : at + 1] == _NIL:
        return {}, at + 1
    elements: dict[str, _Parameters] = {}
    while element := _ELEMENT.match(message, at):
        name = element[1].decode()
        if name in elements:
            raise ValueError(f"an id of structured data stands twice (byte {at})")
        elements[name], at = _parameters(message, element.end())
    if not elements:
        raise ValueError(f"the structured data is malformed (byte {at})")
    return elements, at


def _parameters(message: bytes, at: int) -> tuple[_Parameters, int]:
    """The parameters of an element, and where it ends; one that is repeated is a list."""
    found: dict[str, list[str]] = {}
    while parameter := _PARAMETER.match(message, at):
        value = _ESCAPED.sub(rb"\1", parameter[2]).decode()
        found.setdefault(parameter[1].decode(), []).append(value)
        at = parameter.end()
    if message[at : at + 1] != b"]":
        raise ValueError(f"a parameter of the structured data is malformed (byte {at})")
    return {name: all_[0] if len(all_) == 1 else all_ for name, all_ in found.items()}, at + 1
