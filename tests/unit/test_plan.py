"""References, prompt and plan: properties that hold for any story."""

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyhook.domain.errors import InvalidRequest, StoryhookError
from storyhook.domain.plan import Plan, plan_scene, scene_seed, with_urls
from storyhook.domain.pricing import MEGAPIXEL, megapixels
from storyhook.domain.references import select
from storyhook.domain.story import ANGLES, KINDS, ROLES, Character, Look, Reference, Scene
from tests.fixtures import makers

SIDES = st.sampled_from([300, 1024, 1448, 2048, 4000])


@st.composite
def casts(draw: st.DrawFn, smallest: int = 0) -> list[Character]:
    """Up to six people with up to six references each."""
    people = []
    for n in range(draw(st.integers(smallest, 6))):
        name = f"person-{n}"
        references = tuple(
            Reference(
                id=f"ref-{n}-{m}",
                role=draw(st.sampled_from(ROLES)),
                angle=draw(st.sampled_from(ANGLES)),
                key=f"references/acme/{n}-{m}.png",
                content_type="image/png",
                width=draw(SIDES),
                height=draw(SIDES),
                size_bytes=1,
                sha256=f"{n}{m}",
            )
            for m in range(draw(st.integers(0, 6)))
        )
        kind = draw(st.sampled_from(KINDS))
        people.append(_person(name, kind, references))
    return people


def _person(name: str, kind: str, references: tuple[Reference, ...]) -> Character:
    return dataclasses.replace(makers.character(name), kind=kind, references=references)


def scene_of(cast: list[Character], **values: Any) -> Scene:
    return makers.scene(characters=tuple(person.id for person in cast), **values)


@given(casts(), st.integers(0, 10), st.none() | st.integers(1, 12))
def test_a_selection_keeps_every_rule(
    cast: list[Character], maximum: int, max_megapixels: int | None
) -> None:
    chosen = select(scene_of(cast), cast, maximum=maximum, max_total_megapixels=max_megapixels)
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
    assert [place.position for place in chosen.placed] == list(range(1, len(placed) + 1))
    # Everyone's first comes before anyone's second.
    seen: list[str] = []
    rounds = []
    for place in chosen.placed:
        rounds.append(seen.count(place.character))
        seen.append(place.character)
    if max_megapixels is None:
        assert rounds == sorted(rounds)
        firsts = [person.id for person in cast if person.references]
        assert seen[: len(firsts)] == firsts[:maximum]


@given(
    casts(smallest=1), st.sampled_from(["fal-flux2-pro-edit", "rep-flux2-pro"]), st.integers(0, 99)
)
def test_a_plan_keeps_every_rule(cast: list[Character], model: str, seed: int) -> None:
    plan = plan_scene(makers.MODELS, model, scene_of(cast), cast, Look(), seed=seed)
    again = plan_scene(makers.MODELS, model, scene_of(cast), cast, Look(), seed=seed)
    assert plan == again, "the same input gives the same plan"
    used = makers.MODELS.models[plan.model]
    assert len(plan.references) <= used.references.max
    # The numbers in the prompt are the order in which the pictures are sent.
    field = used.references.field
    sent = plan.payload.get(field, []) if field else []
    assert sent == [f"reference://{place.reference.id}" for place in plan.references]
    numbered: dict[str, list[int]] = {}
    for name, numbers in re.findall(r"(Person-\d) \(\w+ from images? ([\d and]+)\)", plan.prompt):
        numbered[name.lower()] = [int(number) for number in re.findall(r"\d+", numbers)]
    wanted: dict[str, list[int]] = {}
    for place in plan.references:
        wanted.setdefault(place.character, []).append(place.position)
    assert numbered == wanted
    unseen = {person.id for person in cast if person.references} - set(wanted)
    faceless = {character.id for character in cast if not character.references}
    assert len(plan.warnings) == len(unseen) + len(faceless)
    assert plan.price.total is not None
    assert plan.payload["seed"] == seed


def plan_at(scenes: list[Scene], index: int, cast: dict[str, Character]) -> Plan:
    scene = scenes[index]
    people = [cast[name] for name in scene.characters]
    seed = scene_seed(5, scene.position)
    return plan_scene(makers.MODELS, "rep-flux2-pro", scene, people, Look(), seed=seed)


@given(casts(smallest=2), st.data())
def test_another_scene_changes_no_scenes_plan(cast: list[Character], data: st.DataObject) -> None:
    by_id = {person.id: person for person in cast}
    some = st.lists(st.sampled_from(sorted(by_id)), unique=True, max_size=4)
    scenes = [
        makers.scene(id=f"s{n}", position=n, characters=tuple(data.draw(some))) for n in (1, 2, 3)
    ]
    before = [plan_at(scenes[:2], index, by_id) for index in (0, 1)]
    assert [plan_at(scenes, index, by_id) for index in (0, 1)] == before


