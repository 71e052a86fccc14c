"""A cluster's bulk interface: it creates documents once, and answers item by item."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from tests.fakes.receivers import Answer, Posted

EXISTS = "version_conflict_engine_exception"


class BulkServer:
    """``documents`` by index and id, as the bytes that came, in the order of their creation.

    ``judge`` may refuse a document with a status and the type of an error; names in
    ``streams`` are data streams, which take only documents with ``@timestamp``.
    ``authorization`` is the header that is asked for.
    """

    def __init__(self, *, streams: frozenset[str] = frozenset(), authorization: str = "") -> None:
        self.documents: dict[tuple[str, str], bytes] = {}
        self.streams = streams
        self.authorization = authorization
        self.judge: Callable[[bytes], tuple[int, str] | None] = lambda _: None
        self.repeats = 0
        self.queries: list[dict[str, list[str]]] = []

    def __call__(self, posted: Posted) -> Answer:
        """Answer one request."""
        url = urlsplit(posted.path)
        if url.path != "/_bulk":
            return Answer(404)
        if posted.headers.get("authorization", "") != self.authorization:
            return Answer(401, (), b'{"error":{"type":"security_exception"},"status":401}')
        self.queries.append(parse_qs(url.query))
        lines = posted.body.split(b"\n")
        if lines.pop() or len(lines) % 2 or not lines:
            return Answer(400, (), b'{"error":{"type":"illegal_argument_exception"}}')
        pairs = zip(lines[::2], lines[1::2], strict=True)
        items = [{"create": self._create(json.loads(action), line)} for action, line in pairs]
        errors = any("error" in item["create"] for item in items)
        return Answer(200, (), json.dumps({"errors": errors, "items": items}).encode())

    def _create(self, action: dict[str, dict[str, str]], line: bytes) -> dict[str, object]:
        ((operation, target),) = action.items()
        assert operation == "create"
        name = (target["_index"], target["_id"])
        if name in self.documents:
            self.repeats += 1
            return failed(409, EXISTS)
        verdict = self.judge(line) or self._mapped(target["_index"], line)
        if verdict is not None:
            return failed(*verdict)
        self.documents[name] = line
        return {"status": 201}

    def _mapped(self, index: str, line: bytes) -> tuple[int, str] | None:
        document = json.loads(line)
        if not isinstance(document, dict):
            return 400, "document_parsing_exception"
        if index in self.streams and "@timestamp" not in document:
            return 400, "document_parsing_exception"
        return None


def failed(status: int, kind: str) -> dict[str, object]:
    """An item that was not taken."""
    return {"status": status, "error": {"type": kind, "reason": f"[1:9] {kind}"}}
