"""How the kinds of models are planned: routes, refusals, options, adapters, sizes and prices."""

import dataclasses
from decimal import Decimal
from typing import Any

import pytest

from storyhook.domain.errors import InvalidOption, ReferencesNotTaken
from storyhook.domain.plan import Plan, plan_scene
from storyhook.domain.story import Character, Look
from tests.fixtures import makers

ELENA = makers.character()
MARCUS = makers.character("marcus")
TAVERN = makers.character("tavern", kind="location", outfit=None)
BARE = makers.character("bare", references=0)


def plan(model: str, *cast: Character, look: Look | None = None, **values: Any) -> Plan:
    lenient = values.pop("lenient", False)
    scene = makers.scene(characters=tuple(c.id for c in cast), **values)
    return plan_scene(makers.MODELS, model, scene, cast, look or Look(), seed=7, lenient=lenient)


# --- which model draws ---


@pytest.mark.parametrize(
    ("asked", "cast", "used"),
    [
        ("flux-2-pro", (ELENA,), "fal-flux2-pro-edit"),
        ("flux-2-pro", (), "fal-flux2-pro"),
        ("fal-flux2-pro", (ELENA,), "fal-flux2-pro-edit"),
        ("fal-ai/flux-2-dev-turbo", (ELENA,), "fal-flux2-turbo-edit"),
        ("fal-ai/flux-2-dev-turbo", (), "fal-flux2-turbo"),
        ("fal-ai/flux-2/turbo", (ELENA,), "fal-flux2-turbo-edit"),
        ("flux-general", (ELENA,), "fal-flux-general-ip"),
        ("flux-general", (), "fal-flux2-turbo"),
        ("FLUX Schnell", (), "rep-flux-schnell"),
        ("FLUX Schnell", (BARE,), "rep-flux-schnell"),
        ("FLUX Dev", (ELENA,), "rep-flux-dev"),
        ("FLUX 1.1 Pro", (ELENA,), "rep-flux-11-pro"),
        ("lucataco/flux-dev-lora", (ELENA,), "rep-flux-dev-lora"),
        ("xlabs-ai/flux-ip-adapter", (ELENA,), "rep-flux2-pro"),
        ("FAL FLUX.2 Turbo", (ELENA,), "fal-flux2-turbo-edit"),
        ("FAL FLUX General", (ELENA,), "fal-flux-general-ip"),
        ("FAL FLUX.2 Pro", (ELENA,), "fal-flux2-pro-edit"),
        ("Replicate Schnell", (), "rep-flux-schnell"),
        ("Replicate Dev", (), "rep-flux-dev"),
        ("Replicate Pro", (), "rep-flux-11-pro"),
        ("kontext", (), "fal-kontext-text"),
        ("rep-ideogram-character", (), "rep-flux2-pro"),
    ],
)
def test_names_and_references_lead_to_a_model(
    asked: str, cast: tuple[Character, ...], used: str
) -> None:
    assert plan(asked, *cast).model == used


def test_a_starting_picture_is_not_said_to_keep_anybody() -> None:
    for name in ("fal", "replicate"):
        kept = [makers.MODELS.models[each] for each in makers.MODELS.keepers(1, name)]
        assert kept[0].provider == name
        assert {model.references.kind for model in kept} >= {"several", "one", "identity"}
        assert "start" not in {model.references.kind for model in kept}


@pytest.mark.parametrize("model", ["rep-flux-schnell", "rep-kontext-pro", "rep-flux-pulid"])
def test_characters_that_cannot_be_shown_are_refused_or_described(model: str) -> None:
    with pytest.raises(ReferencesNotTaken, match="elena") as caught:
        plan(model, ELENA, MARCUS)
    assert "(rep-flux2-pro, " in caught.value.detail, "models that can, first of this provider"
    [error] = caught.value.errors
    assert error.path == "characters"

    described = plan(model, ELENA, MARCUS, without_references="describe")

    assert len(described.references) == (0 if model == "rep-flux-schnell" else 1)
    assert any("marcus is drawn from words alone" in text for text in described.warnings)
    assert "Marcus: marcus with long red hair" in described.prompt


def test_one_character_with_a_place_goes_to_a_model_of_one_picture() -> None:
    planned = plan("kontext", ELENA, TAVERN)
    assert [p.character for p in planned.references] == ["elena"]
    assert [(left.character, left.why) for left in planned.left_out] == [
        ("tavern", "the model takes 1 reference")
    ]
    assert "Elena (the person in the picture): elena with long red hair" in planned.prompt