@given(casts(smallest=2))
def test_nobody_off_stage_is_shown_or_named(cast: list[Character]) -> None:
    on_stage, absent = cast[:1], cast[1:]
    plan = plan_scene(makers.MODELS, "rep-flux2-pro", scene_of(on_stage), on_stage, Look(), seed=1)
    text = str(plan)
    for person in absent:
        assert person.id not in text
        assert person.name not in plan.prompt


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


def test_a_person_who_does_not_fit_is_said_so() -> None:
    cast = tuple(makers.character(f"p{n}") for n in range(9))
    plan = makers.plan("rep-flux2-pro", cast)
    assert len(plan.references) == 8
    [left] = plan.left_out
    assert left.character == "p8"
    assert plan.warnings == ("p8 is drawn from words alone: no reference fits the model's limit.",)
    assert "P8: p8 with long red hair" in plan.prompt


def test_the_best_view_comes_first() -> None:
    elena = dataclasses.replace(
        makers.character(),
        references=(
            makers.reference("style", role="style"),
            makers.reference("back", angle="back"),
            makers.reference("body", role="full_body"),
            makers.reference("front"),
        ),
    )
    placed = makers.plan(makers.FAL, (elena,)).references
    assert [p.reference.id for p in placed] == ["front", "back", "body", "style"]


def test_the_whole_prompt() -> None:
    scene = makers.scene(
        characters=("elena", "marcus"),
        description="They meet",
        setting="a market.",
        shot="wide",
        camera="eye level",
        light="noon",
        overrides={"elena": {"outfit": "green cloak"}},
    )
    cast = [makers.character(references=2), makers.character("marcus", 0, outfit=None)]
    look = Look("watercolour", ("ochre", "teal"))
    plan = plan_scene(makers.MODELS, makers.FAL, scene, cast, look, seed=None)
    assert plan.prompt == (
        "They meet. Characters: Elena (person from images 1 and 2): elena with long red hair, "
        "wearing green cloak; Marcus: marcus with long red hair. Setting: a market. Light: noon. "
        "Camera: wide shot, eye level. Style: watercolour. Palette: ochre, teal. "
        "High quality, detailed illustration."
    )
    assert "seed" not in plan.payload


def test_the_whole_payload_of_both_twins() -> None:
    fal, replicate = makers.plan(makers.FAL), makers.plan(makers.REPLICATE)
    assert fal.payload == {
        "prompt": fal.prompt,
        "enable_safety_checker": True,
        "image_size": {"width": 1344, "height": 768},
        "output_format": "png",
        "seed": 7,
        "image_urls": ["reference://ref_elena_0"],
    }
    assert replicate.payload == {
        "prompt": fal.prompt,
        "resolution": "1 MP",
        "aspect_ratio": "16:9",
        "output_format": "png",
        "seed": 7,
        "input_images": ["reference://ref_elena_0"],
    }


@pytest.mark.parametrize(
    ("model", "scene", "look", "words"),
    [
        ("fal-flux2-pro", makers.scene(), Look(), "takes no references"),
        ("rep-flux2-pro", makers.scene(description="x" * 4000), Look(), "4000 are allowed"),
        ("rep-flux2-pro", makers.scene(), Look(aspect_ratio="21:9"), "draws no 21:9"),
    ],
)
def test_what_cannot_be_planned(model: str, scene: Scene, look: Look, words: str) -> None:
    with pytest.raises(StoryhookError, match=words):
        plan_scene(makers.MODELS, model, scene, [makers.character()], look, seed=1)


def test_a_scene_without_people_needs_no_references() -> None:
    scene = makers.scene(characters=())
    for model, used in (("flux-2-pro", "fal-flux2-pro"), ("rep-flux2-pro", "rep-flux2-pro")):
        assert plan_scene(makers.MODELS, model, scene, [], Look(), seed=1).model == used
    bare = makers.character(references=0)
    found = plan_scene(makers.MODELS, "flux-2-pro", makers.scene(), [bare], Look(), seed=1)
    assert found.model == "fal-flux2-pro"


@given(st.integers(0, 2**31 - 1), st.integers(1, 1000), st.integers(1, 8))
def test_seeds_of_scenes_stay_in_range_and_differ(base: int, position: int, candidate: int) -> None:
    assert 0 <= scene_seed(base, position, candidate) < 2**31
    assert scene_seed(base, position) != scene_seed(base, position + 1)


def test_urls_are_put_in_wherever_a_reference_stands() -> None:
    payload = {
        "a": "reference://x",
        "b": ["reference://y", "other"],
        "c": {"d": ("reference://x",)},
    }
    assert with_urls(payload, {"reference://x": "X", "reference://y": "Y"}) == {
        "a": "X",
        "b": ["Y", "other"],
        "c": {"d": ["X"]},
    }
    prompt = {"prompt": "reference://z is what the prompt begins with"}
    assert with_urls(prompt, {"reference://z": "Z"}) == prompt


def test_a_prompt_that_grew_too_long_is_refused_not_cut() -> None:
    with pytest.raises(InvalidRequest, match="shorten"):
        makers.plan(makers.FAL, description="y" * 3990)
