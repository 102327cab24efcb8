"""Uploads by form: what the form allows, what is checked once the file is there, whose it is."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import botocore.session
import pytest
import requests

from storyhook.aws import clients
from storyhook.domain.errors import BadReference, NotFound
from storyhook.domain.library import UploadForm
from storyhook.domain.requests import CharacterRequest, ReferenceRequest
from tests.fixtures import makers, template
from tests.fixtures.cloud import BUCKET
from tests.fixtures.pictures import picture
from tests.fixtures.world import World

MEGABYTE = 1024 * 1024


def post(form: UploadForm, data: bytes, **fields: str) -> int:
    """As a browser does."""
    sent = {**form.fields, **fields}
    answer = requests.post(form.url, data=sent, files={"file": ("elena.png", data)}, timeout=10)
    return answer.status_code


def add(world: World, upload_id: str, tenant: str = "acme") -> Any:
    reference = ReferenceRequest(upload=upload_id)
    return world.edit.add_reference(tenant, "elena", reference)[0].references[-1]


@pytest.fixture
def library(world: World) -> World:
    for tenant in ("acme", "other"):
        world.characters.replace(makers.character(tenant=tenant), None)
    return world


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_uploaded_and_becomes_a_reference(library: World, kind: str) -> None:
    data = picture(300, 400, kind)
    form = library.open_upload("acme", f"image/{kind.lower()}", len(data), library.origin())
    assert post(form, data) == 204
    reference = add(library, form.id)
    assert (reference.width, reference.height, reference.size_bytes) == (300, 400, len(data))
    assert reference.content_type == f"image/{kind.lower()}"
    assert library.images.get(reference.key) == data
    # It is used once more, and by a new character, for as long as it is there.
    asked = CharacterRequest(
        "marcus", "Marcus", "grey", None, "character", (ReferenceRequest(upload=form.id),)
    )
    assert library.save_character("acme", asked)[0].references[0].key == reference.key


@pytest.mark.parametrize(
    ("size", "sizes"), [(204800, [204800, 204800]), (None, [1, 10 * MEGABYTE])]
)
def test_the_form_is_for_one_key_one_type_and_these_sizes(
    library: World, size: int | None, sizes: list[int]
) -> None:
    form = library.open_upload("acme", "image/png", size, library.origin())
    policy = json.loads(base64.b64decode(form.fields["policy"]))
    conditions = policy["conditions"]
    assert {"Content-Type": "image/png"} in conditions
    assert {"key": f"uploads/acme/{form.id}"} in conditions
    assert {"bucket": BUCKET} in conditions
    assert ["content-length-range", *sizes] in conditions
    # What starts-with would leave open.
    assert [c for c in conditions if isinstance(c, list)] == [["content-length-range", *sizes]]
    assert form.max_bytes == sizes[1]
    assert form.expires_at == library.clock() + timedelta(hours=1)
    # Signed with the key that S3 accepts in every region.
    assert form.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"


def test_a_form_and_a_url_name_the_buckets_own_region(
    library: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    session = botocore.session.get_session()
    monkeypatch.setattr(clients, "_session", lambda: session)
    there = replace(library.images, client=clients.client.__wrapped__("s3"))
    url, _, _ = there.form("uploads/acme/up_1", "image/png", (1, 2), 60)
    assert url == f"https://{BUCKET}.s3.eu-west-1.amazonaws.com/"
    assert there.sign("images/1.png")[0].startswith(f"{url}images/1.png?")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<html>no picture</html>", "not a PNG, JPEG or WebP"),
        (b"GIF89a", "not a PNG, JPEG or WebP"),
        (picture()[:-12], "damaged or cut short"),
        (picture(16, 16), "16 x 16 pixels; a reference has at least 32"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * (10 * MEGABYTE), "10 MB are allowed"),
    ],
)
def test_what_was_uploaded_is_judged_by_its_bytes(library: World, data: bytes, words: str) -> None:
    """Whatever the form said; the last is what S3 itself refuses."""
    form = library.open_upload("acme", "image/png", None, library.origin())
    assert post(form, data) == 204
    before = library.cloud.state()
    with pytest.raises(BadReference, match=words) as caught:
        add(library, form.id)
    assert [error.path for error in caught.value.errors] == ["upload"]
    assert library.cloud.state() == before


def test_a_file_that_is_too_large_is_not_even_read(library: World) -> None:
    form = library.open_upload("acme", "image/png", None, library.origin())
    post(form, b"0" * (10 * MEGABYTE + 1))
    with pytest.raises(BadReference):
        add(library, form.id)
    keys = [call["Key"] for call in library.cloud.operations("GetObject")]
    assert form.fields["key"] not in keys


def test_before_the_file_is_there_nothing_is(library: World) -> None:
    form = library.open_upload("acme", "image/png", None, library.origin())
    with pytest.raises(NotFound, match="send the file") as caught:
        add(library, form.id)
    assert [error.path for error in caught.value.errors] == ["upload"]
    # Nor is the beginning of another's name a name.
    post(form, picture())
    with pytest.raises(NotFound):
        add(library, form.id[:-1])


def test_an_upload_is_its_tenants_alone(library: World) -> None:
    form = library.open_upload("acme", "image/png", None, library.origin())
    assert form.fields["key"].startswith("uploads/acme/up_")
    post(form, picture())
    with pytest.raises(NotFound):
        add(library, form.id, "other")
    assert add(library, form.id)


def test_uploads_go_after_a_day_and_references_stay() -> None:
    """And so does what was sent by the same form before: it may be sent as often as one likes."""
    rules = template.resource("Bucket")["LifecycleConfiguration"]["Rules"]
    expiring = {rule["Prefix"]: rule for rule in rules if "ExpirationInDays" in rule}
    assert expiring.keys() == {"uploads/", "exports/"}
    rule = expiring["uploads/"]
    assert (rule["ExpirationInDays"], rule["Status"]) == (1, "Enabled")
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_browsers_may_only_post() -> None:
    [rule] = template.resource("Bucket")["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedMethods"] == ["POST"]
