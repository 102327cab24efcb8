"""Every model of Replicate: what it takes, answers and costs, and what it refuses.

The tables are written by hand from the facts, not from the simulator's schemas.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from replicate.client import Client as ReplicateClient
from replicate.exceptions import ReplicateError

from tests.integration.simulated.support import Receiver, Sim, picture, rep_post, with_pictures

LORA_VERSION = "091495765fa5ef2725a175a57b276ec30dc9d39c22d30410f2ede68a3eab66b3"
PULID_VERSION = "8baa7ef2255075b46f4d91cd238c21d31181b3e6a864463f967960bb0112525b"


@dataclass(frozen=True)
class Wanted:
    """What comes of a prompt alone, or of the least the model accepts."""

    version: str
    given: dict[str, Any]
    output: type
    format: str
    size: tuple[int, int]
    references: int
    price: str | None
    name: str = ""


BFL = "black-forest-labs"
PROMPT = {"prompt": "Elena at the market"}
MODELS = [
    Wanted(f"{BFL}/flux-schnell", PROMPT, list, "WEBP", (1024, 1024), 0, "0.003"),
    Wanted(f"{BFL}/flux-dev", PROMPT, list, "WEBP", (1024, 1024), 0, "0.025"),
    Wanted(f"{BFL}/flux-1.1-pro", PROMPT, str, "WEBP", (1024, 1024), 0, "0.040"),
    Wanted(f"{BFL}/flux-dev-lora", PROMPT, list, "WEBP", (1024, 1024), 0, None),
    Wanted(LORA_VERSION, PROMPT, list, "WEBP", (1024, 1024), 0, None, "lucataco/flux-dev-lora"),
    Wanted(f"{BFL}/flux-2-pro", PROMPT, str, "WEBP", (1024, 1024), 0, "0.030"),
    Wanted(f"{BFL}/flux-2-flex", PROMPT, str, "WEBP", (1024, 1024), 0, None),
    Wanted(f"{BFL}/flux-2-dev", PROMPT, str, "WEBP", (1024, 1024), 0, None),
    Wanted(f"{BFL}/flux-kontext-pro", PROMPT, str, "PNG", (1024, 1024), 0, "0.040"),
    Wanted(f"{BFL}/flux-kontext-max", PROMPT, str, "PNG", (1024, 1024), 0, "0.080"),
    Wanted("google/nano-banana", PROMPT, str, "JPEG", (1024, 1024), 0, None),
    Wanted("google/nano-banana-2", PROMPT, str, "JPEG", (1024, 1024), 0, "0.067"),
    Wanted("google/nano-banana-pro", PROMPT, str, "JPEG", (2048, 2048), 0, None),
    Wanted("bytedance/seedream-4", PROMPT, list, "JPEG", (2048, 2048), 0, None),
    Wanted("bytedance/seedream-4.5", PROMPT, list, "JPEG", (2048, 2048), 0, None),
    Wanted("ideogram-ai/ideogram-character", {**PROMPT, "character_reference_image": "@1"},
           str, "PNG", (1024, 1024), 1, "0.15"),
    Wanted(PULID_VERSION, {**PROMPT, "main_face_image": "@1"},
           list, "WEBP", (896, 1152), 1, None, "bytedance/flux-pulid"),
    Wanted(f"{BFL}/flux-redux-dev", {"redux_image": "@1"},
           list, "WEBP", (1024, 1024), 1, None),
]  # fmt: skip
BY_NAME = {model.name or model.version: model for model in MODELS}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_model_takes_the_least_it_needs(
    rep: Sim, rep_sdk: ReplicateClient, receiver: Receiver, name: str
) -> None:
    rep.set(latency_seconds=0, drawing="plain")
    model = BY_NAME[name]
    given = with_pictures(receiver, model.given)
    created = rep_sdk.predictions.create(version=model.version, input=given)
    created.wait()
    assert (created.status, created.error) == ("succeeded", None)
    assert created.model == name
    assert isinstance(created.output, model.output)
    output: Any = created.output
    (url,) = output if model.output is list else [output]
    image = picture(url)
    assert (image.format, image.size) == (model.format, model.size)
    assert len(receiver.fetched) == model.references
    (job,) = rep.jobs
    assert job["reference_count"] == model.references
    assert (job["price"], job["price_known"]) == (model.price, model.price is not None)


@pytest.mark.parametrize("name", [name for name in BY_NAME if not BY_NAME[name].name])
def test_official_models_are_created_by_name(
    rep: Sim, rep_sdk: ReplicateClient, receiver: Receiver, name: str
) -> None:
    rep.set(slots=0)
    given = with_pictures(receiver, BY_NAME[name].given)
    created = rep_sdk.models.predictions.create(model=name, input=given)
    assert (created.model, created.version) == (name, "hidden")


@pytest.mark.parametrize(
    "version",
    [
        "lucataco/flux-dev-lora",
        "bytedance/flux-pulid",
        "xlabs-ai/flux-ip-adapter",
        f"bytedance/flux-pulid:{LORA_VERSION}",
    ],
)
def test_a_community_model_is_not_found_by_its_name(
    rep: Sim, rep_sdk: ReplicateClient, version: str
) -> None:
    with pytest.raises(ReplicateError) as caught:
        rep_sdk.predictions.create(version=version, input=PROMPT)
    assert caught.value.status == 422
    assert "specified version does not exist" in (caught.value.detail or "")
    name = version.partition(":")[0]
    answer = rep.http.post(f"/v1/models/{name}/predictions", json={"input": PROMPT})
    assert answer.status_code == 404
    assert rep.jobs == []


def least(field: str, limit: float) -> str:
    return f"- input.{field}: Must be greater than or equal to {limit}"


def most(field: str, limit: float) -> str:
    return f"- input.{field}: Must be less than or equal to {limit}"


def extra(field: str) -> str:
    return f"- input: Additional property {field} is not allowed"


def one_of(field: str) -> str:
    return f"- input.{field}: input.{field} must be one of the following: "


def at_most(field: str, count: int) -> str:
    return f"- input.{field}: Array must have at most {count} items"


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (f"{BFL}/flux-schnell", {"prompt": None}, "- input: prompt is required"),
    (f"{BFL}/flux-schnell", {"num_outputs": 5}, most("num_outputs", 4)),
    (f"{BFL}/flux-schnell", {"num_inference_steps": 8}, most("num_inference_steps", 4)),
    (f"{BFL}/flux-schnell", {"image": "@1"}, extra("image")),
    (f"{BFL}/flux-schnell", {"aspect_ratio": "2:1"}, one_of("aspect_ratio")),
    (f"{BFL}/flux-schnell", {"megapixels": "2"}, one_of("megapixels")),
    (f"{BFL}/flux-schnell", {"megapixels": 1}, "Expected: string, given: integer"),
    (f"{BFL}/flux-dev", {"num_inference_steps": 51}, most("num_inference_steps", 50)),
    (f"{BFL}/flux-dev", {"image": "portrait.png"},
     "- input.image: Does not match format 'uri'"),
    (f"{BFL}/flux-dev", {"ip_adapter_scale": 0.6}, extra("ip_adapter_scale")),
    (f"{BFL}/flux-1.1-pro", {"width": 1472}, most("width", 1440)),
    (f"{BFL}/flux-1.1-pro", {"width": 1000}, "- input.width: Must be a multiple of 32"),
    (f"{BFL}/flux-1.1-pro", {"safety_tolerance": 7}, most("safety_tolerance", 6)),
    (f"{BFL}/flux-1.1-pro", {"num_outputs": 1}, extra("num_outputs")),
    (f"{BFL}/flux-1.1-pro", {"aspect_ratio": "21:9"}, one_of("aspect_ratio")),
    (f"{BFL}/flux-dev-lora", {"ip_adapter_scale": 0.6}, extra("ip_adapter_scale")),
    ("lucataco/flux-dev-lora", {"ip_adapter_scale": 0.6}, extra("ip_adapter_scale")),
    (f"{BFL}/flux-2-pro", {"input_images": ["@1"] * 9}, at_most("input_images", 8)),
    (f"{BFL}/flux-2-pro", {"input_images": ["@1", "x.png"]},
     "- input.input_images.1: Does not match format 'uri'"),
    (f"{BFL}/flux-2-pro", {"resolution": "3 MP"}, one_of("resolution")),
    (f"{BFL}/flux-2-pro", {"num_outputs": 1}, extra("num_outputs")),
    (f"{BFL}/flux-2-flex", {"input_images": ["@1"] * 11}, at_most("input_images", 10)),
    (f"{BFL}/flux-2-dev", {"input_images": ["@1"] * 5}, at_most("input_images", 4)),
    (f"{BFL}/flux-2-dev", {"width": 1472}, most("width", 1440)),
    (f"{BFL}/flux-2-dev", {"resolution": "1 MP"}, extra("resolution")),
    (f"{BFL}/flux-kontext-pro", {"safety_tolerance": 7}, most("safety_tolerance", 6)),
    (f"{BFL}/flux-kontext-pro", {"output_format": "webp"}, one_of("output_format")),
    (f"{BFL}/flux-kontext-max", {"input_images": ["@1"]}, extra("input_images")),
    ("google/nano-banana", {"seed": 7}, extra("seed")),
    ("google/nano-banana", {"resolution": "1K"}, extra("resolution")),
    ("google/nano-banana", {"output_format": "webp"}, one_of("output_format")),
    ("google/nano-banana-2", {"seed": 7}, extra("seed")),
    ("google/nano-banana-2", {"image_input": ["@1"] * 15}, at_most("image_input", 14)),
    ("google/nano-banana-2", {"resolution": "0.5K"}, one_of("resolution")),
    ("google/nano-banana-pro", {"seed": 7}, extra("seed")),
    ("google/nano-banana-pro", {"image_input": ["@1"] * 15}, at_most("image_input", 14)),
    ("bytedance/seedream-4", {"seed": 7}, extra("seed")),
    ("bytedance/seedream-4", {"image_input": ["@1"] * 11}, at_most("image_input", 10)),
    ("bytedance/seedream-4", {"size": "custom", "width": 1023}, least("width", 1024)),
    ("bytedance/seedream-4", {"size": "3K"}, one_of("size")),
    ("bytedance/seedream-4", {"output_format": "png"}, extra("output_format")),
    ("bytedance/seedream-4.5", {"seed": 7}, extra("seed")),
    ("bytedance/seedream-4.5", {"image_input": ["@1"] * 15}, at_most("image_input", 14)),
    ("ideogram-ai/ideogram-character", {"character_reference_image": None},
     "- input: character_reference_image is required"),
    ("ideogram-ai/ideogram-character", {"seed": 2147483648}, most("seed", 2147483647)),
    ("ideogram-ai/ideogram-character", {"aspect_ratio": "21:9"}, one_of("aspect_ratio")),
    ("ideogram-ai/ideogram-character", {"output_format": "png"}, extra("output_format")),
    ("bytedance/flux-pulid", {"main_face_image": None},
     "- input: main_face_image is required"),
    ("bytedance/flux-pulid", {"width": 255}, least("width", 256)),
    ("bytedance/flux-pulid", {"height": 1537}, most("height", 1536)),
    ("bytedance/flux-pulid", {"id_weight": 3.5}, most("id_weight", 3)),
    (f"{BFL}/flux-redux-dev", {"redux_image": None}, "- input: redux_image is required"),
    (f"{BFL}/flux-redux-dev", {"prompt": "x"}, extra("prompt")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "change", "words"),
    REFUSED,
    ids=[f"{name}-{'-'.join(change)}-{words[-12:]}" for name, change, words in REFUSED],
)
def test_a_model_refuses(
    rep: Sim,
    rep_sdk: ReplicateClient,
    receiver: Receiver,
    name: str,
    change: dict[str, Any],
    words: str,
) -> None:
    model = BY_NAME[name]
    given = with_pictures(receiver, {**model.given, **change})
    with pytest.raises(ReplicateError) as caught:
        rep_sdk.predictions.create(version=model.version, input=given)
    assert (caught.value.status, caught.value.title) == (422, "Input validation failed")
    assert words in (caught.value.detail or "")
    assert rep.jobs == []


def test_every_model_refuses_something() -> None:
    assert {name for name, *_ in REFUSED} == set(BY_NAME)


KONTEXT = f"{BFL}/flux-kontext-pro"
PERMISSIVE = {**PROMPT, "safety_tolerance": 3}
SEQUENCE = {**PROMPT, "sequential_image_generation": "auto", "size": "1K"}


@pytest.mark.parametrize(
    ("name", "given", "error"),
    [
        (KONTEXT, {**PERMISSIVE, "input_image": "@1"}, "safety_tolerance must be at most 2"),
        (KONTEXT, PERMISSIVE, None),
        (KONTEXT, {**PROMPT, "input_image": "@1", "safety_tolerance": 2}, None),
        (f"{BFL}/flux-2-pro", {**PROMPT, "input_images": ["@1-3072x3072", "@2"]}, "9.2 MP"),
        (f"{BFL}/flux-2-pro", {**PROMPT, "input_images": ["@1-3072x3072"]}, None),
        ("bytedance/seedream-4", {**SEQUENCE, "image_input": ["@1"] * 10, "max_images": 6},
         "16 together"),
        ("bytedance/seedream-4", {**SEQUENCE, "image_input": ["@1"] * 10, "max_images": 5}, None),
    ],
)  # fmt: skip
def test_some_limits_show_only_when_the_model_runs(
    rep: Sim, receiver: Receiver, name: str, given: dict[str, Any], error: str | None
) -> None:
    rep.set(latency_seconds=0, drawing="plain")
    created = rep_post(rep, version=name, input=with_pictures(receiver, given))
    assert created.status_code == 201
    rep.settle()
    ended = rep.http.get(f"/v1/predictions/{created.json()['id']}").json()
    assert ended["status"] == ("succeeded" if error is None else "failed")
    assert (error or "") in (ended["error"] or "")
