"""Every endpoint of fal: what it takes, answers and costs, and what it refuses.

The tables are written by hand from the facts, not from the simulator's schemas.
"""

from dataclasses import dataclass
from typing import Any

import fal_client
import pytest

from tests.integration.simulated.support import Receiver, Sim, fal_post, picture, with_pictures

PARTNER = frozenset({"images", "seed"})
OPEN = frozenset({"images", "seed", "has_nsfw_concepts", "prompt", "timings"})
NANO = frozenset({"images", "description"})
ADAPTER = {
    "path": "XLabs-AI/flux-ip-adapter",
    "image_encoder_path": "openai/clip-vit-large-patch14",
    "image_url": "@2",
    "scale": 0.7,
}


@dataclass(frozen=True)
class Endpoint:
    """The least it accepts (`@1` = a portrait of 384 x 512) and what comes of it."""

    name: str
    given: dict[str, Any]
    keys: frozenset[str]
    format: str
    size: tuple[int, int]
    references: int
    price: str | None


LIST = {"image_urls": ["@1"]}
ONE = {"image_url": "@1"}
ENDPOINTS = [
    Endpoint("flux-general/image-to-image", {**ONE, "ip_adapters": [ADAPTER]},
             OPEN, "PNG", (384, 512), 2, "0.075"),
    Endpoint("flux-2-pro", {}, PARTNER, "JPEG", (1024, 768), 0, "0.030"),
    Endpoint("flux-2-pro/edit", LIST, PARTNER, "JPEG", (864, 1152), 1, "0.045"),
    Endpoint("flux-2/turbo", {}, OPEN, "PNG", (1024, 768), 0, "0.008"),
    Endpoint("flux-2/turbo/edit", LIST, OPEN, "PNG", (1024, 1024), 1, "0.016"),
    Endpoint("flux-2-max/edit", LIST, PARTNER, "JPEG", (864, 1152), 1, "0.100"),
    Endpoint("flux-2-flex/edit", LIST, PARTNER, "JPEG", (864, 1152), 1, "0.100"),
    Endpoint("flux-2/edit", LIST, OPEN, "PNG", (1024, 1024), 1, None),
    Endpoint("flux-2/flash/edit", LIST, OPEN, "PNG", (1024, 1024), 1, None),
    Endpoint("flux-2/klein/9b/edit", LIST, OPEN, "PNG", (384, 512), 1, None),
    Endpoint("flux-pro/kontext", ONE, OPEN, "JPEG", (864, 1152), 1, "0.040"),
    Endpoint("flux-pro/kontext/max", ONE, OPEN, "JPEG", (864, 1152), 1, "0.080"),
    Endpoint("flux-pro/kontext/multi", LIST, OPEN, "JPEG", (864, 1152), 1, None),
    Endpoint("flux-pro/kontext/max/multi", LIST, OPEN, "JPEG", (864, 1152), 1, "0.080"),
    Endpoint("flux-pro/kontext/text-to-image", {}, OPEN, "JPEG", (1024, 1024), 0, "0.040"),
    Endpoint("nano-banana/edit", LIST, NANO, "PNG", (864, 1152), 1, "0.039"),
    Endpoint("nano-banana-2/edit", LIST, NANO, "PNG", (864, 1152), 1, "0.080"),
    Endpoint("nano-banana-pro/edit", LIST, NANO, "PNG", (864, 1152), 1, None),
    Endpoint("bytedance/seedream/v4/edit", LIST, PARTNER, "PNG", (2048, 2048), 1, "0.030"),
    Endpoint("bytedance/seedream/v4.5/edit", LIST, frozenset({"images"}),
             "PNG", (2048, 2048), 1, None),
    Endpoint("ideogram/character", {"reference_image_urls": ["@1"]},
             PARTNER, "PNG", (1024, 1024), 1, None),
    Endpoint("instant-character", ONE, OPEN, "JPEG", (1024, 1024), 1, None),
    Endpoint("flux-pulid", {"reference_image_url": "@1"}, OPEN, "PNG", (1024, 768), 1, None),
    Endpoint("uso", {"input_image_urls": ["@1"]}, OPEN, "PNG", (1024, 1024), 1, None),
    Endpoint("qwen-image-edit-2511", LIST, OPEN, "PNG", (384, 512), 1, None),
]  # fmt: skip
BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_an_endpoint_takes_the_least_it_needs(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver, endpoint: Endpoint
) -> None:
    fal.set(latency_seconds=0, drawing="plain")
    given = {"prompt": "Elena at the market", **with_pictures(receiver, endpoint.given)}
    handle = fal_sdk.submit(f"fal-ai/{endpoint.name}", given)
    result = handle.get()
    assert set(result) == endpoint.keys
    assert len(result["images"]) == 1
    assert result.get("has_nsfw_concepts") in (None, [False])
    image = picture(result["images"][0]["url"])
    assert (image.format, image.size) == (endpoint.format, endpoint.size)
    assert len(receiver.fetched) == endpoint.references
    (job,) = fal.jobs
    assert job["reference_count"] == endpoint.references
    assert (job["price"], job["price_known"]) == (endpoint.price, endpoint.price is not None)
    assert fal.state["price_unknown"] == (endpoint.price is None)


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in ADAPTER.items() if name != key}


