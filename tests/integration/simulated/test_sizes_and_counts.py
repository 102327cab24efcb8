"""Which references a model looks at, how large its pictures are, how many, and their price."""

from typing import Any

import fal_client
import pytest
from replicate.client import Client as ReplicateClient

from tests.integration.simulated.support import (
    Receiver,
    Sim,
    fal_post,
    hashes,
    picture,
    rep_post,
    shown,
    with_pictures,
)

GENERAL = "fal-ai/flux-general/image-to-image"
TURBO_EDIT = "fal-ai/flux-2/turbo/edit"
V4 = "fal-ai/bytedance/seedream/v4/edit"
V45 = "fal-ai/bytedance/seedream/v4.5/edit"
IDEOGRAM = "fal-ai/ideogram/character"
BFL = "black-forest-labs"
PULID = "bytedance/flux-pulid:8baa7ef2255075b46f4d91cd238c21d31181b3e6a864463f967960bb0112525b"


@pytest.fixture(autouse=True)
def _quick(fal: Sim, rep: Sim) -> None:
    for simulator in (fal, rep):
        simulator.set(latency_seconds=0, drawing="plain")


def many(count: int) -> list[str]:
    return [f"@{number}" for number in range(1, count + 1)]


def adapter(number: int, **more: Any) -> dict[str, Any]:
    paths = {"path": "some/adapter", "image_encoder_path": "some/encoder"}
    return {**paths, "image_url": f"@{number}", "scale": 0.7, **more}


def made_by_fal(
    sdk: fal_client.SyncClient, receiver: Receiver, endpoint: str, given: dict[str, Any]
) -> dict[str, Any]:
    prompted = {"prompt": "Elena at the market", **with_pictures(receiver, given)}
    result: dict[str, Any] = sdk.submit(endpoint, prompted).get()
    return result


def made_by_replicate(
    sdk: ReplicateClient, receiver: Receiver, version: str, given: dict[str, Any]
) -> list[str]:
    prompted = {"prompt": "Elena at the market", **with_pictures(receiver, given)}
    created = sdk.predictions.create(version=version, input=prompted)
    created.wait()
    assert created.status == "succeeded", created.error
    output: Any = created.output
    urls: list[str] = output if isinstance(output, list) else [output]
    return urls


@pytest.mark.parametrize(
    ("endpoint", "given", "kept", "masks"),
    [
        (TURBO_EDIT, {"image_urls": many(6)}, (1, 2, 3, 4), ()),
        ("fal-ai/flux-2/edit", {"image_urls": many(5)}, (1, 2, 3, 4), ()),
        ("fal-ai/flux-2/flash/edit", {"image_urls": many(5)}, (1, 2, 3, 4), ()),
        (V4, {"image_urls": many(12)}, tuple(range(3, 13)), ()),
        (V45, {"image_urls": many(11)}, tuple(range(2, 12)), ()),
        ("fal-ai/flux-2-pro/edit", {"image_urls": many(9)}, tuple(range(1, 10)), ()),
        ("fal-ai/nano-banana/edit", {"image_urls": many(12)}, tuple(range(1, 13)), ()),
        (IDEOGRAM, {"reference_image_urls": many(3), "image_urls": ["@8"]}, (1, 8), ()),
        (IDEOGRAM, {"reference_image_urls": ["@1"], "reference_mask_urls": ["@9"]}, (1,), (9,)),
        (GENERAL, {"image_url": "@1", "reference_image_url": "@4",
                   "ip_adapters": [adapter(2), adapter(3, mask_image_url="@9")]},
         (1, 2, 3, 4), (9,)),
        ("fal-ai/uso", {"input_image_urls": many(4)}, (1, 2, 3), ()),
    ],
)  # fmt: skip
def test_fal_draws_the_references_that_the_model_keeps(
    fal: Sim,
    fal_sdk: fal_client.SyncClient,
    receiver: Receiver,
    endpoint: str,
    given: dict[str, Any],
    kept: tuple[int, ...],
    masks: tuple[int, ...],
) -> None:
    result = made_by_fal(fal_sdk, receiver, endpoint, given)
    assert shown(picture(result["images"][0]["url"])) == hashes(*kept)
    assert sorted(receiver.fetched) == sorted(f"{number}.png" for number in (*kept, *masks))
    assert fal.jobs[0]["reference_count"] == len(kept) + len(masks)


