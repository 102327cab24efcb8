"""Small things that both the terminal and the contact sheet say."""

from collections.abc import Mapping
from typing import Any


def dollars(cost: Mapping[str, Any], *, over: bool) -> str:
    """What was paid; while it is not `over`, what it is thought to become."""
    if cost["actual"] is not None:
        return f"${cost['actual']}"
    if over or cost["estimated"] is None:
        return "-"
    return f"about ${cost['estimated']}"


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def printable(text: str) -> str:
    """Without control characters: a story must not steer the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
