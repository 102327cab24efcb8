"""What can go wrong in a demo, told in a line or a few."""

from collections.abc import Mapping
from typing import Any


class DemoFailed(Exception):
    """The demo cannot go on; the text is for the person who started it."""


def problem_text(problem: Mapping[str, Any], prefix: str = "") -> str:
    """A problem+json document (RFC 9457): what is wrong, and each field with its path."""
    lines = [f"{problem.get('title', 'refused')}. {problem.get('detail', '')}".strip()]
    for error in problem.get("errors", ()):
        path = prefix + error["path"]
        lines.append(f"  {path}: {error['message']}" if path else f"  {error['message']}")
    return "\n".join(lines)