@pytest.mark.parametrize(
    ("version", "given", "kept", "masks"),
    [
        (f"{BFL}/flux-dev", {"image": "@1"}, (1,), ()),
        (f"{BFL}/flux-1.1-pro", {"image_prompt": "@1"}, (1,), ()),
        (f"{BFL}/flux-2-pro", {"input_images": many(8)}, tuple(range(1, 9)), ()),
        (f"{BFL}/flux-2-flex", {"input_images": many(10)}, tuple(range(1, 11)), ()),
        (f"{BFL}/flux-kontext-max", {"input_image": "@1"}, (1,), ()),
        ("google/nano-banana", {"image_input": many(3)}, (1, 2, 3), ()),
        ("bytedance/seedream-4.5", {"size": "1K", "image_input": many(14)},
         tuple(range(1, 15)), ()),
        ("ideogram-ai/ideogram-character",
         {"character_reference_image": "@1", "image": "@2", "mask": "@9"}, (1, 2), (9,)),
        (PULID, {"main_face_image": "@1"}, (1,), ()),
    ],
)  # fmt: skip
def test_replicate_draws_all_references_wherever_they_stand(
    rep_sdk: ReplicateClient,
    receiver: Receiver,
    version: str,
    given: dict[str, Any],
    kept: tuple[int, ...],
    masks: tuple[int, ...],
) -> None:
    (url,) = made_by_replicate(rep_sdk, receiver, version, given)
    assert shown(picture(url)) == hashes(*kept)
    assert sorted(receiver.fetched) == sorted(f"{number}.png" for number in (*kept, *masks))


@pytest.mark.parametrize(
    ("endpoint", "given", "loc"),
    [
        (GENERAL, {"image_url": "@1", "ip_adapters": [adapter(2), adapter(0)]},
         ["ip_adapters", 1, "image_url"]),
        ("fal-ai/flux-pro/kontext", {"image_url": "@0"}, ["image_url"]),
        (IDEOGRAM, {"reference_image_urls": ["@0"]}, ["reference_image_urls", 0]),
    ],
)  # fmt: skip
def test_fal_names_the_bad_reference_wherever_it_stands(
    fal: Sim, receiver: Receiver, endpoint: str, given: dict[str, Any], loc: list[Any]
) -> None:
    text = {"prompt": "x", **with_pictures(receiver, given)}
    broken = fal_post(fal, endpoint, _replaced(text, "/refs/0.png", "/refs/nowhere")).json()
    fal.settle()
    (detail,) = fal.http.get(broken["response_url"]).json()["detail"]
    assert (detail["type"], detail["loc"]) == ("file_download_error", ["body", *loc])


def _replaced(given: Any, old: str, new: str) -> Any:
    if isinstance(given, dict):
        return {name: _replaced(value, old, new) for name, value in given.items()}
    if isinstance(given, list):
        return [_replaced(value, old, new) for value in given]
    return given.replace(old, new) if isinstance(given, str) else given


def test_ideogram_takes_at_most_ten_megabytes(fal: Sim, receiver: Receiver) -> None:
    receiver.padding = 10 * 1024 * 1024
    given = with_pictures(receiver, {"prompt": "x", "reference_image_urls": ["@1"]})
    answer = fal_post(fal, IDEOGRAM, given).json()
    fal.settle()
    (detail,) = fal.http.get(answer["response_url"]).json()["detail"]
    assert detail["type"] == "file_too_large"
    kontext = with_pictures(receiver, {"prompt": "x", "image_url": "@1"})
    fal_post(fal, "fal-ai/flux-pro/kontext", kontext)
    fal.settle()
    assert fal.jobs[1]["status"] == "succeeded"


LIST = {"image_urls": ["@1"]}


