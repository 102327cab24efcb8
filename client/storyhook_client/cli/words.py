"""Small things that the command and its tables say."""

from __future__ import annotations

from decimal import Decimal

from storyhook_client.answers import Cost


def dollars(cost: Cost, *, over: bool) -> str:
    """What was paid, or `-` if nobody knows; while it is not `over`, what is expected."""
    if over:
        return amount(cost.actual)
    return "-" if cost.estimated is None else f"about {amount(cost.estimated)}"


def amount(value: Decimal | None) -> str:
    return "-" if value is None else f"${value}"


def seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def printable(text: str) -> str:
    """Without control characters: what others wrote must not steer the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
