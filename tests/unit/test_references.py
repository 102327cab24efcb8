"""Which pictures are shown: rules that hold for any cast, and the choices a scene makes."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyhook.domain.model import ReferenceRule
from storyhook.domain.pricing import MEGAPIXEL, megapixels
from storyhook.domain.references import select
from storyhook.domain.story import ANGLES, KINDS, ROLES, Character
from tests.fixtures import makers
from tests.fixtures.casts import casts, scene_of

KINDS_OF_RULES = ["several", "one", "identity", "ip_adapter", "start"]


@given(
    casts(),
    st.sampled_from(KINDS_OF_RULES),
    st.integers(0, 10),
    st.none() | st.integers(1, 12),
)
def test_a_selection_keeps_every_rule(
    cast: list[Character], kind: str, maximum: int, max_megapixels: int | None
) -> None:
    rule = ReferenceRule(kind, maximum, max_total_megapixels=max_megapixels)
    chosen = select(scene_of(cast), cast, rule)
    placed = [place.reference for place in chosen.placed]
    # Never over the limits.
    assert len(placed) <= maximum
    if max_megapixels:
        assert sum(megapixels((r.width, r.height)) for r in placed) <= max_megapixels
    # Every reference on stage is placed or recorded, once, and nobody else's.
    everything = {ref.id for person in cast for ref in person.references}
    left = [left.reference.id for left in chosen.left_out]
    assert sorted([r.id for r in placed] + left) == sorted(everything)
    assert all(left.why for left in chosen.left_out)
    assert all(place.why for place in chosen.placed)
    assert [place.position for place in chosen.placed] == list(range(1, len(placed) + 1))


@given(casts(), st.integers(0, 12))
def test_everyones_best_comes_before_anyones_second(cast: list[Character], maximum: int) -> None:
    chosen = select(scene_of(cast), cast, ReferenceRule("several", maximum))
    people = [person.id for person in cast if person.is_person and person.references]
    shown = [place.character for place in chosen.placed]
    assert shown[: len(people)] == people[:maximum]
    # Outfits, then places and things, then further views, then style.
    by_id = {person.id: person for person in cast}
    seen: set[str] = set()
    tiers = []
    for place in chosen.placed:
        first = place.character not in seen
        seen.add(place.character)
        kind, role = by_id[place.character].kind, place.reference.role
        if first and kind in ("character", "location", "prop"):
            tiers.append({"character": 0, "location": 2, "prop": 3}[kind])
        else:
            tiers.append({"outfit": 1, "style": 5}.get(role, 4))
    assert tiers == sorted(tiers) or _second_outfit_of_a_place(chosen.placed, by_id)


def _second_outfit_of_a_place(placed: Any, by_id: dict[str, Character]) -> bool:
    """A place whose "outfit" is shown before its main view: odd data, but within the rules."""
    return any(p.reference.role == "outfit" and not by_id[p.character].is_person for p in placed)


def rule(maximum: int = 9, kind: str = "several") -> ReferenceRule:
    return ReferenceRule(kind, maximum)


def person(name: str, *references: tuple[str, str, str], **values: Any) -> Character:
    """References as (id, role, angle)."""
    made = tuple(makers.reference(i, role=role, angle=angle) for i, role, angle in references)
    return dataclasses.replace(makers.character(name), references=made, **values)


ELENA = person(
    "elena",
    ("face", "face", "front"),
    ("profile", "face", "profile"),
    ("back", "face", "back"),
    ("body", "full_body", "front"),
    ("jacket", "outfit", "front"),
    ("ink", "style", "front"),
)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({}, ["face", "jacket", "profile", "back", "body", "ink"]),
        ({"shot": "wide"}, ["body", "jacket", "face", "profile", "back", "ink"]),
        ({"shot": "full"}, ["body", "jacket", "face", "profile", "back", "ink"]),
        ({"camera": "from behind"}, ["back", "jacket", "face", "profile", "body", "ink"]),
        ({"camera": "side view"}, ["profile", "jacket", "face", "back", "body", "ink"]),
        ({"camera": "Seen from the back"}, ["back", "jacket", "face", "profile", "body", "ink"]),
        ({"camera": "rear view"}, ["back", "jacket", "face", "profile", "body", "ink"]),
        ({"shot": "wide, low angle"}, ["body", "jacket", "face", "profile", "back", "ink"]),
        # Words that only hold such a word, or place the camera and not the person.
        ({"camera": "blurred background"}, ["face", "jacket", "profile", "back", "body", "ink"]),
        ({"camera": "backlit"}, ["face", "jacket", "profile", "back", "body", "ink"]),
        ({"camera": "from outside"}, ["face", "jacket", "profile", "back", "body", "ink"]),
        ({"camera": "behind the bar"}, ["face", "jacket", "profile", "back", "body", "ink"]),
        ({"shot": "longing"}, ["face", "jacket", "profile", "back", "body", "ink"]),
    ],
)
def test_the_view_follows_shot_and_camera(values: dict[str, str], wanted: list[str]) -> None:
    scene = makers.scene(**values)
    assert [p.reference.id for p in select(scene, [ELENA], rule()).placed] == wanted


def test_among_equal_views_the_one_named_first_is_shown() -> None:
    """Ids are drawn by lot for each request: a dry run must not show other pictures."""
    for ids in (("a", "b", "c"), ("c", "a", "b")):
        twins = person("elena", *((each, "face", "front") for each in ids))
        placed = select(makers.scene(), [twins], rule(3)).placed
        assert tuple(p.reference.id for p in placed) == ids


def test_a_changed_outfit_leaves_the_outfits_picture_out() -> None:
    scene = makers.scene(overrides={"elena": {"outfit": "green cloak"}})
    chosen = select(scene, [ELENA], rule())
    assert "jacket" not in [p.reference.id for p in chosen.placed]
    [left] = chosen.left_out
    assert (left.reference.id, left.why) == ("jacket", "scene-1 changes the outfit of Elena")


def test_people_then_outfits_then_places_then_props_then_views_then_style() -> None:
    marcus = person("marcus", ("m-face", "face", "front"), ("m-back", "face", "back"))
    tavern = person("tavern", ("t", "place", "front"), ("t-2", "place", "back"), kind="location")
    lamp = person("map", ("o", "object", "front"), kind="prop")
    cast = [lamp, tavern, ELENA, marcus]
    placed = select(makers.scene(), cast, rule(20)).placed
    assert [p.reference.id for p in placed] == [
        *("face", "m-face", "jacket", "t", "o"),
        *("t-2", "profile", "m-back", "back", "body", "ink"),
    ]
    chosen = select(makers.scene(), cast, rule(3))
    assert [p.reference.id for p in chosen.placed] == ["face", "m-face", "jacket"]
    assert {left.why for left in chosen.left_out} == {"the model takes 3 references"}


def test_adapters_are_for_people_and_a_location_is_the_start() -> None:
    tavern = person("tavern", ("t", "place", "front"), kind="location")
    road = person("road", ("r", "place", "front"), kind="location")
    lamp = person("lamp", ("o", "object", "front"), kind="prop")
    cast = [tavern, ELENA, road, lamp]
    chosen = select(makers.scene(), cast, rule(3, "ip_adapter"))
    assert [p.reference.id for p in chosen.placed] == ["face", "t"]
    reasons = {left.reference.id: left.why for left in chosen.left_out}
    assert reasons["r"] == "the model starts from one picture"
    assert reasons["o"] == "adapters are for people"
    assert reasons["profile"] == "one adapter for each person"


def test_a_prop_alone_is_a_picture_to_start_from() -> None:
    lamp = person("lamp", ("o", "object", "front"), kind="prop")
    [place] = select(makers.scene(), [lamp], rule(3, "ip_adapter")).placed
    assert (place.reference.id, place.why) == ("o", "starting picture: the prop of scene-1")


def test_the_megapixels_of_replicate() -> None:
    """Nine in all: two pictures of 4 MP and one of 1 MP, then nothing."""
    big = [makers.reference(f"big-{n}", width=2048, height=2048) for n in range(3)]
    small = [makers.reference(f"small-{n}", role="style") for n in range(2)]
    elena = dataclasses.replace(makers.character(), references=(*big, *small))
    plan = makers.plan("rep-flux2-pro", (elena,))
    assert [p.reference.id for p in plan.references] == ["big-0", "big-1", "small-0"]
    assert [(left.reference.id, left.why) for left in plan.left_out] == [
        ("big-2", "the model takes 9 megapixels of references in all"),
        ("small-1", "the model takes 9 megapixels of references in all"),
    ]
    assert sum(p.reference.width * p.reference.height for p in plan.references) == 9 * MEGAPIXEL


def test_every_role_and_angle_has_its_rank() -> None:
    references = tuple(
        makers.reference(f"{role}-{angle}", role=role, angle=angle)
        for role in ROLES
        for angle in ANGLES
    )
    for kind in KINDS:
        everything = dataclasses.replace(makers.character(), references=references, kind=kind)
        chosen = select(makers.scene(), [everything], rule(100))
        assert len(chosen.placed) == len(references)
