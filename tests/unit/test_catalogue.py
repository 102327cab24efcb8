"""Models are data: the shipped ones are whole, and one more takes an entry and no code."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from storyhook.domain import catalogue, model_views
from storyhook.domain.errors import InvalidOption, SettingsError, UnknownModel
from storyhook.domain.plan import plan_scene
from storyhook.domain.story import Look
from tests.fixtures import makers
from tools import catalogue as compiler

MODELS = makers.MODELS
DOMAIN = Path(catalogue.__file__).parent
OWN = Path(__file__).parents[1] / "fixtures" / "own-models.toml"
PRICE = {"rule": "image", "image": "0.04", "as_of": "2026-11-22", "grade": "S"}
FACTS = {
    "fal-flux-general-ip",
    "fal-flux-pulid",
    "fal-flux2-edit",
    "fal-flux2-flash-edit",
    "fal-flux2-flex-edit",
    "fal-flux2-klein-edit",
    "fal-flux2-max-edit",
    "fal-flux2-pro",
    "fal-flux2-pro-edit",
    "fal-flux2-turbo",
    "fal-flux2-turbo-edit",
    "fal-ideogram-character",
    "fal-instant-character",
    "fal-kontext",
    "fal-kontext-max",
    "fal-kontext-max-multi",
    "fal-kontext-multi",
    "fal-nano-banana-2-edit",
    "fal-nano-banana-edit",
    "fal-nano-banana-pro-edit",
    "fal-qwen-edit",
    "fal-seedream4-edit",
    "fal-seedream45-edit",
    "fal-uso",
    "rep-flux-11-pro",
    "rep-flux-dev",
    "rep-flux-dev-lora",
    "rep-flux-pulid",
    "rep-flux-schnell",
    "rep-flux2-dev",
    "rep-flux2-flex",
    "rep-flux2-pro",
    "rep-ideogram-character",
    "rep-kontext-max",
    "rep-kontext-pro",
    "rep-nano-banana",
    "rep-nano-banana-2",
    "rep-nano-banana-pro",
    "rep-redux-dev",
    "rep-seedream4",
    "rep-seedream45",
}


def documents(*more: Path) -> list[dict[str, Any]]:
    return [catalogue.read(DOMAIN / "models.toml"), *(catalogue.read(path) for path in more)]


def test_every_model_that_is_known_is_there() -> None:
    assert set(MODELS.models) >= FACTS


@pytest.mark.parametrize("name", sorted(MODELS.models))
def test_every_entry_is_whole(name: str) -> None:
    model = MODELS.models[name]
    for each in (model.endpoint, *model.names):
        assert MODELS.find(each) is model
    for related in (model.text_model, model.edit_model, model.twin):
        assert related is None or related in MODELS.models
    if model.twin and not model.edit_model:
        twin = MODELS.models[model.twin]
        assert twin.provider != model.provider
        assert twin.family == model.family
    rule = model.references
    assert bool(rule.max) == bool(rule.field) == (rule.kind != "none")
    assert bool(rule.adapter) == (rule.kind == "ip_adapter") == bool(rule.start_field)
    assert rule.descriptor in ("full", "outfit_only")
    if rule.required:
        assert model.text_model, "a scene without references has somewhere to go"
        assert not MODELS.models[model.text_model].references.required
    if model.edit_model:
        assert MODELS.models[model.edit_model].text_model == name
    assert model.size.ratios
    for width, height in model.size.ratios.values():
        assert width % 8 == height % 8 == 0
    for option in model.options.values():
        if option.default is not None:
            assert option.accept(option.default, with_references=False) == option.default
    if model.price.rule == "image_by_option":
        assert model.price.option in model.options
    assert model.price.grade in ("V", "S", "NF")
    assert (model.price.grade == "NF") == (model.price.rule == "unknown")
    assert 0 < model.typical_seconds < model.deadline_seconds
    assert model.consistency
    assert model.best_for


def test_a_shipped_model_draws_the_usual_ratios() -> None:
    for model in makers.MODELS.models.values():
        assert {"1:1", "16:9", "9:16", "4:3", "3:4"} <= set(model.size.ratios)


def test_prompts_are_never_rewritten() -> None:
    """Rewriting would break the word for word repetition of descriptors."""
    rewriting = {"enable_prompt_expansion", "enhance_prompt", "prompt_upsampling", "expand_prompt"}
    for model in MODELS.models.values():
        assert not rewriting & set(model.options)
        assert not any(model.fixed.get(name) for name in rewriting)


def test_no_payload_asks_for_the_picture_itself() -> None:
    for model in MODELS.models.values():
        assert "sync_mode" not in {*model.options, *model.fixed}


def test_a_name_that_nobody_has() -> None:
    with pytest.raises(UnknownModel) as caught:
        MODELS.find("midjourney")
    assert "'midjourney'" in caught.value.detail
    assert "adding-a-model.md" in caught.value.detail
    assert f"GET /models lists all {len(MODELS.models)}" in caught.value.detail
    assert "did you mean" not in caught.value.detail
    assert len(caught.value.detail) < 200


def test_a_name_that_is_nearly_right_leads_to_the_right_one() -> None:
    with pytest.raises(UnknownModel, match=r"'FLUX 2 por'; did you mean flux-2-pro or "):
        MODELS.find("FLUX 2 por")
    with pytest.raises(UnknownModel) as caught:
        MODELS.find("seedream 5")
    assert "did you mean seedream-4.5 or seedream-4 or " in caught.value.detail


def test_a_model_is_added_from_a_file() -> None:
    models = catalogue.build(documents(OWN))
    model = models.find("Our House Style")
    assert model.id == "my-lora"
    assert model.provider == "replicate"
    options = {"steps": 50, "strength": 0.5, "mode": "fine", "tile": False}
    scene = makers.scene(options=options)
    plan = plan_scene(models, "my-lora", scene, [makers.character()], Look(), seed=1)
    assert plan.endpoint.startswith("my-name/my-lora:0123")
    assert plan.payload == {
        "prompt": plan.prompt,
        "go_fast": False,
        "aspect_ratio": "16:9",
        "seed": 1,
        "image": "reference://ref_elena_0",
        **options,
    }
    assert str(plan.price.total) == "0.014"
    assert "fal-flux2-pro-edit" in models.models, "beside those that ship"


def test_the_entry_in_the_docs_is_one() -> None:
    text = (Path(__file__).parents[2] / "docs" / "adding-a-model.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    models = catalogue.build([*documents(), tomllib.loads(example)])
    assert models.find("my-lora").provider == "replicate"


@pytest.mark.parametrize(
    "options",
    [
        {"nope": 1},
        {"steps": 0},
        {"steps": 51},
        {"steps": 1.0},
        {"steps": "5"},
        {"steps": True},
        {"steps": None},
        {"strength": 1.51},
        {"strength": -0.1},
        {"strength": float("inf")},
        {"strength": 10**400},
        {"strength": "1"},
        {"strength": False},
        {"mode": "FAST"},
        {"mode": 1},
        {"mode": ["fast"]},
        {"mode": {"a": 1}},
        {"tile": 1},
        {"tile": "true"},
        {"negative_prompt": ""},
        {"negative_prompt": "x" * 11},
        {"negative_prompt": 5},
        {"image": "https://evil.example"},
        {"image_url": "https://evil.example"},
        {"prompt": "another"},
        {"go_fast": True},
        {"aspect_ratio": "1:1"},
        {"seed": 5},
    ],
)
def test_an_option_that_does_not_fit_is_refused(options: dict[str, Any]) -> None:
    model = catalogue.build(documents(OWN)).find("my-lora")
    [(name, value)] = options.items()
    with pytest.raises(InvalidOption) as caught:
        model.accept(name, value, with_references=False)
    [error] = caught.value.errors
    assert error.path == f"options.{name}"
    assert "my-lora" in caught.value.detail


def test_every_limit_is_told_in_words() -> None:
    options = catalogue.build(documents(OWN)).find("my-lora").options
    assert {name: option.expectation() for name, option in options.items()} == {
        "steps": "a whole number from 1 to 50",
        "strength": "a number from 0 to 1.5",
        "mode": 'one of "fast", "fine"',
        "tile": "true or false",
        "negative_prompt": "a text of at most 10 characters",
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"provider": "midjourney"}, "provider is one of fal, replicate"),
        ({"refrences": {}}, "refrences"),
        ({"size": {"form": "ratio", "field": "x", "ratios": ["7:1"]}}, "7:1"),
        ({"size": {"form": "ratio"}}, "in the catalogue lacks 'ratios'"),
        ({"options": {"x": {"integer": 1}}}, "an option cannot be"),
        ({"references": {"kind": "many"}}, "references.kind is one of"),
        ({"references": {"kind": "one"}}, "references need a field and a max"),
        ({"size": {"form": "pixel", "field": "x", "ratios": ["1:1"]}}, "size.form is one of"),
        ({"size": {"form": "ratio", "field": "x", "ratios": []}}, "size.ratios is empty"),
        ({"price": {"rule": "image"}}, "lacks 'as_of'"),
        ({"price": PRICE | {"rule": "images"}}, "price.rule is one of"),
        ({"price": PRICE | {"rule": "first_megapixel"}}, "price needs first and further"),
        ({"price": PRICE | {"image": "four"}}, "a text such as"),
        ({"price": PRICE | {"image": 0.04}}, "a text such as"),
        ({"price": PRICE | {"option": "steps"}}, "need each other"),
        ({"price": PRICE | {"rule": "image_by_option", "option": "x"}}, "price.option is 'x'"),
        ({"options": {"x": {"integers": [1, 5], "default": 6}}}, "the default 6 is not a whole"),
        ({"format": {"field": "f", "values": ["png"], "default": "gif"}}, "the default 'gif'"),
        ({"text_model": "nobody"}, "'nobody', which is not there"),
        ({"aliases": ["flux-2-pro"]}, "Two models are called 'flux-2-pro'"),
    ],
)
def test_a_mistake_in_an_entry_is_told_with_its_place(change: dict[str, Any], words: str) -> None:
    own = catalogue.read(OWN)
    own["models"]["my-lora"] |= change
    with pytest.raises(SettingsError) as caught:
        catalogue.build([*documents(), own])
    assert words in caught.value.detail
    assert "my-lora" in caught.value.detail


def test_the_users_own_entries_can_be_shown_with_their_prices() -> None:
    """`make check` is what docs/adding-a-model.md offers for trying an entry."""
    models = catalogue.load().models
    assert [each["id"] for each in model_views.models(models.values())] == list(models)


def test_an_id_that_is_taken_is_refused() -> None:
    own = catalogue.read(OWN)
    with pytest.raises(SettingsError, match="Two models are called 'my-lora'"):
        catalogue.merge([own, own])
    with pytest.raises(SettingsError, match=r"has no \[my-lora\]"):
        catalogue.merge([own["models"]])


def test_the_layers_build_makes_the_same_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in catalogue.SOURCES:
        (tmp_path / name).write_bytes((DOMAIN / name).read_bytes())
    monkeypatch.setattr("sys.argv", ["catalogue", str(tmp_path)])
    compiler.main()
    assert [path.name for path in tmp_path.iterdir()] == [catalogue.BUILT]
    built = json.loads((tmp_path / catalogue.BUILT).read_text())
    assert catalogue.build([built]) == catalogue.load()


def test_a_broken_catalogue_stops_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models.toml").write_text("[models.x")
    monkeypatch.setattr("sys.argv", ["catalogue", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"models\.toml cannot be read"):
        compiler.main()
