"""Boards as files: pure rendering, of a manifest and pictures that are read one at a time.

The only package that may use what is in layers/exports; each format loads its own parts.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from storyhook.domain.export import Export, Format


def render(
    manifest: Mapping[str, Any],
    export: Export,
    read: Callable[[str], bytes],
    target: Path,
) -> None:
    """Write the export's file to `target`. `read` gives a picture's bytes by its key."""
    from storyhook.exports.pictures import Pictures

    pictures, options = Pictures(read), export.options
    match export.format:
        case Format.CSV:
            from storyhook.exports import shot_list

            shot_list.write(manifest, target)
        case Format.CONTACT_SHEET:
            from storyhook.exports import contact_sheet

            contact_sheet.write(manifest, pictures, target)
        case Format.PDF:
            from storyhook.exports import pdf

            pdf.write(manifest, pictures, target, notes=options["notes"], page=options["page"])
        case Format.EPUB:
            from storyhook.exports import epub

            epub.write(manifest, pictures, target, export.id, notes=options["notes"])
        case Format.CBZ:
            from storyhook.exports import cbz

            cbz.write(manifest, pictures, target)
        case Format.ZIP:
            from storyhook.exports import archive

            archive.write(manifest, pictures, target)
        case Format.VISTORYBENCH:
            from storyhook.exports import vistorybench

            vistorybench.write(manifest, pictures, target, **options)
