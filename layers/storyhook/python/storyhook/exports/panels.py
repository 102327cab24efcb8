"""What is written beside a panel, and of a whole board: the same words in every format."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

Json = Mapping[str, Any]


def heading(scene: Json) -> str:
    """`3 · scene-3 — wide, eye level, noon`."""
    asked = ", ".join(scene[name] for name in ("shot", "camera", "light") if scene[name])
    name = f"{scene['position']} · {scene['id']}"
    return f"{name} — {asked}" if asked else name


def words(scene: Json) -> str:
    """What the scene is called: its caption, or else what it was to show."""
    return str(scene["caption"] or scene["description"])


def alt(scene: Json) -> str:
    """The picture in words, for those who do not see it."""
    parts = [scene["description"] or scene["caption"] or scene["id"], scene["setting"]]
    return ". ".join(part.rstrip(".") for part in parts if part)


def notes(scene: Json) -> Iterator[tuple[str, str]]:
    """What a reader may want to know of a panel: a name and a text each."""
    if scene["caption"] and scene["description"]:
        yield "Scene", scene["description"]
    if scene["setting"]:
        yield "Setting", scene["setting"]
    if scene["characters"]:
        yield "Characters", ", ".join(scene["characters"])
    picture = scene["picture"]
    if picture:
        yield "Prompt", picture["prompt"]
        yield "Made by", f"{picture['model']} ({picture['provider']}), seed {picture['seed']}"
        yield "Cost", money(picture["cost"])


def money(cost: Json) -> str:
    if cost["actual"] is not None:
        return f"${cost['actual']}"
    return f"about ${cost['estimated']}" if cost["estimated"] is not None else "not known"


def summary(manifest: Json) -> str:
    """`50 scenes, 48 pictures · partial · $1.4400 · 2026-01-01`."""
    scenes = manifest["scenes"]
    shown = sum(scene["picture"] is not None for scene in scenes)
    parts = [f"{counted(len(scenes), 'scene')}, {counted(shown, 'picture')}", manifest["status"]]
    return " · ".join([*parts, money(manifest["cost"]), f"{made_at(manifest):%Y-%m-%d}"])


def counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def made_at(manifest: Json) -> datetime:
    """When the board was done, in UTC: the time of everything in its files."""
    moment = manifest["completed_at"] or manifest["created_at"]
    return datetime.fromisoformat(moment).astimezone(UTC)


def texts(manifest: Json) -> Iterator[str]:
    """All that may be written of a board."""
    yield manifest["title"]
    # What the files' own words are made of.
    yield "0123456789 ·—…$,.()"
    for scene in manifest["scenes"]:
        error = scene["error"] or {}
        yield from (heading(scene), words(scene), scene["status"])
        yield from (text for _, text in notes(scene))
        yield from (error.get("title") or "", error.get("detail") or "")
