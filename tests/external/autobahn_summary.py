"""Prints what an Autobahn report says, by behaviour; exits 1 on a failure nobody expected.

python tests/external/autobahn_summary.py reports/index.json
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

_GOOD = ("OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED")
EXPECTED: dict[str, str] = {}
"""Cases that fail on purpose, and why; docs/autobahn.md tells more."""


def order(case: str) -> list[int]:
    """``10.1.1`` comes after ``9.8.6``."""
    return [int(number) for number in case.split(".")]


def outcomes(report: Path) -> dict[str, str]:
    """Each case with its behaviour, in the order of the suite."""
    (cases,) = json.loads(report.read_text(encoding="utf-8")).values()
    return {case: cases[case]["behavior"] for case in sorted(cases, key=order)}


def main(report: Path) -> int:
    """Print the summary; 1 when a case fails that is not expected to."""
    found: dict[str, list[str]] = defaultdict(list)
    for case, behaviour in outcomes(report).items():
        found[behaviour].append(case)
    for behaviour, cases in sorted(found.items()):
        named = "" if behaviour == "OK" else "  " + " ".join(cases)
        print(f"{behaviour:14}{len(cases):4}{named}")
    bad = [c for b, cases in found.items() if b not in _GOOD for c in cases]
    print(f"{'total':14}{sum(map(len, found.values())):4}")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
