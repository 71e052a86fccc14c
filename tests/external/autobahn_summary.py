"""Prints what an Autobahn report says, by behaviour; exits 1 when it is not what is known.

    python tests/external/autobahn_summary.py reports/index.json

``autobahn_expected.txt`` names the cases that fail on purpose; docs/autobahn.md says why.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

_EXPECTED = Path(__file__).with_name("autobahn_expected.txt")


def order(case: str) -> list[int]:
    """``10.1.1`` comes after ``9.8.6``."""
    return [int(number) for number in case.split(".")]


def behaviours(report: Path) -> dict[str, list[str]]:
    """The cases of each behaviour, in the order of the suite."""
    (cases,) = json.loads(report.read_text(encoding="utf-8")).values()
    found: dict[str, list[str]] = defaultdict(list)
    for case in sorted(cases, key=order):
        found[cases[case]["behavior"]].append(case)
    return found


def main(report: Path) -> int:
    """Print the summary; 1 when a case fails unexpectedly, or no longer fails."""
    found = behaviours(report)
    for behaviour, cases in sorted(found.items()):
        named = "" if behaviour == "OK" else " ".join(cases)
        print(f"{behaviour:14}{len(cases):4}  {named}".rstrip())
    ran = {case for cases in found.values() for case in cases}
    expected = set(_EXPECTED.read_text(encoding="utf-8").split()) & ran
    surprises = sorted(expected ^ set(found["FAILED"]), key=order)
    print(f"{'total':14}{len(ran):4}  unlike docs/autobahn.md: {' '.join(surprises) or 'none'}")
    return int(bool(surprises))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
