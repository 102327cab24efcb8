"""What ViStoryBench's evaluator reads: unpack it into its `data/outputs`.

<method>/<mode>/<language>/<timestamp>/<story>/shots/shot_01.png, as `load_outputs` has it
(https://github.com/ViStoryBench/vistorybench). It knows PNG and JPEG, and takes a story's pictures
in the order of their names; so a scene without one has a card in its place.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storyhook.exports import panels
from storyhook.exports.archive import as_text
from storyhook.exports.cards import card
from storyhook.exports.pictures import Missing, Picture, Pictures, public
from storyhook.exports.zipped import zipped

Json = Mapping[str, Any]

# As `storyhook import` names the scenes of a story of theirs.
_SHOT = re.compile(r"shot-(\d{1,3})")
_STORY = re.compile(r"\d{1,3}", re.ASCII)


def write(
    manifest: Json,
    pictures: Pictures,
    target: Path,
    *,
    method: str,
    mode: str | None,
    language: str,
    story: str | None,
) -> None:
    made_at = panels.made_at(manifest)
    title = manifest["title"].strip()
    story = story or (title if _STORY.fullmatch(title) else "01")
    mode = mode or manifest["model"] or "base"
    folder = f"{method}/{mode}/{language}/{made_at:%Y%m%d_%H%M%S}/{story}"
    scenes = []
    with zipped(target, made_at) as out:
        for number, scene in zip(_numbers(manifest["scenes"]), manifest["scenes"], strict=True):
            entry = {**scene, "picture": scene["picture"] and public(scene["picture"])}
            try:
                shot = pictures.portable(scene, manifest)
            except Missing as missing:
                entry["missing"] = str(missing)
                shot = Picture(card(str(missing), scene, manifest), "image/png")
            entry["file"] = f"shots/shot_{number:02}.{shot.extension}"
            out.add(f"{folder}/{entry['file']}", shot.data)
            scenes.append(entry)
        out.text(f"{folder}/manifest.json", as_text({**manifest, "scenes": scenes}))


def _numbers(scenes: list[Json]) -> list[int]:
    """Those of the story where every scene has one of its own, in order; else the positions."""
    named = [_SHOT.fullmatch(scene["id"]) for scene in scenes]
    numbers = [int(found[1]) for found in named if found]
    if len(numbers) == len(scenes) and numbers == sorted(set(numbers)):
        return numbers
    return [scene["position"] for scene in scenes]
