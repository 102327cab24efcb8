"""Small things that both the terminal and the contact sheet say."""

from collections.abc import Mapping
from typing import Any


def dollars(cost: Mapping[str, Any], *, over: bool) -> str:
    """What was paid, or `-` if nobody knows; while it is not `over`, what is expected."""
    if over:
        return "-" if cost["actual"] is None else f"${cost['actual']}"
    return "-" if cost["estimated"] is None else f"about ${cost['estimated']}"


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def printable(text: str) -> str:
    """Without control characters: a story must not steer the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
