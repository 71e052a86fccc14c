"""The page on the vendors is held to the code: what cites it and what it names exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "vendor-notes.md"
FOLDERS = ("collector", "tests", "bench", "docs")
SOURCES = [
    path
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".md"} and path not in {PAGE, Path(__file__)}
]

NUMBER = r"A?\d+"
SPAN = rf"{NUMBER}(?: to {NUMBER})?"
PART = rf"(?:PoD|CASB|Devo) {SPAN}(?:(?:, | and ){SPAN})*"
CITATION = re.compile(rf"docs/vendor-notes\.md, ({PART}(?:(?:, | and ){PART})*)")
"""As in ``docs/vendor-notes.md, PoD 2 to 4 and 8, CASB A3``."""


def running(path: Path) -> str:
    """A file's text on one line, so that a citation may go over the end of a line."""
    return re.sub(r"\s+(?:# )?", " ", path.read_text(encoding="utf-8"))


def sections(cited: str) -> Iterator[str]:
    """The sections that a citation names, one by one."""
    for product, spans in re.findall(rf"(PoD|CASB|Devo) ((?:{SPAN}(?:, | and )?)+)", cited):
        for span in re.findall(SPAN, spans):
            ends = [int(number) for number in re.findall(r"\d+", span)]
            letter = "A" if span.startswith("A") else ""
            yield from (f"{product} {letter}{n}" for n in range(ends[0], ends[-1] + 1))


def headings() -> list[str]:
    """The names of the page's sections."""
    return re.findall(
        r"^### ((?:PoD|CASB|Devo) A?\d+)\. ", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )


def test_sections_of_a_citation() -> None:
    """Spans are written out; each product has its own numbers."""
    assert list(sections("PoD 2 to 4 and 8, CASB A3 and A4 and Devo 5")) == [
        *("PoD 2", "PoD 3", "PoD 4", "PoD 8"),
        *("CASB A3", "CASB A4"),
        "Devo 5",
    ]


def test_headings_are_unique() -> None:
    """A citation names one section."""
    assert len(set(headings())) == len(headings())


def test_each_citation_names_a_section() -> None:
    """What the code and the documents cite is on the page."""
    cited = {
        (str(path.relative_to(ROOT)), section)
        for path in SOURCES
        for found in CITATION.findall(running(path))
        for section in sections(found)
    }
    assert {section for _, section in cited} > {"PoD 4", "CASB A3", "Devo 5"}
    assert {(name, section) for name, section in cited if section not in headings()} == set()


def test_code_speaks_of_the_notes_by_section() -> None:
    """No other words lead to the notes, so every mention is held to the page."""
    mention = re.compile(r"vendor(?:'s)?[- ]notes", re.IGNORECASE)
    loose = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path.suffix == ".py"
        if len(mention.findall(running(path))) != len(CITATION.findall(running(path)))
    ]
    assert loose == []


def test_links_to_a_section_lead_there() -> None:
    """An anchor in a link is a heading's, as it is made of it in the rendered page."""
    titles = re.findall(r"^#+ (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    linked = set(re.findall(r"\]\(#([\w-]+)\)", running(PAGE)))
    for path in SOURCES:
        linked |= set(re.findall(r"vendor-notes\.md#([\w-]+)", running(path)))
    assert linked - anchors == set()


def test_each_setting_named_exists() -> None:
    """What the page says to change is in the list of settings, by the end of its name at least."""
    reference = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    known = re.findall(r"^\| `([\w.]+)` \|", reference, re.MULTILINE)
    tables = re.findall(
        r"^\|.*\| setting \|\n((?:\|.*\n)+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    named = {
        name
        for table in tables
        for row in table.splitlines()
        for name in re.findall(r"`([^`]+)`", row.rsplit("|", 2)[1])
    }
    assert len(named) > 40
    assert {
        name for name in named if not any(f".{setting}".endswith(f".{name}") for setting in known)
    } == set()
