"""What a demo leaves behind: out/demo/ with the pictures, the board and the contact sheet."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from local.demo.panels import Face
from local.demo.problem import DemoFailed
from local.demo.sheet import draw_sheet
from local.demo.story import Story
from storyhook.domain.images import inspect
from storyhook_client import Storyhook
from storyhook_client.answers import Character, Storyboard
from storyhook_client.boardfile import dump
from storyhook_client.downloads import BOARD

SHEET = "contact-sheet.png"
STORY = "story.yaml"
_TOLD = ("id", "name", "kind", "description", "outfit")
_PICTURES = ("scene-*.*", "cast/*.*")


def prepare(folder: Path) -> None:
    """The folder is there, and what an earlier demo left in it is not; raises DemoFailed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / BOARD).exists():  # else these files may be somebody else's
            pictures = [path for each in _PICTURES for path in folder.glob(each)]
            for path in [*pictures, folder / SHEET, folder / STORY, folder / BOARD]:
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


def write_story(
    folder: Path, story: Story, cast: Sequence[Character], faces: Sequence[Face]
) -> None:
    """The story as a board file, with the pictures of its cast beside it; raises DemoFailed."""
    characters = []
    try:
        (folder / "cast").mkdir(exist_ok=True)
        for character, face in zip(cast, faces, strict=True):
            body = {name: getattr(character, name) for name in _TOLD if getattr(character, name)}
            if face.image:
                kind = inspect(face.image).extension
                (folder / "cast" / f"{character.id}.{kind}").write_bytes(face.image)
                shown = character.references[0]
                body["references"] = [
                    {
                        "file": f"cast/{character.id}.{kind}",
                        "role": shown.role,
                        "angle": shown.angle,
                    }
                ]
            characters.append(body)
        settings = {name: value for name, value in story.board.items() if name != "scenes"}
        board = {**settings, "characters": characters, "scenes": story.scenes}
        (folder / STORY).write_text(dump(board, folder / STORY), encoding="utf-8")
    except OSError as error:
        raise DemoFailed(f"--out {folder}: {error.strerror or error}") from error


def write_sheet(
    folder: Path, board: Storyboard, pictures: Mapping[str, Path], faces: Sequence[Face]
) -> None:
    """`pictures` are the files by scene id; raises DemoFailed."""
    try:
        images = {scene: path.read_bytes() for scene, path in pictures.items()}
        draw_sheet(board, images, faces).save(folder / SHEET, compress_level=6)
    except OSError as error:
        raise DemoFailed(f"--out {folder}: {error.strerror or error}") from error
