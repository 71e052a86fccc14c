"""librdkafka's own broker (``rdkafka_mock.h``): it speaks the protocol over loopback.

The Python client does not offer its faults, so the library is called directly.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

import confluent_kafka
from confluent_kafka import Consumer, Message, TopicPartition

PRODUCE = 0
INIT_PRODUCER_ID = 22
"""The protocol's numbers of requests."""
BROKER = 1

_HANDLE = ctypes.c_void_p
_PRODUCER_TYPE = 0
_NO_LOG = (b"log_level", b"0")


def _library() -> ctypes.CDLL:
    """The very library that the client has loaded."""
    folder = Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs"
    (path,) = folder.glob("librdkafka*.so*")
    return ctypes.CDLL(str(path))


_LIBRARY = _library()


def _function(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    found: Any = getattr(_LIBRARY, name)
    found.restype, found.argtypes = result, arguments
    return found  # type: ignore[no-any-return]


_errors = ctypes.POINTER(ctypes.c_int)
_new_conf = _function("rd_kafka_conf_new", _HANDLE)
_set_conf = _function(
    "rd_kafka_conf_set",
    ctypes.c_int,
    _HANDLE,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_size_t,
)
_new = _function("rd_kafka_new", _HANDLE, ctypes.c_int, _HANDLE, ctypes.c_char_p, ctypes.c_size_t)
_destroy = _function("rd_kafka_destroy", None, _HANDLE)
_new_cluster = _function("rd_kafka_mock_cluster_new", _HANDLE, _HANDLE, ctypes.c_int)
_end_cluster = _function("rd_kafka_mock_cluster_destroy", None, _HANDLE)
_servers = _function("rd_kafka_mock_cluster_bootstraps", ctypes.c_char_p, _HANDLE)
_create = _function(
    "rd_kafka_mock_topic_create",
    ctypes.c_int,
    _HANDLE,
    ctypes.c_char_p,
    ctypes.c_int,
    ctypes.c_int,
)
_push_errors = _function(
    "rd_kafka_mock_push_request_errors_array",
    None,
    _HANDLE,
    ctypes.c_int16,
    ctypes.c_size_t,
    _errors,
)
_clear_errors = _function("rd_kafka_mock_clear_request_errors", None, _HANDLE, ctypes.c_int16)
_set_down = _function("rd_kafka_mock_broker_set_down", ctypes.c_int, _HANDLE, ctypes.c_int32)
_start_tracking = _function("rd_kafka_mock_start_request_tracking", None, _HANDLE)
_requests = _function(
    "rd_kafka_mock_get_requests",
    ctypes.POINTER(_HANDLE),
    _HANDLE,
    ctypes.POINTER(ctypes.c_size_t),
)
_forget_requests = _function(
    "rd_kafka_mock_request_destroy_array", None, ctypes.POINTER(_HANDLE), ctypes.c_size_t
)
_api_key = _function("rd_kafka_mock_request_api_key", ctypes.c_int16, _HANDLE)
_set_topic_error = _function(
    "rd_kafka_mock_topic_set_error", None, _HANDLE, ctypes.c_char_p, ctypes.c_int
)
_set_delay = _function(
    "rd_kafka_mock_broker_set_rtt", ctypes.c_int, _HANDLE, ctypes.c_int32, ctypes.c_int
)
_set_up = _function("rd_kafka_mock_broker_set_up", ctypes.c_int, _HANDLE, ctypes.c_int32)


class KafkaBrokers:
    """A cluster of one broker."""

    def __init__(self) -> None:
        reason = ctypes.create_string_buffer(512)
        conf = _new_conf()
        _set_conf(conf, *_NO_LOG, reason, len(reason))
        self._handle = _new(_PRODUCER_TYPE, conf, reason, len(reason))
        assert self._handle, reason.value
        self._cluster = _new_cluster(self._handle, 1)
        self.servers: str = _servers(self._cluster).decode()
        _start_tracking(self._cluster)

    def __enter__(self) -> Self:
        """It runs already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the broker."""
        _end_cluster(self._cluster)
        _destroy(self._handle)

    def create(self, topic: str, partitions: int = 1) -> None:
        """Make a topic; one that is written to without it has four partitions."""
        assert _create(self._cluster, topic.encode(), partitions, 1) == 0

    def refuse(self, errors: Iterable[int], request: int = PRODUCE) -> None:
        """Answer the next such requests with these codes; 0 takes what it brings."""
        codes = list(errors)
        _push_errors(self._cluster, request, len(codes), (ctypes.c_int * len(codes))(*codes))

    def refuse_topic(self, topic: str, error: int) -> None:
        """Answer whoever asks for this topic's partitions with this code."""
        _set_topic_error(self._cluster, topic.encode(), error)

    def requests(self, request: int) -> int:
        """So many requests of this kind came."""
        count = ctypes.c_size_t()
        found = _requests(self._cluster, ctypes.byref(count))
        try:
            return sum(_api_key(each) == request for each in found[: count.value])
        finally:
            _forget_requests(found, count.value)

    def accept(self) -> None:
        """Answer all requests well again."""
        _clear_errors(self._cluster, PRODUCE)

    def go_down(self) -> None:
        """Close all connections and take no new ones."""
        _set_down(self._cluster, BROKER)

    def come_up(self) -> None:
        """Take connections again."""
        _set_up(self._cluster, BROKER)

    def delay(self, milliseconds: int) -> None:
        """Answer everything so much later."""
        _set_delay(self._cluster, BROKER, milliseconds)

    def messages(self, topic: str) -> list[Message]:
        """All messages of a topic, by partition and offset, as a consumer reads them."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.servers,
                "group.id": "tests",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 10,
                "fetch.message.max.bytes": 8_000_000,
                "log_level": 0,
            }
        )
        try:
            return _read(consumer, topic)
        finally:
            consumer.close()


def _read(consumer: Consumer, topic: str) -> list[Message]:
    """What the consumer finds in the topic up to its present end."""
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    places = [TopicPartition(topic, number, 0) for number in partitions]
    ends = [consumer.get_watermark_offsets(place, timeout=10)[1] for place in places]
    consumer.assign(places)
    found: list[Message] = []
    while len(found) < sum(ends):
        read = consumer.consume(min(sum(ends) - len(found), 1000), timeout=10)
        assert read, f"{len(found)} of {sum(ends)} messages came"
        assert not any(message.error() for message in read)
        found += read
    return sorted(found, key=lambda message: (message.partition() or 0, message.offset() or 0))
