"""What makes a next version of a character, and the sheets that every model draws."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyhook.domain import library, sheet
from storyhook.domain.errors import ReferencesNotTaken
from storyhook.domain.library import is_stale
from storyhook.domain.plan import plan_scene
from storyhook.domain.renewing import asked_of, details_of
from storyhook.domain.story import KINDS, MAIN_ROLES, Character, Reference, Scene
from storyhook.domain.storyboard import BoardScene, Use
from tests.fixtures import makers
from tests.fixtures.casts import casts
from tests.fixtures.clock import NOW

LATER = NOW + timedelta(hours=1)
SCENES = [
    makers.scene(),
    makers.scene(shot="wide", camera="low", light="noon", setting="a tavern", crowd=False),
    makers.scene(overrides={"elena": {"outfit": "cloak"}}, options={"resolution": "2 MP"}),
    makers.scene(model=makers.FAL, caption="They meet.", without_references="describe"),
]


@pytest.mark.parametrize("changes", [{"name": "Helena"}, {"outfit": None}, {"references": ()}])
def test_a_change_makes_the_next_version(changes: dict[str, Any]) -> None:
    before = makers.character(version=4)
    after = library.next_version(before, LATER, **changes)
    assert after == replace(before, version=5, updated_at=LATER, **changes)
    assert library.next_version(after, LATER, **changes) is after


def test_a_picture_under_another_id_is_the_same_picture() -> None:
    before = makers.character(references=2)
    renamed = tuple(replace(ref, id=f"new_{ref.id}") for ref in before.references)
    sent = replace(before, references=renamed, updated_at=LATER)
    assert library.replaced(before, sent) is before
    swapped = replace(sent, references=renamed[::-1])
    after = library.replaced(before, swapped)
    assert (after.version, after.references) == (2, before.references[::-1])


def test_what_a_board_does_not_bring_stays() -> None:
    """Elena's portrait came with her board; her back and a second face were approved since."""
    face, second = (makers.reference(f"ref_{n}", sha256=f"{n}") for n in (1, 2))
    back = makers.reference("ref_3", angle="back", sha256="3")
    before = makers.character(version=4, references=0)
    before = replace(before, references=(face, second, back))

    def brings(*references: Reference) -> Character:
        return library.brought(before, replace(before, references=references, updated_at=LATER))

    same = replace(face, id="ref_new")
    assert brings(same) is before
    assert brings() is before
    profile = makers.reference("ref_4", angle="profile", sha256="4")
    assert brings(same, profile).references == (face, profile, second, back)
    # Another portrait takes the place of both faces, not of the back.
    portrait = makers.reference("ref_5", sha256="5")
    assert brings(portrait).references == (portrait, back)
    # What is of another kind is sent whole.
    thing = replace(before, kind="prop", references=(portrait,))
    assert library.brought(before, thing).references == (portrait,)


def test_of_a_deleted_one_only_the_number_stays() -> None:
    gone = replace(makers.character(version=4), deleted_at=NOW)
    sent = makers.character(references=0, created_at=LATER, updated_at=LATER)
    assert library.replaced(gone, sent) == replace(sent, version=5, first_version=5)
    assert library.replaced(None, sent) is sent


@pytest.mark.parametrize(
    ("used", "stale"), [(1, False), (2, False), (3, True), (4, True), (5, False)]
)
def test_what_is_older_and_of_the_same_character_is_stale(used: int, stale: bool) -> None:
    character = makers.character(version=5, first_version=3)
    assert is_stale(Use("acme", "elena", "sb_1", used), character) is stale


@pytest.mark.parametrize("scene", SCENES)
def test_a_boards_scene_is_planned_again_as_it_was(scene: Scene) -> None:
    kept = BoardScene(
        scene.id,
        scene.position,
        scene.caption,
        scene.description,
        scene.characters,
        (),
        None,
        details_of(scene),
    )
    assert asked_of(kept) == scene


def test_a_plain_scene_keeps_nothing_more() -> None:
    assert details_of(makers.scene(caption="They meet.", seed=7)) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("references", [0, 1])
@pytest.mark.parametrize("name", makers.MODELS.models)
def test_every_model_draws_the_sheet_or_says_that_it_takes_no_picture(
    name: str, references: int, kind: str
) -> None:
    character = makers.character(references=references, kind=kind)
    model = makers.MODELS.find(name)
    role = sheet.role_of(character, None)
    look = sheet.look_of(character, role, None, model)
    made = 0
    for angle in sheet.angles_of(character, role, None):
        scene = sheet.scene_of(character, role, angle)
        try:
            plan = plan_scene(makers.MODELS, name, scene, [character], look, seed=1)
        except ReferencesNotTaken:
            assert references
            assert model.references.kind == "none"
            return
        made += 1
        assert len(plan.references) == (1 if references else 0)
        assert plan.character_versions == {"elena": 1}
    assert made


@given(casts(1))
def test_the_missing_angles_are_those_that_no_reference_of_the_role_has(cast: list[Any]) -> None:
    for character in cast:
        role = sheet.role_of(character, None)
        assert role in (*sheet.ROLES, MAIN_ROLES[character.kind])
        there = {ref.angle for ref in character.references if ref.role == role}
        asked = ("front", "back")
        assert sheet.angles_of(character, role, asked) == asked
        if there < {"front", "back"}:
            assert not there & set(sheet.angles_of(character, role, None))


@given(st.lists(st.sampled_from(["outfit", "name", "references"]), max_size=6))
def test_versions_count_changes(names: list[str]) -> None:
    row = makers.character()
    for n, name in enumerate(names):
        value: Any = (makers.reference(f"ref_{n}"),) if name == "references" else f"{name} {n}"
        row = library.next_version(row, LATER, **{name: value})
    assert row.version == 1 + len(names)
