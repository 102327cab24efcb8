"""The campaign's tables, on the terminal and between the markers of docs/reliability.md."""

import re
from collections.abc import Sequence

from tests.fixtures.template import ROOT
from tests.reliability.campaign import Result, Total
from tests.reliability.faults import NAMES
from tests.reliability.verdict import INVARIANTS

DOCUMENT = ROOT / "docs" / "reliability.md"
_MOST_WORDS = 10

Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""(head, rows)"""


def markdown(table: Table) -> str:
    head, rows = table
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join(["-"] + ["-:"] * (len(head) - 1)) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def plain(table: Table) -> str:
    head, rows = table
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (head, *rows)
    ]
    return "\n".join(lines)


def broken(totals: Sequence[Total]) -> Table:
    """What must be 0."""
    rows = [
        [f"{name}: {words}" if name != "boards" else words]
        + [str(total.wrong[name]) for total in totals]
        for name, words in INVARIANTS.items()
    ]
    return ["broken promises (all must be 0)", *(t.name for t in totals)], rows


def happened(totals: Sequence[Total]) -> Table:
    """What there was, and how it ended."""
    rows = [
        ["seeds", *(_seeds(total.seeds) for total in totals)],
        ["predictions asked for", *(f"{total.predictions:,}" for total in totals)],
        ["calls of AWS", *(f"{total.aws_calls:,}" for total in totals)],
    ]
    rows += [
        [f"rows that ended {status}", *(f"{t.endings[status]:,}" for t in totals)]
        for status in ("succeeded", "failed", "blocked", "expired", "canceled")
    ]
    rows += [
        ["pictures made at the providers", *(f"{t.pictures_made:,}" for t in totals)],
        ["of these, in the bucket", *(f"{t.pictures_kept:,}" for t in totals)],
        [
            "paid for, not to be had, and the row says so",
            *(str(t.paid_for_nothing) for t in totals),
        ],
        ["callbacks delivered", *(f"{t.callbacks['delivered']:,}" for t in totals)],
        ["callbacks visible as failed", *(f"{t.callbacks['failed']:,}" for t in totals)],
    ]
    for part in (0.5, 0.99):
        name = f"request to end, virtual seconds, p{part * 100:g}"
        rows.append([name, *(f"{_quantile(total.waited, part):,.0f}" for total in totals)])
    return ["what happened", *(t.name for t in totals)], rows


def injected(totals: Sequence[Total]) -> Table:
    rows = [[words, *(f"{t.injected[name]:,}" for t in totals)] for name, words in NAMES.items()]
    return ["faults injected", *(t.name for t in totals)], rows


def words(results: Sequence[Result]) -> str:
    """What was broken, with the seed that shows it."""
    lines = [
        f"{result.run.name}, seed {result.run.seed}: {invariant}: {what}"
        for result in results
        for invariant, found in result.wrong.items()
        for what in found[:_MOST_WORDS]
    ]
    return "\n".join(lines)


def write(part: str, text: str) -> None:
    """Put `text` between the part's markers."""
    begin, end = f"<!-- {part}: written by make campaign -->", f"<!-- {part}: end -->"
    page = DOCUMENT.read_text(encoding="utf-8")
    between = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    new, count = between.subn(lambda _: f"{begin}\n{text}\n{end}", page)
    if count != 1:
        raise ValueError(f"{DOCUMENT.name} has no place for {part}")
    DOCUMENT.write_text(new, encoding="utf-8")


def _seeds(seeds: Sequence[int]) -> str:
    return f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else str(seeds[0])


def _quantile(ordered: Sequence[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0