SEEDS_ADAPTER = {"ip_adapter_image_url": "@2", "ip_adapter_scale": 0.7}
MISSING, EXTRA = "value_error.missing", "value_error.extra"
GENERAL, TURBO, TURBO_EDIT = "flux-general/image-to-image", "flux-2/turbo", "flux-2/turbo/edit"
V4, V45 = "bytedance/seedream/v4/edit", "bytedance/seedream/v4.5/edit"
REFUSED: list[tuple[str, dict[str, Any], str, list[Any]]] = [
    (GENERAL, {"image_url": None}, MISSING, ["image_url"]),
    (GENERAL, {"output_format": "webp"}, "one_of", ["output_format"]),
    *[
        (GENERAL, {"ip_adapters": [ADAPTER, without(key)]}, MISSING, ["ip_adapters", 1, key])
        for key in ADAPTER
    ],
    (GENERAL, {"ip_adapters": [{**ADAPTER, "scale": "0.7"}]},
     "type_error.number", ["ip_adapters", 0, "scale"]),
    (GENERAL, {"ip_adapters": [{**ADAPTER, **SEEDS_ADAPTER}]},
     EXTRA, ["ip_adapters", 0, "ip_adapter_image_url"]),
    (GENERAL, {"ip_adapters": ["@2"]}, "type_error.object", ["ip_adapters", 0]),
    (GENERAL, {"loras": [{"scale": 1}]}, MISSING, ["loras", 0, "path"]),
    (GENERAL, {"strength": 1.5}, "less_than_equal", ["strength"]),
    (TURBO, {"num_inference_steps": 8}, EXTRA, ["num_inference_steps"]),
    (TURBO, {"image_urls": ["@1"]}, EXTRA, ["image_urls"]),
    (TURBO, {"num_images": 5}, "less_than_equal", ["num_images"]),
    (TURBO, {"image_size": {"width": 511, "height": 512}},
     "greater_than_equal", ["image_size", "width"]),
    (TURBO, {"image_size": {"width": 512, "height": 2049}},
     "less_than_equal", ["image_size", "height"]),
    (TURBO_EDIT, {"image_urls": None}, MISSING, ["image_urls"]),
    (TURBO_EDIT, {"image_urls": []}, "sequence_too_short", ["image_urls"]),
    (TURBO_EDIT, {"image_url": "@1"}, EXTRA, ["image_url"]),
    (TURBO_EDIT, {"image_size": "auto"}, "one_of", ["image_size"]),
    ("flux-2/edit", {"image_size": {"width": 256, "height": 512}},
     "greater_than_equal", ["image_size", "width"]),
    ("flux-2/flash/edit", {"output_format": "jpg"}, "one_of", ["output_format"]),
    ("flux-2/klein/9b/edit", {"enable_prompt_expansion": False},
     EXTRA, ["enable_prompt_expansion"]),
    ("flux-2/klein/9b/edit", {"image_urls": ["@1"] * 5}, "sequence_too_long", ["image_urls"]),
    ("flux-2-pro", {"image_size": "auto"}, "one_of", ["image_size"]),
    ("flux-2-pro/edit", {"image_urls": ["@1"] * 10}, "sequence_too_long", ["image_urls"]),
    ("flux-2-pro/edit", {"guidance_scale": 3.5}, EXTRA, ["guidance_scale"]),
    ("flux-2-max/edit", {"num_images": 1}, EXTRA, ["num_images"]),
    ("flux-2-flex/edit", {"safety_tolerance": 2}, "type_error.string", ["safety_tolerance"]),
    ("flux-pro/kontext", {"image_size": "square_hd"}, EXTRA, ["image_size"]),
    ("flux-pro/kontext", {"aspect_ratio": "2:1"}, "one_of", ["aspect_ratio"]),
    ("flux-pro/kontext", {"safety_tolerance": "7"}, "one_of", ["safety_tolerance"]),
    ("flux-pro/kontext", {"image_url": ["@1"]}, "type_error.string", ["image_url"]),
    ("flux-pro/kontext/max", {"image_urls": ["@1"]}, EXTRA, ["image_urls"]),
    ("flux-pro/kontext/multi", {"image_url": "@1"}, EXTRA, ["image_url"]),
    ("flux-pro/kontext/max/multi", {"image_urls": None}, MISSING, ["image_urls"]),
    ("flux-pro/kontext/text-to-image", {"image_url": "@1"}, EXTRA, ["image_url"]),
    ("nano-banana/edit", {"aspect_ratio": "9:21"}, "one_of", ["aspect_ratio"]),
    ("nano-banana/edit", {"resolution": "1K"}, EXTRA, ["resolution"]),
    ("nano-banana-2/edit", {"resolution": "8K"}, "one_of", ["resolution"]),
    ("nano-banana-2/edit", {"image_size": "square"}, EXTRA, ["image_size"]),
    ("nano-banana-pro/edit", {"resolution": "0.5K"}, "one_of", ["resolution"]),
    (V4, {"output_format": "png"}, EXTRA, ["output_format"]),
    (V4, {"aspect_ratio": "1:1"}, EXTRA, ["aspect_ratio"]),
    (V45, {"image_size": {"width": 1919, "height": 2560}},
     "greater_than_equal", ["image_size", "width"]),
    (V45, {"image_size": {"width": 2560, "height": 4097}},
     "less_than_equal", ["image_size", "height"]),
    (V45, {"image_size": "auto"}, "one_of", ["image_size"]),
    ("ideogram/character", {"reference_image_urls": None}, MISSING, ["reference_image_urls"]),
    ("ideogram/character", {"rendering_speed": "Turbo"}, "one_of", ["rendering_speed"]),
    ("ideogram/character", {"output_format": "png"}, EXTRA, ["output_format"]),
    ("instant-character", {"image_url": None}, MISSING, ["image_url"]),
    ("instant-character", {"output_format": "webp"}, "one_of", ["output_format"]),
    ("flux-pulid", {"reference_image_url": None}, MISSING, ["reference_image_url"]),
    ("flux-pulid", {"num_images": 1}, EXTRA, ["num_images"]),
    ("uso", {"input_image_urls": None}, MISSING, ["input_image_urls"]),
    ("uso", {"output_format": "webp"}, "one_of", ["output_format"]),
    ("qwen-image-edit-2511", {"image_urls": "@1"}, "type_error.array", ["image_urls"]),
    ("qwen-image-edit-2511", {"prompt": None}, MISSING, ["prompt"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "change", "kind", "loc"),
    REFUSED,
    ids=[f"{name}-{kind}-{loc[-1]}" for name, _, kind, loc in REFUSED],
)
def test_an_endpoint_refuses(
    fal: Sim, receiver: Receiver, name: str, change: dict[str, Any], kind: str, loc: list[Any]
) -> None:
    least = {"prompt": "Elena at the market", **BY_NAME[name].given}
    submitted = fal_post(fal, f"fal-ai/{name}", with_pictures(receiver, {**least, **change}))
    fal.settle()
    answer = fal.http.get(submitted.json()["response_url"])
    assert answer.status_code == 422
    problems = [(detail["type"], detail["loc"]) for detail in answer.json()["detail"]]
    assert problems[0] == (kind, ["body", *loc])
    assert fal.jobs[0]["price"] == "0"
    assert receiver.fetched == []


def test_every_endpoint_refuses_something() -> None:
    assert {name for name, *_ in REFUSED} == set(BY_NAME)


@pytest.mark.parametrize("name", ["flux-2-dev-turbo", "flux-2-dev-turbo/edit"])
def test_the_turbo_of_the_specification_does_not_exist(fal: Sim, name: str) -> None:
    answer = fal_post(fal, f"fal-ai/{name}", {"prompt": "x"})
    assert answer.status_code == 404
    assert fal.jobs == []