def test_an_identity_model_is_told_clothes_not_faces() -> None:
    planned = plan("rep-ideogram-character", ELENA)
    assert "Characters: Elena: wearing leather jacket." in planned.prompt
    assert "red hair" not in planned.prompt
    assert planned.payload["character_reference_image"] == "reference://ref_elena_0"
    assert plan("fal-ideogram-character", ELENA).payload["reference_image_urls"] == [
        "reference://ref_elena_0"
    ]


@pytest.mark.parametrize("name", ["xlabs-ai/flux-ip-adapter", "lucataco/flux-dev-lora"])
def test_a_name_that_the_provider_lacks_says_where_it_led(name: str) -> None:
    planned = plan(name, ELENA, options={"ip_adapter_scale": 0.6})
    assert any("fal-flux-general-ip" in text for text in planned.warnings)
    assert any("'ip_adapter_scale' is left out" in text for text in planned.warnings)
    assert "ip_adapter_scale" not in planned.payload


def test_a_starting_picture_is_said_to_be_no_character() -> None:
    planned = plan("flux-dev", ELENA)
    assert planned.payload["image"] == "reference://ref_elena_0"
    assert any("not the person" in text for text in planned.warnings)


# --- the IP-adapter ---

ADAPTER = {
    "path": "XLabs-AI/flux-ip-adapter",
    "weight_name": "ip_adapter.safetensors",
    "image_encoder_path": "openai/clip-vit-large-patch14",
}


def test_one_adapter() -> None:
    payload = plan("flux-general", ELENA).payload
    assert payload["image_url"] == "reference://ref_elena_0"
    assert payload["ip_adapters"] == [
        {**ADAPTER, "image_url": "reference://ref_elena_0", "scale": 0.7}
    ]
    assert (payload["strength"], payload["num_inference_steps"]) == (0.75, 28)
    assert not [name for name in payload if name.startswith("ip_adapter_")]


def test_several_adapters_and_a_location_to_start_from() -> None:
    mask = "https://example.com/left.png"
    options = {"ip_adapter_masks": {"marcus": mask}, "ip_adapter_mask_threshold": 0.4}
    payload = plan("flux-general", ELENA, TAVERN, MARCUS, options=options).payload
    assert payload["image_url"] == "reference://ref_tavern_0"
    assert payload["ip_adapters"] == [
        {**ADAPTER, "image_url": "reference://ref_elena_0", "scale": 0.55},
        {
            **ADAPTER,
            "image_url": "reference://ref_marcus_0",
            "scale": 0.55,
            "mask_image_url": mask,
            "mask_threshold": 0.4,
        },
    ]


def test_the_scale_can_be_set_within_its_limits() -> None:
    payload = plan("flux-general", ELENA, options={"ip_adapter_scale": 0.65}).payload
    assert payload["ip_adapters"][0]["scale"] == 0.65
    with pytest.raises(InvalidOption, match="a number from 0 to 1"):
        plan("flux-general", ELENA, options={"ip_adapter_scale": 1.2})


def test_a_mask_for_somebody_off_stage_is_refused() -> None:
    options = {"ip_adapter_masks": {"marcus": "https://example.com/left.png"}}
    with pytest.raises(InvalidOption, match="'marcus' has no adapter"):
        plan("flux-general", ELENA, options=options)


def test_a_location_alone_is_a_starting_picture() -> None:
    payload = plan("flux-general", TAVERN).payload
    assert payload["image_url"] == "reference://ref_tavern_0"
    assert "ip_adapters" not in payload


# --- options ---


