"""A comic book archive: pages in order, and ComicInfo.xml (https://anansi-project.github.io)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from storyhook.exports import panels
from storyhook.exports.cards import card
from storyhook.exports.pictures import Missing, Picture, Pictures
from storyhook.exports.zipped import zipped

Json = Mapping[str, Any]


def write(manifest: Json, pictures: Pictures, target: Path) -> None:
    with zipped(target, panels.made_at(manifest)) as out:
        out.text("ComicInfo.xml", comic_info(manifest))
        for n, scene in enumerate(manifest["scenes"], 1):
            try:
                page = pictures.original(scene, manifest)
            except Missing as missing:
                page = Picture(card(str(missing), scene, manifest), "image/png")
            out.add(f"{n:04}.{page.extension}", page.data)


def comic_info(manifest: Json) -> str:
    """Version 2.0. Captions are the bookmarks of the pages, and together the summary."""
    scenes, made_at = manifest["scenes"], panels.made_at(manifest)
    cast = sorted({name for scene in scenes for name in scene["characters"]})
    root = Xml.Element("ComicInfo")
    for name, text in (
        ("Title", manifest["title"]),
        ("Summary", "\n".join(panels.words(scene) for scene in scenes)),
        ("Notes", f"Made with Storyhook; {manifest['storyboard_id']}"),
        ("Year", str(made_at.year)),
        ("Month", str(made_at.month)),
        ("Day", str(made_at.day)),
        ("PageCount", str(len(scenes))),
        ("Characters", ", ".join(cast)),
    ):
        Xml.SubElement(root, name).text = xml_text(text)
    pages = Xml.SubElement(root, "Pages")
    for n, scene in enumerate(scenes):
        kind = "FrontCover" if n == 0 else "Story"
        Xml.SubElement(
            pages, "Page", Image=str(n), Type=kind, Bookmark=xml_text(panels.words(scene))
        )
    Xml.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(root, "unicode") + "\n"


def xml_text(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
