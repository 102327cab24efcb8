"""The library of characters: versions, changes one after another, and what keeps one from going."""

import dataclasses
from typing import Any

import pytest

from storyhook.aws.bucket import Bucket
from storyhook.aws.table import Table
from storyhook.domain.errors import (
    BadReference,
    CharacterChanged,
    CharacterInUse,
    DownloadFailed,
    NotFound,
    StoryhookError,
    TooManyReferences,
    UnknownCharacter,
)
from storyhook.domain.prediction import Status
from storyhook.domain.requests import CharacterRequest, ReferenceRequest
from storyhook.domain.story import Character
from storyhook.usecases.characters import ReadCharacter
from tests.fixtures import makers
from tests.fixtures.interruptions import Death, die, once
from tests.fixtures.pictures import picture
from tests.fixtures.world import IMAGE_URL, World, done, in_threads

FRONT = ReferenceRequest(IMAGE_URL, "face", "front")
BACK_URL = "https://images.example.com/back.png"
BACK = ReferenceRequest(BACK_URL, "full_body", "back")


def request(*references: ReferenceRequest, **values: Any) -> CharacterRequest:
    given: dict[str, Any] = {
        "id": "elena",
        "name": "Elena",
        "description": "red hair",
        "outfit": "leather jacket",
        "kind": "character",
        "references": references or (FRONT,),
    }
    return CharacterRequest(**{**given, **values})


def saved(world: World, *references: ReferenceRequest, **values: Any) -> Character:
    return world.save_character("acme", request(*references, **values))[0]


def read(world: World) -> ReadCharacter:
    return ReadCharacter(world.characters)


@pytest.fixture
def library(world: World) -> World:
    """With Elena, as she is at first, and a picture of her back."""
    world.pictures.files[BACK_URL] = picture(96, 128)
    saved(world)
    return world


def edit(world: World, version: int | None = None, **changes: str | None) -> Character:
    return world.edit.fields("acme", "elena", changes, version)


def test_each_change_is_a_version_and_the_older_ones_stay(library: World) -> None:
    first = library.characters.get("acme", "elena")
    second = edit(library, outfit="green cloak")
    library.clock.advance(minutes=1)
    third, _ = library.edit.add_reference("acme", "elena", BACK)
    fourth = library.edit.remove_reference("acme", "elena", third.references[0].id)
    fifth = edit(library, outfit=None)
    assert first is not None
    rows = [first, second, third, fourth, fifth]
    assert [row.version for row in rows] == [1, 2, 3, 4, 5]
    assert [row.outfit for row in rows] == ["leather jacket", *["green cloak"] * 3, None]
    assert [len(row.references) for row in rows] == [1, 1, 2, 1, 1]
    assert third.updated_at == library.clock()
    assert {row.created_at for row in rows} == {first.created_at}
    assert [read(library)("acme", "elena", n) for n in range(1, 6)] == rows
    assert read(library)("acme", "elena") == fifth
    pages, cursor = [], None
    while True:
        page = read(library).versions("acme", "elena", 2, cursor)
        pages.append([row.version for row in page.items])
        cursor = page.cursor
        if cursor is None:
            break
    assert pages == [[5, 4], [3, 2], [1]]
    assert [row.version for row in read(library).versions("acme", "elena", 1, None).items] == [5]


def test_what_changes_nothing_is_no_version(library: World) -> None:
    elena = library.characters.get("acme", "elena")
    writes = len(library.cloud.operations("PutItem"))
    assert edit(library) == elena
    assert edit(library, name="Elena", version=1) == elena
    assert saved(library) == elena
    assert library.edit.add_reference("acme", "elena", FRONT) == (elena, False)
    assert len(library.cloud.operations("PutItem")) == writes


def test_the_same_picture_keeps_its_id(library: World) -> None:
    first = library.characters.get("acme", "elena")
    second = saved(library, FRONT, BACK, description="grey hair")
    assert first is not None
    assert second.version == 2
    assert second.references[0] == first.references[0]
    assert second.references[1].id != first.references[0].id


def test_a_role_and_an_angle_make_another_reference_of_one_picture(library: World) -> None:
    row, added = library.edit.add_reference("acme", "elena", ReferenceRequest(IMAGE_URL, "outfit"))
    assert added
    assert [(ref.role, ref.angle) for ref in row.references] == [
        ("face", "front"), ("outfit", "front"),
    ]  # fmt: skip
    assert len(library.cloud.objects()) == 1


@pytest.mark.parametrize(
    ("kind", "role"), [("character", "face"), ("location", "place"), ("prop", "object")]
)
def test_a_reference_shows_the_thing_itself_unless_told(world: World, kind: str, role: str) -> None:
    [reference] = saved(world, ReferenceRequest(IMAGE_URL), kind=kind).references
    assert (reference.role, reference.angle) == (role, "front")