@pytest.mark.parametrize(
    ("model", "options", "sent"),
    [
        ("flux-general", {"strength": 0.6}, {"strength": 0.6}),
        ("flux-general", {"loras": [{"path": "a/b", "scale": 1}]},
         {"loras": [{"path": "a/b", "scale": 1}]}),
        ("flux-2-pro", {"image_size": "square_hd"},
         {"image_size": {"width": 1024, "height": 1024}}),
        ("flux-2-pro", {"image_size": {"width": 512, "height": 768}},
         {"image_size": {"width": 512, "height": 768}}),
        ("flux-2-pro", {"safety_tolerance": 3}, {"safety_tolerance": "3"}),
        ("flux-2-pro", {"output_format": "jpg"}, {"output_format": "jpeg"}),
        ("rep-flux2-pro", {"output_format": "jpeg"}, {"output_format": "jpg"}),
        ("rep-flux2-pro", {"resolution": "2 MP"}, {"resolution": "2 MP"}),
        ("flux-2-turbo", {"num_images": 3}, {"num_images": 3}),
    ],
)  # fmt: skip
def test_options_are_sent_in_the_models_own_form(
    model: str, options: dict[str, Any], sent: dict[str, Any]
) -> None:
    payload = plan(model, ELENA, options=options).payload
    assert {name: payload[name] for name in sent} == sent


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("flux-2-pro", {"num_images": 2}, "takes no option 'num_images'"),
        ("flux-2-pro", {"output_format": "webp"}, 'one of "png", "jpeg"'),
        ("flux-2-pro", {"image_size": {"width": 1000, "height": 1024}}, "in steps of 16"),
        ("flux-2-turbo", {"image_size": {"width": 256, "height": 1024}}, "of 512 to 2048"),
        ("flux-general", {"strength": 0}, "from 0.01 to 1"),
        ("flux-general", {"loras": [{"scale": 1}]}, "a list of at most 5 objects"),
        ("flux-general", {"loras": [{"path": "a", "weight": 1}]}, "a list of at most 5 objects"),
        ("rep-kontext-pro", {"safety_tolerance": 3}, "at most 2 with a reference"),
        ("rep-nano-banana", {"seed": 3}, "takes no option 'seed'"),
        ("rep-ideogram-character", {"mask": "http://example.com/m.png"}, "an https URL"),
        ("rep-ideogram-character", {"mask": "reference://ref_other_0"}, "an https URL"),
        ("rep-ideogram-character", {"mask": "https://example.com/\ud800"}, "an https URL"),
        ("flux-general", {"negative_prompt": "half a \ud83d"}, "a text of at most 2000"),
        ("flux-general", {"loras": [{"path": "\udc00"}]}, "a list of at most 5 objects"),
        ("rep-ideogram-character", {"mask": "https://exa mple.com/m.png"}, "an https URL"),
        ("rep-ideogram-character", {"mask": "https://example.com/m.png\n"}, "an https URL"),
        ("rep-ideogram-character", {"mask": "https://me:pw@example.com/m.png"}, "an https URL"),
        ("flux-schnell", {"num_outputs": 5}, "from 1 to 4"),
    ],
)
def test_an_option_outside_its_limits_is_refused(
    model: str, options: dict[str, Any], words: str
) -> None:
    cast = () if model == "flux-schnell" else (ELENA,)
    with pytest.raises(InvalidOption, match=words) as caught:
        plan(model, *cast, options=options)
    assert caught.value.errors[0].path == f"options.{next(iter(options))}"


def test_a_looser_limit_holds_without_a_reference() -> None:
    payload = plan("rep-kontext-pro", options={"safety_tolerance": 6}).payload
    assert payload["safety_tolerance"] == 6


def test_a_text_model_need_not_take_the_options_of_the_model_asked_for() -> None:
    planned = plan("flux-general", options={"strength": 0.6, "num_images": 2})
    assert planned.model == "fal-flux2-turbo"
    assert planned.payload["num_images"] == 2
    assert "strength" not in planned.payload
    assert any("'strength'" in text and "left out" in text for text in planned.warnings)
    with pytest.raises(InvalidOption):
        plan("flux-general", options={"nonsense": 1})


def test_a_fallback_model_takes_what_it_can() -> None:
    look = Look(aspect_ratio="21:9")
    options = {"image_size": "square", "safety_tolerance": "2", "output_format": "jpeg"}
    planned = plan("rep-flux2-pro", ELENA, look=look, options=options, lenient=True)
    assert planned.payload["output_format"] == "jpg"
    assert (planned.aspect_ratio, planned.payload["aspect_ratio"]) == ("16:9", "16:9")
    assert "image_size" not in planned.payload
    assert sum("left out" in text for text in planned.warnings) == 2
    assert any("draws no 21:9" in text for text in planned.warnings)


# --- sizes and prices ---


