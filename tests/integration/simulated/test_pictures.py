"""What the simulated pictures show."""

import hashlib
import json
from typing import Any

import fal_client
import fal_client.client
import pytest
from PIL import Image, ImageChops

from tests.integration.simulated.support import (
    EDIT,
    TEXT,
    Receiver,
    Sim,
    edit,
    picture,
    portrait,
    portraits,
    scene,
    text,
)


def _drawn(sdk: fal_client.SyncClient, endpoint: str, given: dict[str, Any]) -> Image.Image:
    return picture(sdk.submit(endpoint, given).get()["images"][0]["url"])


def test_pictures_depend_on_the_references_and_their_order(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver
) -> None:
    one_two = edit(receiver, image_urls=portraits(receiver, 1, 2))
    two_one = edit(receiver, image_urls=portraits(receiver, 2, 1))
    first, again, swapped = (
        scene(_drawn(fal_sdk, EDIT, given)) for given in (one_two, one_two, two_one)
    )
    assert ImageChops.difference(first, again).getbbox() is None
    assert ImageChops.difference(first, swapped).getbbox() is not None
    nobody = scene(_drawn(fal_sdk, TEXT, text(prompt=one_two["prompt"], output_format="png")))
    left, _, right, _ = ImageChops.difference(first, nobody).getbbox() or (0, 0, 0, 0)
    assert right - left > first.width / 4  # two cards stand in the same landscape


def test_plain_pictures_leave_only_the_scenery_out(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver
) -> None:
    fal.set(drawing="plain")
    first, swapped = (
        scene(_drawn(fal_sdk, EDIT, edit(receiver, image_urls=portraits(receiver, *order))))
        for order in ((1, 2), (2, 1))
    )
    assert first.getpixel((0, 0)) == first.getpixel((first.width - 1, first.height // 2))
    assert ImageChops.difference(first, swapped).getbbox() is not None


def test_pictures_depend_on_prompt_and_seed(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    base = text(output_format="png")
    first = scene(_drawn(fal_sdk, TEXT, base))
    for change in ({"seed": 8}, {"prompt": "a market at sunset"}):
        other = scene(_drawn(fal_sdk, TEXT, {**base, **change}))
        assert ImageChops.difference(first, other).getbbox() is not None


def test_pictures_say_what_they_were_made_from(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver
) -> None:
    handle = fal_sdk.submit(EDIT, edit(receiver, 3, output_format="jpeg"))
    image = picture(handle.get()["images"][0]["url"])
    told = json.loads(image.getexif()[270])
    assert told["prediction_id"] == handle.request_id
    assert told["references"] == [hashlib.sha256(portrait(n)).hexdigest() for n in range(3)]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("square", (512, 512)),
        ("landscape_16_9", (1024, 576)),
        ("auto", (864, 1152)),  # as the first reference (3:4), in about one megapixel
        ({"width": 300, "height": 200}, (300, 200)),
    ],
)
def test_fal_sizes(
    fal: Sim,
    fal_sdk: fal_client.SyncClient,
    receiver: Receiver,
    size: Any,
    expected: tuple[int, int],
) -> None:
    assert _drawn(fal_sdk, EDIT, edit(receiver, 1, image_size=size)).size == expected
