"""The OpenAPI document says what the API does: all of it, and nothing else."""

from collections.abc import Iterator

import pytest
from openapi_spec_validator import validate

from storyhook import wiring
from storyhook.http import key_bodies, requests
from tests.fixtures import gateway
from tests.fixtures.contract import PLACE, Contract, written
from tools.openapi.chapters import told
from tools.openapi.document import as_text, document
from tools.openapi.fields import TEXTS
from tools.openapi.operations import OPERATIONS
from tools.openapi.story import Story, stage


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    with stage() as here:
        yield told(here)


def test_the_file_in_docs_is_what_the_code_makes(story: Story) -> None:
    assert PLACE.read_text(encoding="utf-8") == as_text(document(story.exchanges)), (
        "run `make openapi`"
    )


def test_it_is_valid_openapi() -> None:
    validate(written().document)


def test_every_route_is_an_operation_and_vice_versa(story: Story) -> None:
    routes = {route.key for route in gateway.routes()} - {"$default"}
    for method, path in wiring.api().routes():
        routes.add(f"{method} {path.replace('<', '{').replace('>', '}')}")
    assert sorted(operation.route for operation in OPERATIONS) == sorted(routes)


def test_what_is_public_says_so() -> None:
    public = {route.key for route in gateway.routes() if route.public}
    assert {operation.route for operation in OPERATIONS if operation.public} == public


def test_every_field_of_a_request_is_explained() -> None:
    bodies = {operation.body for operation in OPERATIONS if operation.body}
    inside = {key_bodies.LimitsBody, requests.OverrideBody, requests.SceneBody}
    assert set(TEXTS) == bodies | inside
    for kind, texts in TEXTS.items():
        assert list(texts) == list(kind.model_fields), kind.__name__


def test_the_story_asks_every_operation_for_every_answer(story: Story) -> None:
    answered = {(each.operation, each.answer.status) for each in story.exchanges}
    wanted = {(each.id, status) for each in OPERATIONS for status in each.answers}
    wanted |= {(each.id, 304) for each in OPERATIONS if each.reads}
    assert wanted - answered == set()


@pytest.fixture(scope="module")
def compared(story: Story) -> tuple[Contract, list[str]]:
    """The document after it was held against every answer of the story; what differs."""
    contract, wrong = Contract(document()), []
    routes = {operation.id: operation.route for operation in OPERATIONS}
    for each in story.exchanges:
        method, _, answer = *routes[each.operation].partition(" ")[:2], each.answer
        wrong += contract.wrong(method, each.path, answer.status, answer.headers, answer.body)
    for event in story.callbacks:
        at = ["webhooks", event["type"], "post", "requestBody", "content", "application/json"]
        wrong += contract.unlike([*at, "schema"], event)
    return contract, wrong


def test_every_field_of_an_answer_is_described(compared: tuple[Contract, list[str]]) -> None:
    assert compared[1] == []


def test_every_described_field_was_in_an_answer(compared: tuple[Contract, list[str]]) -> None:
    contract, _ = compared
    assert sorted(contract.described() - contract.seen) == []