@pytest.mark.parametrize(
    ("model", "cast", "options", "total"),
    [
        ("flux-2-turbo", (ELENA,), {}, "0.016"),
        ("flux-2-turbo", (), {}, "0.008"),
        ("flux-2-turbo", (ELENA,), {"num_images": 2}, "0.024"),
        ("flux-2-turbo", (ELENA,), {"image_size": {"width": 2048, "height": 1024}}, "0.024"),
        ("flux-general", (ELENA, MARCUS), {}, "0.075"),
        ("flux-general", (ELENA,), {"num_images": 3}, "0.225"),
        ("flux-2-pro", (ELENA, MARCUS), {}, "0.060"),
        ("rep-flux2-pro", (ELENA,), {"resolution": "4 MP"}, "0.090"),
        ("rep-flux2-pro", (ELENA,), {"resolution": "0.5 MP"}, "0.045"),
        ("flux-schnell", (), {"num_outputs": 2}, "0.006"),
        ("flux-dev", (), {}, "0.025"),
        ("rep-ideogram-character", (ELENA,), {"rendering_speed": "Quality"}, "0.20"),
        ("fal-nano-banana-2-edit", (ELENA,), {"resolution": "2K"}, "0.12"),
        ("fal-nano-banana-2-edit", (ELENA,), {"resolution": "0.5K"}, None),
        ("rep-nano-banana-2", (ELENA,), {"resolution": "4K"}, None),
        ("rep-flux2-dev", (ELENA,), {}, None),
    ],
)
def test_the_price_before(
    model: str, cast: tuple[Character, ...], options: dict[str, Any], total: str | None
) -> None:
    found = plan(model, *cast, options=options, look=Look(aspect_ratio="1:1")).price.total
    assert found == (None if total is None else Decimal(total))


def test_large_references_are_warned_of_where_they_cost() -> None:
    large = makers.character()
    large = dataclasses.replace(
        large, references=(makers.reference("big", width=2048, height=2048),)
    )
    assert any("larger than 1 MP" in text for text in plan("flux-2-pro", large).warnings)
    assert not any("larger than 1 MP" in text for text in plan("kontext", large).warnings)


def test_width_and_height_as_two_fields() -> None:
    payload = plan("rep-flux-pulid", ELENA).payload
    assert (payload["width"], payload["height"]) == (1344, 768)
    assert "aspect_ratio" not in payload


# --- the prompt ---


def test_the_number_of_people_is_said_unless_there_is_a_crowd() -> None:
    assert "Exactly two people, no one else" in plan("flux-2-pro", ELENA, MARCUS).prompt
    assert "Exactly one person, no one else" in plan("flux-2-pro", ELENA, TAVERN).prompt
    assert "Exactly" not in plan("flux-2-pro", ELENA, setting="a crowded market").prompt
    assert "Exactly" not in plan("flux-2-pro", ELENA, crowd=True).prompt
    assert "Exactly one" in plan("flux-2-pro", ELENA, setting="a market", crowd=False).prompt
    assert "Exactly" not in plan("flux-2-pro", TAVERN).prompt


def test_places_and_things_are_named_with_their_pictures() -> None:
    lamp = makers.character("lamp", kind="prop", outfit=None)
    prompt = plan("flux-2-pro", ELENA, TAVERN, lamp).prompt
    assert "Place: Tavern (place from image 2): tavern with long red hair." in prompt
    assert "Objects: Lamp (object from image 3): lamp with long red hair." in prompt


def test_sides_are_given_once() -> None:
    assert "From left to right: Elena, Marcus." in plan("flux-2-pro", ELENA, MARCUS).prompt
    said = plan("flux-2-pro", ELENA, MARCUS, description="Elena stands on the left of Marcus")
    assert "From left to right" not in said.prompt


def test_an_outfit_of_its_own_picture_is_said_to_be_one() -> None:
    dressed = dataclasses.replace(
        ELENA, references=(*ELENA.references, makers.reference("coat", role="outfit"))
    )
    prompt = plan("flux-2-pro", dressed).prompt
    assert "Elena (person from image 1, outfit from image 2)" in prompt


def test_full_stops_of_descriptions_do_not_break_the_clause() -> None:
    said = dataclasses.replace(ELENA, description="A young woman.", outfit="a leather jacket. ")
    lamp = makers.character("lamp", kind="prop", description="A brass lamp.", outfit=None)
    prompt = plan("flux-2-pro", said, MARCUS, lamp).prompt
    assert "(person from image 1): A young woman, wearing a leather jacket; Marcus" in prompt
    assert "(object from image 3): A brass lamp." in prompt
    assert ".," not in prompt
    assert ".." not in prompt
