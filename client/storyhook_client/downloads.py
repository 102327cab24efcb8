"""Pictures as files, each checked against the SHA-256 that its board or prediction names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from storyhook_client.answers import ExportFile, Image, Prediction, Scene, Storyboard
from storyhook_client.errors import BadDownload

BOARD = "board.json"
_PIECE_BYTES = 1 << 18
_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


@dataclass(frozen=True)
class Downloaded:
    """`pictures` are the files by scene id; `problems` says why others are not among them."""

    board: Path
    pictures: dict[str, Path]
    problems: tuple[str, ...]


def download(files: httpx.Client, board: Storyboard, folder: Path) -> Downloaded:
    pictures: dict[str, Path] = {}
    problems = []
    with _written_in(folder):
        for scene in board.scenes:
            if scene.image is None:
                continue
            path = folder / file_name(scene)
            try:
                _keep(files, scene.image, path)
                pictures[scene.id] = path
            except BadDownload as error:
                problems.append(f"{scene.id}: {error}")
        text = json.dumps(board.to_json(), indent=2, ensure_ascii=False)
        _write(folder / BOARD, (text + "\n").encode())
    return Downloaded(folder / BOARD, pictures, tuple(problems))


def download_picture(files: httpx.Client, prediction: Prediction, folder: Path) -> tuple[Path, ...]:
    images = prediction.output.images if prediction.output else ()
    if not images:
        raise BadDownload(f"{prediction.id} has no picture; it is {prediction.status}")
    paths = []
    with _written_in(folder):
        for n, image in enumerate(images, 1):
            number = "" if len(images) == 1 else f"-{n}"
            paths.append(folder / f"{prediction.id}{number}.{_extension(image)}")
            _keep(files, image, paths[-1])
    return tuple(paths)


def download_file(files: httpx.Client, file: ExportFile, path: Path) -> Path:
    """A file of any size, a piece at a time; raises BadDownload, also when it is another."""
    partial, digest = path.with_name(path.name + ".partial"), hashlib.sha256()
    with _written_in(path.parent):
        try:
            with files.stream("GET", file.url) as answer, partial.open("wb") as out:
                _check(answer, "file", "export")
                for piece in answer.iter_bytes(_PIECE_BYTES):
                    digest.update(piece)
                    out.write(piece)
            if file.sha256 and digest.hexdigest() != file.sha256:
                raise BadDownload("the file is not the one that was made; it was cut short")
            partial.replace(path)
        except httpx.HTTPError as error:
            raise BadDownload(f"the file could not be downloaded: {error}") from error
        finally:
            partial.unlink(missing_ok=True)
    return path


def _check(answer: httpx.Response, what: str, read_again: str) -> None:
    if answer.status_code == httpx.codes.FORBIDDEN:
        raise BadDownload(f"the {what}'s URL is no longer valid; read the {read_again} again")
    if not answer.is_success:
        raise BadDownload(f"the {what} could not be downloaded: HTTP {answer.status_code}")


@contextmanager
def _written_in(folder: Path) -> Iterator[None]:
    """The folder is made; raises BadDownload for what cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise BadDownload(f"{error.filename or folder}: {error.strerror or error}") from error


def _keep(files: httpx.Client, image: Image, path: Path) -> None:
    if not _is_there(path, image):
        _write(path, fetch(files, image))


def file_name(scene: Scene) -> str:
    """By position: ids may differ in upper and lower case only."""
    extension = _extension(scene.image) if scene.image else "bin"
    return f"scene-{scene.position}.{extension}"


def _extension(image: Image) -> str:
    return _EXTENSIONS.get(image.content_type, "bin")


def fetch(files: httpx.Client, image: Image) -> bytes:
    """The picture's bytes; raises BadDownload, also when they are not the picture's."""
    data = fetch_url(files, image.url)
    if image.sha256 and hashlib.sha256(data).hexdigest() != image.sha256:
        raise BadDownload("the file is not the picture that was made")
    return data


def fetch_url(files: httpx.Client, url: str) -> bytes:
    try:
        answer = files.get(url)
    except httpx.HTTPError as error:
        raise BadDownload(f"the picture could not be downloaded: {error}") from error
    _check(answer, "picture", "board")
    return answer.content


def _is_there(path: Path, image: Image) -> bool:
    """Whether an earlier download has left it."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == image.sha256
    except FileNotFoundError:
        return False


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.replace(path)
