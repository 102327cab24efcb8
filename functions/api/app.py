"""GET and POST of characters and storyboards, reads of predictions and models."""

import json
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from storyhook import wiring
from storyhook.domain.errors import NotFound, StoryhookError
from storyhook.http import problems
from storyhook.logs import logger

type Answer = tuple[dict[str, Any], HTTPStatus, dict[str, str]]


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return _routes().resolve(event, context)


def _problem(error: StoryhookError) -> Response[str]:
    answer = problems.response(error)
    logger().info("refused", extra={"problem": error.slug, "status": answer["statusCode"]})
    return Response(answer["statusCode"], problems.CONTENT_TYPE, answer["body"])


@cache
def _routes() -> APIGatewayHttpResolver:
    app = APIGatewayHttpResolver(serializer=json.dumps)
    app.exception_handler(StoryhookError)(_problem)

    @app.not_found
    def no_route(_: NotFoundError) -> Response[str]:
        return _problem(NotFound("There is no such route; the README lists them."))

    def event() -> dict[str, Any]:
        return app.current_event.raw_event

    @app.post("/characters")
    def post_character() -> Answer:
        body, new = wiring.api().post_character(event())
        status = HTTPStatus.CREATED if new else HTTPStatus.OK
        return body, status, {"Location": body["urls"]["self"]}

    @app.get("/characters")
    def list_characters() -> dict[str, Any]:
        return wiring.api().list_characters(event())

    @app.get("/characters/<character_id>")
    def get_character(character_id: str) -> dict[str, Any]:
        return wiring.api().get_character(event(), character_id)

    @app.post("/storyboards")
    def post_storyboard() -> Answer:
        body = wiring.api().post_storyboard(event())
        logger().info("accepted", extra={"storyboard_id": body["id"]})
        return body, HTTPStatus.ACCEPTED, {"Location": body["urls"]["self"]}

    @app.get("/storyboards")
    def list_storyboards() -> dict[str, Any]:
        return wiring.api().list_storyboards(event())

    @app.get("/storyboards/<storyboard_id>")
    def get_storyboard(storyboard_id: str) -> dict[str, Any]:
        return wiring.api().get_storyboard(event(), storyboard_id)

    @app.get("/predictions")
    def list_predictions() -> dict[str, Any]:
        return wiring.api().list_predictions(event())

    @app.get("/predictions/<prediction_id>")
    def get_prediction(prediction_id: str) -> dict[str, Any]:
        return wiring.api().get_prediction(event(), prediction_id)

    @app.get("/models")
    def list_models() -> dict[str, Any]:
        return wiring.api().list_models()

    return app
