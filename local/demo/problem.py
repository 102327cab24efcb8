"""What can go wrong in a demo, told in a line or a few."""

from collections.abc import Mapping
from typing import Any


class DemoFailed(Exception):
    """The demo cannot go on; the text is for the person who started it."""


def problem_text(problem: Mapping[str, Any], prefix: str = "") -> str:
    """A problem+json document (RFC 9457): what is wrong, and each field with its path."""
    title, detail = problem.get("title", "Refused"), problem.get("detail", "")
    lines = [f"{title}. {detail}".strip()]
    for error in problem.get("errors", ()):
        path, message = prefix + error["path"], error["message"]
        if message == detail:
            lines[0] += f" (at {path})"
        else:
            lines.append(f"  {path}: {message}" if path else f"  {message}")
    return "\n".join(lines)