@pytest.mark.parametrize(
    ("endpoint", "given", "size"),
    [
        ("fal-ai/flux-2/turbo", {"image_size": "portrait_16_9"}, (576, 1024)),
        ("fal-ai/flux-2/turbo", {"image_size": {"width": 1344, "height": 768}}, (1344, 768)),
        ("fal-ai/flux-pro/kontext", {"image_url": "@1", "aspect_ratio": "16:9"}, (1344, 768)),
        ("fal-ai/flux-pro/kontext/text-to-image", {"aspect_ratio": "9:21"}, (640, 1536)),
        ("fal-ai/nano-banana/edit", {**LIST, "aspect_ratio": "5:4"}, (1120, 896)),
        ("fal-ai/nano-banana-2/edit", {**LIST, "aspect_ratio": "1:1", "resolution": "0.5K"},
         (512, 512)),
        ("fal-ai/nano-banana-2/edit", {**LIST, "aspect_ratio": "16:9", "resolution": "2K"},
         (2720, 1536)),
        ("fal-ai/nano-banana-pro/edit", {**LIST, "aspect_ratio": "1:1", "resolution": "4K"},
         (4096, 4096)),
        (V4, {**LIST, "image_size": "square"}, (960, 960)),
        (V4, {**LIST, "image_size": "landscape_16_9"}, (1280, 720)),
        (V4, {**LIST, "image_size": {"width": 1344, "height": 768}}, (1344, 768)),
        (V4, {**LIST, "image_size": "auto"}, (864, 1152)),
        (V4, {**LIST, "image_size": "auto_2K"}, (1760, 2336)),
        (V45, {**LIST, "image_size": "square_hd"}, (1920, 1920)),
        (V45, {**LIST, "image_size": {"width": 2560, "height": 1920}}, (2560, 1920)),
        (V45, {**LIST, "image_size": "auto_4K"}, (3520, 4704)),
        ("fal-ai/qwen-image-edit-2511", LIST, (384, 512)),
        ("fal-ai/qwen-image-edit-2511", {**LIST, "image_size": "square"}, (512, 512)),
    ],
)  # fmt: skip
def test_fal_sizes_of_every_form(
    fal_sdk: fal_client.SyncClient,
    receiver: Receiver,
    endpoint: str,
    given: dict[str, Any],
    size: tuple[int, int],
) -> None:
    result = made_by_fal(fal_sdk, receiver, endpoint, given)
    assert picture(result["images"][0]["url"]).size == size


@pytest.mark.parametrize(
    ("version", "given", "size"),
    [
        (f"{BFL}/flux-schnell", {"aspect_ratio": "16:9", "megapixels": "0.25"}, (672, 384)),
        (f"{BFL}/flux-schnell", {"aspect_ratio": "21:9"}, (1536, 640)),
        # img2img: the ratio of the picture wins over the one asked for.
        (f"{BFL}/flux-dev", {"image": "@1", "aspect_ratio": "16:9"}, (864, 1152)),
        (f"{BFL}/flux-1.1-pro", {"aspect_ratio": "custom", "width": 1440, "height": 256},
         (1440, 256)),
        (f"{BFL}/flux-1.1-pro", {"aspect_ratio": "4:5", "image_prompt": "@1"}, (896, 1120)),
        (f"{BFL}/flux-2-pro", {"resolution": "0.5 MP"}, (704, 704)),
        (f"{BFL}/flux-2-pro", {"resolution": "4 MP", "aspect_ratio": "1:1"}, (2048, 2048)),
        (f"{BFL}/flux-2-pro", {"aspect_ratio": "match_input_image", "input_images": ["@1"],
                               "resolution": "match_input_image"}, (384, 512)),
        (f"{BFL}/flux-2-flex", {"aspect_ratio": "custom", "width": 2048, "height": 1024},
         (2048, 1024)),
        (f"{BFL}/flux-2-dev", {"aspect_ratio": "match_input_image", "input_images": ["@1"]},
         (864, 1152)),
        (f"{BFL}/flux-kontext-pro", {"input_image": "@1"}, (864, 1152)),
        (f"{BFL}/flux-kontext-pro", {"aspect_ratio": "2:1"}, (1440, 704)),
        ("google/nano-banana", {"aspect_ratio": "9:16"}, (768, 1344)),
        ("google/nano-banana-2", {"image_input": ["@1"], "resolution": "2K"}, (1760, 2336)),
        ("bytedance/seedream-4", {"size": "1K", "aspect_ratio": "16:9"}, (1344, 768)),
        ("bytedance/seedream-4", {"size": "custom", "width": 1024, "height": 3072},
         (1024, 3072)),
        ("bytedance/seedream-4.5", {"size": "2K", "image_input": ["@1"]}, (1760, 2336)),
        ("ideogram-ai/ideogram-character",
         {"character_reference_image": "@1", "aspect_ratio": "3:1"}, (1760, 576)),
        ("ideogram-ai/ideogram-character",
         {"character_reference_image": "@1", "resolution": "1344x768"}, (1344, 768)),
        (PULID, {"main_face_image": "@1", "width": 256, "height": 1536}, (256, 1536)),
    ],
)  # fmt: skip
def test_replicate_sizes_of_every_form(
    rep_sdk: ReplicateClient,
    receiver: Receiver,
    version: str,
    given: dict[str, Any],
    size: tuple[int, int],
) -> None:
    (url,) = made_by_replicate(rep_sdk, receiver, version, given)
    assert picture(url).size == size


