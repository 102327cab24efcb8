"""Plan and prompt: properties that hold for any story, and the whole text and payload of a few."""

import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from storyhook.domain.errors import InvalidRequest, ReferencesNotTaken, StoryhookError
from storyhook.domain.payload import with_urls
from storyhook.domain.plan import Plan, plan_scene
from storyhook.domain.seeds import candidate_seed, scene_seed
from storyhook.domain.story import DESCRIBE, Character, Look, Scene
from tests.fixtures import makers
from tests.fixtures.casts import casts, scene_of

MODELS = sorted(makers.MODELS.models)
SEVERAL = [name for name in MODELS if makers.MODELS.models[name].references.kind == "several"]


def urls_in(payload: Any) -> list[str]:
    """Every reference of a payload, in the order in which it is sent."""
    if isinstance(payload, str):
        return [payload] if payload.startswith("reference://") else []
    values = payload.values() if isinstance(payload, dict) else payload
    return [url for v in values for url in urls_in(v)] if isinstance(payload, dict | list) else []


@given(casts(), st.sampled_from(MODELS), st.integers(0, 99), st.booleans())
def test_a_plan_keeps_every_rule(
    cast: list[Character], model: str, seed: int, describe: bool
) -> None:
    look = Look(aspect_ratio="1:1")
    scene = scene_of(cast, without_references=DESCRIBE if describe else "refuse")
    try:
        plan = plan_scene(makers.MODELS, model, scene, cast, look, seed=seed)
    except ReferencesNotTaken:
        plan = None
    if plan is None:
        # Only when there is somebody to show, and never when words are enough.
        assert not describe
        assert any(person.references for person in cast)
        return
    again = plan_scene(makers.MODELS, model, scene, cast, look, seed=seed)
    assert plan == again, "the same input gives the same plan"
    used = makers.MODELS.models[plan.model]
    assert len(plan.references) <= used.references.max
    on_stage = {person.id for person in cast}
    assert {place.character for place in plan.references} <= on_stage
    placed = [f"reference://{place.reference.id}" for place in plan.references]
    sent = urls_in(plan.payload)
    if used.references.kind == "ip_adapter":
        # The first person may be the starting picture too.
        assert set(sent) == set(placed)
    else:
        assert sent == placed
    assert plan.payload.get("seed") == (seed if used.seed_field else None)
    assert plan.price.total is None or plan.price.total > 0
    if used.prompt_field:
        assert plan.payload[used.prompt_field] == plan.prompt


@given(casts(smallest=1), st.sampled_from(SEVERAL))
def test_the_numbers_in_the_prompt_are_the_order_sent(cast: list[Character], model: str) -> None:
    scene = scene_of(cast, without_references=DESCRIBE)
    plan = plan_scene(makers.MODELS, model, scene, cast, Look(aspect_ratio="1:1"), seed=1)
    used = makers.MODELS.models[plan.model]
    assume(used.references.kind == "several")
    sent = plan.payload.get(str(used.references.field), [])
    assert sent == [f"reference://{place.reference.id}" for place in plan.references]
    # Each clause names exactly the numbers of its own pictures; style pictures stand apart.
    numbered: dict[str, set[int]] = {}
    for name, inside in re.findall(r"(Person-\d) \(([^)]*)\)", plan.prompt):
        numbered[name.lower()] = {int(number) for number in re.findall(r"\d+", inside)}
    style = re.search(r"Style as in images? ([\d, and]+)\.", plan.prompt)
    styles = {int(number) for number in re.findall(r"\d+", style.group(1))} if style else set()
    wanted: dict[str, set[int]] = {}
    for place in plan.references:
        wanted.setdefault(place.character, set()).add(place.position)
    assert numbered.keys() == wanted.keys()
    for name, numbers in wanted.items():
        assert numbered[name] <= numbers
        assert numbers - numbered[name] <= styles
    assert styles == {p.position for p in plan.references if p.reference.role == "style"}


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


def test_a_person_who_does_not_fit_is_said_so() -> None:
    cast = tuple(makers.character(f"p{n}") for n in range(9))
    plan = makers.plan("rep-flux2-pro", cast)
    assert len(plan.references) == 8
    [left] = plan.left_out
    assert left.character == "p8"
    [warning] = plan.warnings
    assert warning == (
        "p8 is drawn from words alone: no reference fits the limit of rep-flux2-pro; "
        "rep-flux2-flex takes more."
    )
    assert "P8: p8 with long red hair" in plan.prompt


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
        "wearing green cloak; Marcus: marcus with long red hair. "
        "From left to right: Elena, Marcus. Setting: a market. Light: noon. "
        "Camera: wide shot, eye level. Style: watercolour. "
        "Palette: ochre, teal."
    )
    assert "seed" not in plan.payload


@pytest.mark.parametrize(
    ("shot", "words"),
    [
        ("wide", "Camera: wide shot."),
        ("wide shot", "Camera: wide shot."),
        ("Close-up", "Camera: Close-up."),
        ("bird's-eye view", "Camera: bird's-eye view."),
    ],
)
def test_a_shot_is_called_so_once(shot: str, words: str) -> None:
    scene = makers.scene(shot=shot)
    plan = plan_scene(makers.MODELS, makers.FAL, scene, [makers.character()], Look(), seed=1)
    assert words in plan.prompt


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
        ("rep-flux2-pro", makers.scene(description="x" * 4000), Look(), "4000 are allowed"),
        ("rep-flux2-pro", makers.scene(), Look(aspect_ratio="21:9"), "draws no 21:9"),
        ("flux-schnell", makers.scene(), Look(), "takes no references, so it cannot keep elena"),
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
    seed = scene_seed(base, position)
    assert 0 <= candidate_seed(seed, candidate) < 2**31
    assert seed != scene_seed(base, position + 1)
    assert candidate_seed(seed, candidate) != candidate_seed(seed, candidate + 1)


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