def test_somebody_who_read_an_older_version_is_told_so(library: World) -> None:
    edit(library, outfit="green cloak", version=1)
    with pytest.raises(CharacterChanged, match="at version 2, not 1"):
        edit(library, outfit="red cloak", version=1)
    assert edit(library, name="Helena", version=2).outfit == "green cloak"


def test_changes_that_come_together_are_all_made(library: World) -> None:
    urls = [f"https://images.example.com/{n}.png" for n in range(8)]
    library.pictures.files |= {url: picture(64 + n, 64) for n, url in enumerate(urls)}

    def work(n: int) -> object:
        if n < 8:
            return library.edit.add_reference("acme", "elena", ReferenceRequest(urls[n]))
        return edit(library, name="Elena 8") if n == 8 else edit(library, outfit="cloak")

    results = in_threads(10, work)
    assert [result for result in results if isinstance(result, Exception)] == []
    row = library.characters.get("acme", "elena")
    assert row is not None
    assert (row.version, row.name, row.outfit) == (11, "Elena 8", "cloak")
    assert len({ref.sha256 for ref in row.references}) == 9
    versions = [read(library)("acme", "elena", n) for n in range(1, 12)]
    assert [version.version for version in versions] == list(range(1, 12))


def test_two_who_create_it_together_make_two_versions(world: World) -> None:
    results = in_threads(2, lambda n: world.save_character("acme", request(name=f"Elena {n}")))
    assert sorted(row.version for row, _ in results) == [1, 2]
    assert sorted(is_new for _, is_new in results) == [False, True]


def test_a_board_that_brings_a_character_changed_meanwhile_is_not_accepted(library: World) -> None:
    prepared = library.save_character.prepare("acme", request(description="grey hair"))
    edit(library, outfit="green cloak")
    with pytest.raises(CharacterChanged, match="send it again"):
        library.save_character.save(prepared)


def test_a_board_that_brings_a_character_again_keeps_what_was_approved(library: World) -> None:
    """The same board file, sent once more."""
    row = library.ask()
    library.webhook(row, done("fal", "job-1"))
    approved = ReferenceRequest(prediction=row.id, angle="back")
    approving = library.edit.add_reference("acme", "elena", approved)
    assert library.edit.add_reference("acme", "elena", approved) == (approving[0], False)
    library.save_character.save(library.save_character.prepare("acme", request()))
    again = read(library)("acme", "elena")
    assert (again.version, again.references) == (2, approving[0].references)
    # Sent whole, by POST /characters, it is what was sent.
    assert len(saved(library).references) == 1


def test_a_board_brings_no_more_than_there_is_room_for(library: World) -> None:
    many = tuple(dataclasses.replace(BACK, angle=None, url=f"{n}") for n in range(16))
    library.pictures.files |= {f"{n}": picture(64 + n, 64) for n in range(16)}
    with pytest.raises(TooManyReferences, match="17 references; 16 are allowed"):
        library.save_character.prepare("acme", request(*many))


def test_no_more_than_sixteen_references(library: World) -> None:
    sixteen = tuple(dataclasses.replace(FRONT, angle=None, url=f"{n}") for n in range(16))
    library.pictures.files |= {f"{n}": picture(64 + n, 64) for n in range(16)}
    saved(library, *sixteen)
    before = library.cloud.state()
    with pytest.raises(TooManyReferences, match="17 references; 16 are allowed"):
        library.edit.add_reference("acme", "elena", BACK)
    with pytest.raises(TooManyReferences):
        saved(library, *sixteen, BACK)
    assert library.cloud.state() == before


@pytest.mark.parametrize(
    ("found", "error", "words"),
    [
        (b"<html>", BadReference, "not a PNG, JPEG or WebP"),
        (picture(31, 64), BadReference, "31 x 64 pixels; a reference has at least 32"),
        (picture(8193, 32), BadReference, "at most 8192"),
        (picture()[:-20], BadReference, "cut short"),
        (DownloadFailed("answered 404", retryable=False), BadReference, "404"),
        (DownloadFailed("answered 503", retryable=True), DownloadFailed, "503"),
    ],
)
def test_a_picture_that_cannot_be_used_changes_nothing(
    library: World, found: bytes | Exception, error: type[StoryhookError], words: str
) -> None:
    library.pictures.files[BACK_URL] = found
    before = library.cloud.state()
    with pytest.raises(error, match=words) as caught:
        library.edit.add_reference("acme", "elena", BACK)
    assert [told.path for told in caught.value.errors] == ["url"]
    with pytest.raises(error) as caught:
        saved(library, FRONT, BACK)
    assert [told.path for told in caught.value.errors] == ["references[1].url"]
    assert library.cloud.state() == before


# --- references from predictions ---