SMALL = {"image_size": {"width": 512, "height": 512}}


@pytest.mark.parametrize(
    ("endpoint", "given", "count", "price"),
    [
        ("fal-ai/flux-2/turbo", {**SMALL, "num_images": 4}, 4, "0.032"),
        (TURBO_EDIT, {**SMALL, "image_urls": many(4)}, 1, "0.040"),
        (TURBO_EDIT, {**SMALL, **LIST, "num_images": 2}, 2, "0.024"),
        (GENERAL, {"image_url": "@1", **SMALL, "num_images": 2}, 2, "0.150"),
        (GENERAL, {"image_url": "@1", "image_size": {"width": 1025, "height": 1024}}, 1, "0.150"),
        ("fal-ai/flux-2-pro/edit", {"image_urls": many(3), "image_size": "square_hd"},
         1, "0.075"),
        ("fal-ai/flux-2-pro/edit", {"image_urls": ["@1-2048x2048"], "image_size": "square_hd"},
         1, "0.090"),
        ("fal-ai/flux-pro/kontext", {"image_url": "@1", "num_images": 2}, 2, "0.080"),
        ("fal-ai/nano-banana/edit", {**LIST, "num_images": 2}, 2, "0.078"),
        ("fal-ai/nano-banana-2/edit", {**LIST, "resolution": "2K"}, 1, "0.120"),
        ("fal-ai/nano-banana-2/edit", {**LIST, "resolution": "0.5K"}, 1, None),
        (V4, {**LIST, "image_size": "square", "num_images": 2, "max_images": 2}, 4, "0.120"),
        (IDEOGRAM, {"reference_image_urls": ["@1"], **SMALL, "num_images": 8}, 8, None),
    ],
)  # fmt: skip
def test_fal_makes_several_pictures_and_counts_them(
    fal: Sim,
    fal_sdk: fal_client.SyncClient,
    receiver: Receiver,
    endpoint: str,
    given: dict[str, Any],
    count: int,
    price: str | None,
) -> None:
    result = made_by_fal(fal_sdk, receiver, endpoint, given)
    urls = [image["url"] for image in result["images"]]
    assert len(urls) == count
    assert len({picture(url).tobytes() for url in urls}) == count
    assert result.get("has_nsfw_concepts") in (None, [False] * count)
    assert fal.jobs[0]["price"] == price
    assert fal.state["price"] == (price or "0")


