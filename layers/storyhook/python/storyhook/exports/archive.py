"""A ZIP of everything: each picture as it was made, the shot list, and a manifest of how."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storyhook.exports import panels, shot_list
from storyhook.exports.pictures import Missing, Pictures, public
from storyhook.exports.zipped import zipped

Json = Mapping[str, Any]


def write(manifest: Json, pictures: Pictures, target: Path) -> None:
    scenes = []
    with zipped(target, panels.made_at(manifest)) as out:
        for scene in manifest["scenes"]:
            entry = {**scene, "file": None}
            try:
                made = pictures.original(scene, manifest)
            except Missing as missing:
                entry["missing"] = str(missing)
            else:
                name = f"pictures/{scene['position']:04}.{made.extension}"
                out.add(name, made.data)
                entry["file"] = {
                    "path": name,
                    "bytes": len(made.data),
                    "sha256": hashlib.sha256(made.data).hexdigest(),
                }
            entry["picture"] = scene["picture"] and public(scene["picture"])
            scenes.append(entry)
        out.text("manifest.json", as_text({**manifest, "scenes": scenes}))
        out.text("shots.csv", "\ufeff" + shot_list.table(manifest))


def as_text(manifest: Json) -> str:
    """`sha256` of a picture is of what the provider made, that of a file has the metadata too."""
    return json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
