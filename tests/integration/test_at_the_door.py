"""What is answered where there is no route, and where AWS is busy."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from storyhook.aws.busy import busy_when_throttled
from storyhook.domain.errors import Busy
from storyhook.http.routes import ELSEWHERE
from tests.fixtures import events, functions, template
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import Cloud
from tests.fixtures.functions import Stage


@pytest.fixture
def stage(cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with functions.staged(cloud, clock, monkeypatch) as stage:
        stage.seed_all()
        yield stage


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/predictions", "GET, POST"),
        ("PUT", "/predictions/pred_1", "GET"),
        ("GET", "/predictions/pred_1/cancel", "POST"),
        ("PATCH", "/storyboards", "GET, POST"),
        ("POST", "/storyboards/sb_1/events", "GET"),
        ("POST", "/models", "GET"),
        ("GET", "/webhooks/fal/x", "POST"),
    ],
)
def test_another_method_is_told_which_to_use(
    stage: Stage, method: str, path: str, allowed: str
) -> None:
    answer = stage.run("api", events.default(method, path))
    assert answer["statusCode"] == 405
    assert answer["headers"]["Allow"] == allowed
    assert json.loads(answer["body"])["type"] == "/problems/method-not-allowed"


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/predictions/pred_1/x", "/models/1", "//", "/characters/\x84"]
)
def test_an_unknown_path_is_not_found(stage: Stage, path: str) -> None:
    answer = stage.run("api", events.default("GET", path))
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["type"] == "/problems/not-found"


def test_functions_of_their_own_are_known_here() -> None:
    resources = template.template()["Resources"].values()
    keys = {
        entry["Properties"]["RouteKey"]
        for entry in resources
        if entry["Type"] == "AWS::ApiGatewayV2::Route"
    }
    ours = {f"{method} {path.replace('<', '{').replace('>', '}')}" for method, path in ELSEWHERE}
    assert {*ours, "$default"} == keys


THROTTLED = ("ThrottlingException", 400)
REQUESTS = {
    "api": events.default("GET", "/predictions"),
    "create_prediction": events.http("POST /predictions", events.PREDICTION),
    "cancel": events.cancel("prediction", events.PREDICTIONS["fal"]),
}


def error(code: str, status: int, **more: Any) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **more,
    }
    return ClientError(answer, "Any")


@pytest.mark.parametrize("function", REQUESTS)
def test_a_busy_aws_is_a_503_that_says_when_to_come_again(stage: Stage, function: str) -> None:
    def refuse() -> None:
        raise error(*THROTTLED)

    stage.cloud.before_call = refuse
    answer = stage.run(function, REQUESTS[function])
    assert answer["statusCode"] == 503
    assert answer["headers"]["Retry-After"] == "2"
    assert json.loads(answer["body"])["type"] == "/problems/busy"


@pytest.mark.parametrize(
    "raised",
    [
        *(error(*THROTTLED), error("SlowDown", 503), error("InternalServerError", 500)),
        *(
            error("TooManyRequestsException", 429),
            error("ProvisionedThroughputExceededException", 400),
        ),
        error(
            "TransactionCanceledException", 400, CancellationReasons=[{"Code": "ThrottlingError"}]
        ),
        ReadTimeoutError(endpoint_url="https://dynamodb"),
        EndpointConnectionError(endpoint_url="https://dynamodb"),
        TimeoutError("DynamoDB left keys unread after several rounds"),
    ],
    ids=repr,
)
def test_what_passes_is_busy(raised: Exception) -> None:
    with pytest.raises(Busy), busy_when_throttled():
        raise raised


@pytest.mark.parametrize(
    "raised",
    [
        error("AccessDeniedException", 400),
        error("ValidationException", 400),
        error("TransactionCanceledException", 400, CancellationReasons=[{"Code": "None"}]),
        KeyError("a fault of ours"),
    ],
    ids=repr,
)
def test_what_does_not_pass_is_raised_as_it_is(raised: Exception) -> None:
    with pytest.raises(type(raised)), busy_when_throttled():
        raise raised
