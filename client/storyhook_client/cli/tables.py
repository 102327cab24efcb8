"""Things as tables and paragraphs for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from rich.table import Table
from rich.text import Text

from storyhook_client.answers import (
    Callback,
    Character,
    Key,
    Model,
    Prediction,
    Share,
    SheetEstimate,
    Storyboard,
    StoryboardPlan,
    StoryboardSummary,
)
from storyhook_client.cli.progress import COLOURS
from storyhook_client.cli.words import amount, dollars, printable, seconds

_RIGHT = {
    "total",
    "cost",
    "estimate",
    "scenes",
    "price",
    "refs",
    "seconds",
    "references",
    "version",
    "tries",
}
_WORDS = {"best for", "caption", "description", "error", "name", "title", "told"}
_LEAST = 16  # of a column of words
_STATES = {**COLOURS, "partial": "yellow", "pending": "cyan", "delivered": "green"}


def table(headings: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> Table:
    """What somebody wrote may wrap; ids, states and numbers stay whole."""
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    texts = [[Text(printable(c)) if isinstance(c, str) else c for c in row] for row in rows]
    for n, heading in enumerate(headings):
        justify: Literal["left", "right"] = "right" if heading in _RIGHT else "left"
        words = heading in _WORDS
        whole = max([len(heading), *(row[n].cell_len for row in texts)])
        made.add_column(
            heading, justify=justify, no_wrap=not words, min_width=_LEAST if words else whole
        )
    for row in texts:
        made.add_row(*row)
    return made


def state(status: str) -> Text:
    return Text(printable(status), style=_STATES.get(status, ""))


def moment(value: datetime | None) -> str:
    return "-" if value is None else value.astimezone().strftime("%Y-%m-%d %H:%M")


def board(shown: Storyboard) -> Table:
    return table(
        ("scene", "status", "model", "total", "cost", "caption"),
        (
            (
                scene.id,
                state(scene.status),
                scene.model or "-",
                seconds(scene.metrics.total_seconds),
                dollars(scene.cost, over=scene.is_over),
                scene.caption or scene.description or "",
            )
            for scene in shown.scenes
        ),
    )


def boards(items: Iterable[StoryboardSummary]) -> Table:
    return table(
        ("id", "status", "scenes", "estimate", "created", "title"),
        (
            (
                each.id,
                state(each.status),
                str(each.scene_count or "-"),
                amount(each.cost.estimated),
                moment(each.created_at),
                each.title,
            )
            for each in items
        ),
    )


def predictions(items: Iterable[Prediction]) -> Table:
    return table(
        ("id", "status", "model", "total", "cost", "created"),
        (
            (
                each.id,
                state(each.status),
                each.model or "-",
                seconds(each.metrics.total_seconds),
                dollars(each.cost, over=each.is_over),
                moment(each.created_at),
            )
            for each in items
        ),
    )


def plan(shown: StoryboardPlan) -> Table:
    return table(
        ("scene", "model", "refs", "price", "told"),
        (
            (
                scene.id,
                scene.model or "-",
                str(len(scene.references)),
                _each(amount(scene.cost.estimated), scene.candidates),
                scene.prompt or "",
            )
            for scene in shown.scenes
        ),
    )


def _each(price: str, candidates: int) -> str:
    return f"{candidates} × {price}" if candidates > 1 else price


def sheet(shown: SheetEstimate) -> Table:
    return table(
        ("angle", "model", "refs", "price", "told"),
        (
            (
                item.angle or "-",
                item.model or "-",
                str(len(item.references)),
                amount(item.cost.estimated),
                item.prompt or "",
            )
            for item in shown.items
        ),
    )


def prediction(shown: Prediction) -> Table:
    rows: list[tuple[str, str | Text]] = [
        ("id", shown.id),
        ("status", state(shown.status)),
        ("model", shown.model or "-"),
        ("provider", f"{shown.provider or '-'} {shown.provider_id or ''}".strip()),
        ("cost", dollars(shown.cost, over=shown.is_over)),
        ("total", seconds(shown.metrics.total_seconds)),
        ("created", moment(shown.created_at)),
    ]
    return facts(rows)


def facts(rows: Iterable[tuple[str, str | Text]]) -> Table:
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        made.add_row(name, Text(printable(value)) if isinstance(value, str) else value)
    return made


def models(items: Iterable[Model]) -> Table:
    return table(
        ("model", "provider", "refs", "price", "seconds", "consistency", "best for"),
        (
            (
                each.id,
                each.provider or "-",
                str(each.references.max),
                amount(each.price.example.cost),
                "-" if each.typical_seconds is None else f"{each.typical_seconds:g}",
                each.consistency or "-",
                each.best_for or "",
            )
            for each in items
        ),
    )


def callbacks(items: Iterable[Callback]) -> Table:
    return table(
        ("id", "status", "type", "subject", "tries", "created", "error"),
        (
            (
                each.id,
                state(each.status),
                each.type or "-",
                each.subject or "-",
                str(len(each.attempts)),
                moment(each.created_at),
                each.error or "",
            )
            for each in items
        ),
    )


def attempts(shown: Callback) -> Table:
    return table(
        ("at", "answer", "seconds", "error"),
        (
            (
                moment(each.at),
                str(each.status_code or "-"),
                "-" if each.duration_seconds is None else f"{each.duration_seconds:g}",
                each.error or each.response or "",
            )
            for each in shown.attempts
        ),
    )


def characters(items: Iterable[Character]) -> Table:
    return table(
        ("id", "kind", "version", "references", "name", "description"),
        (
            (
                each.id,
                each.kind,
                str(each.version or "-"),
                str(len(each.references)),
                each.name,
                each.description,
            )
            for each in items
        ),
    )


def references(shown: Character) -> Table:
    return table(
        ("reference", "role", "angle", "status", "size"),
        (
            (
                each.id,
                each.role or "-",
                each.angle or "-",
                state(each.status or "-"),
                f"{each.width}×{each.height}" if each.width else "-",
            )
            for each in shown.references
        ),
    )


def shares(items: Iterable[Share]) -> Table:
    return table(
        ("id", "created", "expires", "state"),
        (
            (
                each.id,
                moment(each.created_at),
                moment(each.expires_at),
                Text("revoked", style="red") if each.revoked_at else Text("active", style="green"),
            )
            for each in items
        ),
    )


def keys(items: Iterable[Key]) -> Table:
    return table(
        ("id", "name", "scopes", "per minute", "per month", "spent", "created", "state"),
        (
            (
                each.id,
                each.name or "-",
                " ".join(each.scopes) or "-",
                str(each.limits.predictions_per_minute or "-"),
                amount(each.limits.max_cost_per_month),
                amount(each.this_month.spent if each.this_month else None),
                moment(each.created_at),
                Text("revoked", style="red") if each.revoked_at else Text("active", style="green"),
            )
            for each in items
        ),
    )
