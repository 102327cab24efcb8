"""An EPUB 3 that flows: a page for each scene, with its picture, caption and notes.

Valid by epubcheck; every picture has a text for those who do not see it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from storyhook.exports import panels
from storyhook.exports.cbz import xml_text
from storyhook.exports.fonts import side
from storyhook.exports.pictures import Missing, Pictures
from storyhook.exports.zipped import Zipped, zipped

Json = Mapping[str, Any]

_CONTAINER = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/>'
    "</rootfiles></container>\n"
)
_STYLE = """\
body { margin: 1em; font-family: sans-serif; line-height: 1.4; }
figure { margin: 0; page-break-inside: avoid; break-inside: avoid; }
img { max-width: 100%; height: auto; }
figcaption { margin: 0.6em 0; font-size: 1.1em; }
.missing { border: 1px dashed; padding: 3em 1em; text-align: center; }
h2 { font-size: 0.9em; font-weight: bold; }
dl { font-size: 0.8em; }
dt { font-weight: bold; }
dd { margin: 0 0 0.3em 0; overflow-wrap: break-word; }
"""
# By its type in XHTML5, the serialisation that EPUB 3 reads.
_PAGE = """\
<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">
<head><title>{title}</title><link rel="stylesheet" type="text/css" href="style.css"/></head>
<body>
{body}
</body>
</html>
"""


def write(manifest: Json, pictures: Pictures, target: Path, name: str, *, notes: bool) -> None:
    images: list[tuple[str, str]] = []
    with zipped(target, panels.made_at(manifest)) as out:
        # First, and as it is: so a reader tells what it is by its beginning.
        out.add("mimetype", b"application/epub+zip")
        out.text("META-INF/container.xml", _CONTAINER)
        out.text("EPUB/style.css", _STYLE)
        for scene in manifest["scenes"]:
            images += _scene(out, scene, manifest, pictures, notes=notes)
        out.text("EPUB/title.xhtml", _title_page(manifest))
        out.text("EPUB/nav.xhtml", _nav(manifest))
        out.text("EPUB/package.opf", _package(manifest, name, images))


def _scene(
    out: Zipped, scene: Json, manifest: Json, pictures: Pictures, *, notes: bool
) -> Iterator[tuple[str, str]]:
    """Write its page; the picture's (name, type), if it has one."""
    try:
        made = pictures.portable(scene, manifest)
    except Missing as missing:
        shown = f'<p class="missing">{_text(str(missing))}</p>'
    else:
        file = f"pictures/{scene['position']:04}.{made.extension}"
        out.add(f"EPUB/{file}", made.data)
        shown = f'<img src="{file}" alt={quoteattr(xml_text(panels.alt(scene)))}/>'
        yield file, made.content_type
    words = panels.words(scene)
    body = [
        f"<section><h2>{_text(panels.heading(scene))}</h2>",
        f"<figure>{shown}<figcaption{_direction(words)}>{_text(words)}</figcaption></figure>",
    ]
    if notes:
        body += ["<dl>", *(_note(*note) for note in panels.notes(scene)), "</dl>"]
    body.append("</section>")
    out.text(f"EPUB/{_page_name(scene)}", _page(words, "\n".join(body)))


def _note(name: str, text: str) -> str:
    return f"<dt>{name}</dt><dd{_direction(text)}>{_text(text)}</dd>"


def _title_page(manifest: Json) -> str:
    title = manifest["title"]
    summary = f"<p>{_text(panels.summary(manifest))}</p>"
    return _page(title, f"<h1{_direction(title)}>{_text(title)}</h1>\n{summary}")


def _nav(manifest: Json) -> str:
    items = "\n".join(
        f'<li><a href="{_page_name(scene)}">{_text(panels.words(scene))}</a></li>'
        for scene in manifest["scenes"]
    )
    body = (
        '<nav epub:type="toc" id="toc"><h1>Scenes</h1><ol>\n'
        f'<li><a href="title.xhtml">{_text(manifest["title"])}</a></li>\n{items}\n</ol></nav>'
    )
    return _page(manifest["title"], body)


def _package(manifest: Json, name: str, images: list[tuple[str, str]]) -> str:
    pages = [_page_name(scene) for scene in manifest["scenes"]]
    parts = [
        '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>',
        '<item id="style" href="style.css" media-type="text/css"/>',
        '<item id="title" href="title.xhtml" media-type="application/xhtml+xml"/>',
    ]
    parts += [
        f'<item id="page-{n}" href="{page}" media-type="application/xhtml+xml"/>'
        for n, page in enumerate(pages, 1)
    ]
    parts += [
        f'<item id="picture-{n}" href="{file}" media-type="{kind}"'
        + (' properties="cover-image"/>' if n == 1 else "/>")
        for n, (file, kind) in enumerate(images, 1)
    ]
    spine = "".join(f'<itemref idref="page-{n}"/>' for n in range(1, len(pages) + 1))
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">\n'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
        f'<dc:identifier id="id">urn:storyhook:{name}</dc:identifier>\n'
        f"<dc:title>{_text(manifest['title']) or 'Storyboard'}</dc:title>\n"
        # Whoever wrote the story did not say in which language.
        "<dc:language>und</dc:language>\n"
        f"<dc:creator>Storyhook</dc:creator>\n"
        '<meta property="dcterms:modified">'
        f"{panels.made_at(manifest):%Y-%m-%dT%H:%M:%SZ}</meta>\n"
        '<meta property="schema:accessMode">visual</meta>\n'
        '<meta property="schema:accessMode">textual</meta>\n'
        '<meta property="schema:accessModeSufficient">textual</meta>\n'
        '<meta property="schema:accessibilityFeature">alternativeText</meta>\n'
        '<meta property="schema:accessibilityHazard">none</meta>\n'
        '<meta property="schema:accessibilitySummary">'
        "Every picture is described by its scene.</meta>\n"
        f"</metadata>\n<manifest>\n{'\n'.join(parts)}\n</manifest>\n"
        f'<spine><itemref idref="title"/>{spine}</spine>\n</package>\n'
    )


def _page(title: str, body: str) -> str:
    return _PAGE.format(title=_text(title) or "Storyboard", body=body)


def _page_name(scene: Json) -> str:
    return f"scene-{scene['position']:04}.xhtml"


def _direction(text: str) -> str:
    return ' dir="rtl"' if side(text) == "R" else ""


def _text(text: str) -> str:
    return escape(xml_text(text))
