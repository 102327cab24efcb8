"""What a demo leaves behind: out/demo/ with the pictures, the board and the contact sheet."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from local.demo.panels import Face
from local.demo.problem import DemoFailed
from local.demo.sheet import draw_sheet
from storyhook_client import Storyhook
from storyhook_client.answers import Character, Storyboard
from storyhook_client.downloads import BOARD

SHEET = "contact-sheet.png"
_PICTURES = "scene-*.*"


def prepare(folder: Path) -> None:
    """The folder is there, and what an earlier demo left in it is not; raises DemoFailed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / BOARD).exists():  # else these files may be somebody else's
            for path in [*folder.glob(_PICTURES), folder / SHEET, folder / BOARD]:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise DemoFailed(f"--out {folder}: {error.strerror or error}") from error


def fetch_faces(api: Storyhook, characters: Sequence[Character]) -> list[Face]:
    """The cast for the contact sheet, from the characters as the API answered them."""
    faces = []
    for character in characters:
        references = character.references
        image = api.characters.picture(references[0]) if references else None
        words = [character.description, character.outfit]
        faces.append(Face(character.name, ", ".join(w for w in words if w), image))
    return faces


def write_sheet(
    folder: Path, board: Storyboard, pictures: Mapping[str, Path], faces: Sequence[Face]
) -> None:
    """`pictures` are the files by scene id; raises DemoFailed."""
    try:
        images = {scene: path.read_bytes() for scene, path in pictures.items()}
        draw_sheet(board, images, faces).save(folder / SHEET, compress_level=6)
    except OSError as error:
        raise DemoFailed(f"--out {folder}: {error.strerror or error}") from error
