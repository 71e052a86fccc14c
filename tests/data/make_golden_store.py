"""Write the golden store of this release, once, when its schema is final.

    python -m tests.data.make_golden_store

The store is kept packed, beside what it must show for ever.  What an earlier release
has written is never changed: the folder must not be there yet.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from contextlib import closing
from pathlib import Path

from collector import __version__
from collector.persistence.database import FILE_NAME
from collector.persistence.sqlite import SqliteStore
from tests.fakes import golden
from tests.fakes.clock import ManualClock
from tests.fakes.pulls import START

STORES = Path(__file__).parent / "stores"


def main() -> None:
    """Fill a store, note what it shows, and keep both."""
    target = STORES / __version__
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        golden.fill(folder)
        packed = gzip.compress((folder / FILE_NAME).read_bytes(), mtime=0)
        contents = golden.shown(folder)
        with closing(SqliteStore.open(folder, ManualClock(START))) as store:
            contents |= golden.owed(store)
    (target / f"{FILE_NAME}.gz").write_bytes(packed)
    text = json.dumps(contents, indent=1, ensure_ascii=False, sort_keys=True)
    (target / "contents.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