@pytest.mark.parametrize(
    ("version", "given", "count", "price"),
    [
        (f"{BFL}/flux-schnell", {"num_outputs": 4, "megapixels": "0.25"}, 4, "0.012"),
        (f"{BFL}/flux-dev", {"num_outputs": 2, "megapixels": "0.25"}, 2, "0.050"),
        (f"{BFL}/flux-2-pro", {"input_images": many(3)}, 1, "0.075"),
        (PULID, {"main_face_image": "@1", "num_outputs": 2}, 2, None),
        ("bytedance/seedream-4", {"size": "1K", "max_images": 3}, 1, None),
        ("bytedance/seedream-4",
         {"size": "1K", "max_images": 3, "sequential_image_generation": "auto"}, 3, None),
        ("google/nano-banana-2", {"resolution": "2K"}, 1, None),
        ("ideogram-ai/ideogram-character",
         {"character_reference_image": "@1", "rendering_speed": "Quality"}, 1, "0.20"),
    ],
)  # fmt: skip
def test_replicate_makes_several_pictures_and_counts_them(
    rep: Sim,
    rep_sdk: ReplicateClient,
    receiver: Receiver,
    version: str,
    given: dict[str, Any],
    count: int,
    price: str | None,
) -> None:
    urls = made_by_replicate(rep_sdk, receiver, version, given)
    assert len({picture(url).tobytes() for url in urls}) == len(urls) == count
    assert rep.jobs[0]["price"] == price


@pytest.mark.parametrize(
    ("endpoint", "given", "units"),
    [
        ("fal-ai/flux-2/turbo", {**SMALL, "num_images": 3}, "3"),
        (TURBO_EDIT, {**SMALL, "image_urls": many(2)}, "3"),
        (GENERAL, {"image_url": "@1", **SMALL}, "1"),
        ("fal-ai/nano-banana/edit", {**LIST, "num_images": 2}, "2"),
        ("fal-ai/nano-banana-2/edit", {**LIST, "resolution": "2K"}, "1"),
        ("fal-ai/flux-pulid", {"reference_image_url": "@1", **SMALL}, "1"),
    ],
)
def test_fal_tells_the_billed_units(
    fal: Sim, receiver: Receiver, endpoint: str, given: dict[str, Any], units: str
) -> None:
    submitted = fal_post(fal, endpoint, {"prompt": "x", **with_pictures(receiver, given)}).json()
    fal.settle()
    assert fal.http.get(submitted["response_url"]).headers["X-Fal-Billable-Units"] == units


@pytest.mark.parametrize("chosen", ["png", "jpeg", "webp"])
def test_fal_open_models_draw_in_every_format(
    fal_sdk: fal_client.SyncClient, receiver: Receiver, chosen: str
) -> None:
    given = {**SMALL, "output_format": chosen}
    (image,) = made_by_fal(fal_sdk, receiver, "fal-ai/flux-2/turbo", given)["images"]
    assert picture(image["url"]).format == chosen.upper()
    assert image["content_type"] == f"image/{chosen}"
    assert image["url"].endswith(f".{chosen}")


def test_a_safety_hit_flags_every_picture(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver
) -> None:
    fal.faults(nsfw_flag=1)
    result = made_by_fal(fal_sdk, receiver, "fal-ai/flux-2/turbo", {**SMALL, "num_images": 2})
    assert result["has_nsfw_concepts"] == [True, True]
    assert [picture(image["url"]).getbbox() for image in result["images"]] == [None, None]


def test_a_failed_job_of_unknown_price_costs_nothing(rep: Sim) -> None:
    rep.faults(fail=1)
    rep_post(rep, version="google/nano-banana", input={"prompt": "x"})
    rep.settle()
    (job,) = rep.jobs
    assert (job["status"], job["price"], job["price_known"]) == ("failed", "0", True)


def test_only_models_with_a_seed_log_it(rep: Sim) -> None:
    for version in ("google/nano-banana", f"{BFL}/flux-2-dev"):
        created = rep_post(rep, version=version, input={"prompt": "x"}).json()
        rep.settle()
        logs = rep.http.get(f"/v1/predictions/{created['id']}").json()["logs"]
        assert ("Using seed: " in logs) == (version == f"{BFL}/flux-2-dev")