def test_a_picture_of_ours_becomes_a_reference_once_it_is_there(library: World) -> None:
    row = library.ask()
    wanted = ReferenceRequest(prediction=row.id, angle="profile")
    with pytest.raises(BadReference, match="is running") as caught:
        library.edit.add_reference("acme", "elena", wanted)
    assert [told.path for told in caught.value.errors] == ["prediction"]
    library.webhook(row, done("fal", "job-1"))
    elena, added = library.edit.add_reference("acme", "elena", wanted)
    assert added
    assert elena.references[-1].sha256 == library.row(row).images[0].sha256
    assert (elena.references[-1].role, elena.references[-1].angle) == ("face", "profile")
    assert elena.references[-1].key in library.cloud.objects()


def test_nobody_makes_references_of_anothers_pictures(library: World) -> None:
    row = library.ask()
    library.webhook(row, done("fal", "job-1"))
    with pytest.raises(NotFound):
        library.save_character("other", request(ReferenceRequest(prediction=row.id)))
    assert library.characters.latest("other", "elena") is None


# --- deleting ---


def test_a_deleted_character_is_gone_but_for_its_versions(library: World) -> None:
    edit(library, outfit="green cloak")
    elena = library.characters.get("acme", "elena")
    library.delete("acme", "elena")
    assert library.characters.get("acme", "elena") is None
    assert library.characters.list("acme", 10, None).items == ()
    for gone in (
        lambda: read(library)("acme", "elena"),
        lambda: edit(library, name="x"),
        lambda: library.delete("acme", "elena"),
        lambda: library.edit.remove_reference("acme", "elena", "ref_x"),
        lambda: library.stale("acme", "elena", 10),
    ):
        with pytest.raises(NotFound):
            gone()
    with pytest.raises(UnknownCharacter):
        library.casting.load("acme", [makers.scene()])
    assert read(library)("acme", "elena", 1).outfit == "leather jacket"
    last = read(library)("acme", "elena", 2)
    assert last == dataclasses.replace(elena, deleted_at=library.clock())  # type: ignore[type-var]
    assert [row.version for row in read(library).versions("acme", "elena", 9, None).items] == [2, 1]
    assert len(library.cloud.objects()) == 1


def test_one_of_the_same_id_goes_on_counting(library: World) -> None:
    library.delete("acme", "elena")
    library.clock.advance(days=1)
    made, is_new = library.save_character("acme", request(BACK, name="Elena the second"))
    assert is_new
    assert (made.version, made.created_at) == (2, library.clock())
    assert read(library)("acme", "elena", 1).name == "Elena"
    assert library.characters.get("acme", "elena") == made
    assert [row.id for row in library.characters.list("acme", 10, None).items] == ["elena"]


def needed(world: World) -> list[str]:
    with pytest.raises(CharacterInUse, match="wait until that is over") as caught:
        world.delete("acme", "elena")
    return [error.path for error in caught.value.errors]


def test_a_running_board_keeps_its_characters(library: World) -> None:
    board = library.board()
    assert needed(library) == [board.id]
    library.board(makers.scene(characters=()))  # brings her, and does not show her
    assert needed(library) == [board.id]
    for row in library.rows_of(board):
        library.predictions.advance(row.id, Status.CANCELED, {"completed_at": library.clock()})
    library.assemble(board.id)
    library.delete("acme", "elena")


def test_an_unfinished_prediction_has_what_it_needs(library: World) -> None:
    row = library.ask()
    library.delete("acme", "elena")
    library.webhook(row, done("fal", "job-1"))
    made = library.predictions.get(row.id)
    assert made
    assert made.status is Status.SUCCEEDED


# --- deaths ---


@pytest.mark.parametrize(
    ("where", "step"), [(Bucket, "put"), (Table, "put"), (Table, "put_in_place")]
)
def test_a_change_that_is_cut_short_is_made_by_the_same_request(
    library: World, monkeypatch: pytest.MonkeyPatch, where: type, step: str
) -> None:
    """After the file, after the older version, after the newest."""
    first = library.characters.get("acme", "elena")
    once(monkeypatch, where, step, die, after=True)
    with pytest.raises(Death):
        library.edit.add_reference("acme", "elena", BACK)
    between = library.characters.get("acme", "elena")
    assert between is not None
    assert between.version == (2 if step == "put_in_place" else 1)
    after, _ = library.edit.add_reference("acme", "elena", BACK)
    assert (after.version, len(after.references)) == (2, 2)
    assert read(library)("acme", "elena", 1) == first
    listed = read(library).versions("acme", "elena", 9, None).items
    assert [row.version for row in listed] == [2, 1]


def test_a_write_that_aws_repeats_is_no_lost_race(library: World) -> None:
    before = library.characters.get("acme", "elena")
    assert before is not None
    after = dataclasses.replace(before, version=2, name="Helena")
    assert library.characters.replace(after, before)
    assert library.characters.replace(after, before)
    other = dataclasses.replace(after, name="Ellen")
    assert not library.characters.replace(other, before)
    assert not library.characters.replace(other, None)
    assert read(library)("acme", "elena", 1) == before
