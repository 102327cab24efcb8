"""The story of the library: what a board has used is changed, gets its sheet, and is deleted."""

from storyhook.domain.errors import NotFound
from storyhook.domain.requests import CharacterRequest, ReferenceRequest, SheetRequest
from storyhook.domain.story import Character
from storyhook.usecases.characters import ReadCharacter
from storyhook.usecases.pictures import upload_key
from tests.fixtures.pictures import picture
from tests.reliability.outside import REFERENCE_URL, Run
from tests.reliability.wishes import wanted

BACK_URL = "https://app.example.com/elena-back.png"


def library(run: Run) -> None:
    world = run.world
    world.pictures.files[BACK_URL] = picture(96, 128)
    run.board(wanted(1))
    run.until_quiet()
    front = ReferenceRequest(REFERENCE_URL, "face", "front")
    sent = CharacterRequest("elena", "Elena", "red hair", "a cloak", "character", (front,))
    run.edit(lambda: world.save_character("acme", sent))
    run.edit(lambda: world.edit.fields("acme", "elena", {"name": "Helena"}, None))
    run.edit(lambda: world.edit.add_reference("acme", "elena", ReferenceRequest(BACK_URL)))
    run.edit(lambda: world.open_upload("acme", "image/png", None, world.origin()))
    world.images.put(upload_key("acme", "up_1"), picture(80, 80), "image/png")
    run.edit(lambda: world.edit.add_reference("acme", "elena", ReferenceRequest(upload="up_1")))
    run.edit(lambda: _remove_last(run))
    run.edit(lambda: world.stale("acme", "elena", 10))
    sheet = SheetRequest(angles=("profile",), seed=7)
    run.sheet("elena", sheet)
    run.until_quiet()
    made = _made(run)
    run.edit(lambda: world.edit.add_reference("acme", "elena", ReferenceRequest(prediction=made)))
    _check(run, _elena(run))
    run.edit(lambda: _delete(run))
    assert world.characters.get("acme", "elena") is None


def _elena(run: Run) -> Character:
    found = run.world.characters.get("acme", "elena")
    assert found is not None
    return found


def _remove_last(run: Run) -> None:
    """By its size: somebody who asks again asks for the same one."""
    for reference in _elena(run).references:
        if reference.width == 80:
            run.world.edit.remove_reference("acme", "elena", reference.id)


def _delete(run: Run) -> None:
    try:
        run.world.delete("acme", "elena")
    except NotFound:  # The answer to the first time was lost.
        return


def _made(run: Run) -> str:
    """The sheet's picture; of a request that was cut short there may be another."""
    rows = run.world.predictions.list("acme", 20, None).items
    return next(row.id for row in rows if "sheet" in row.input and row.images)


def _check(run: Run, elena: Character) -> None:
    """However often it was tried, each change is one version, and each can be read."""
    shown = [(ref.width, ref.role, ref.angle) for ref in elena.references]
    assert (elena.name, elena.outfit) == ("Helena", "a cloak"), elena
    assert [each[1:] for each in shown] == [("face", "front")] * 2 + [("face", "profile")], shown
    assert elena.version == 8, f"{elena.version} versions"
    read = ReadCharacter(run.world.characters)
    listed = run.edit(lambda: read.versions("acme", "elena", 20, None))
    assert [row.version for row in listed.items] == list(range(8, 0, -1))
    assert [read("acme", "elena", n) for n in range(8, 0, -1)] == list(listed.items)
    for reference in elena.references:
        assert run.world.images.get(reference.key)
