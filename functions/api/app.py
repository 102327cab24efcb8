"""GET and POST of characters and storyboards, reads of predictions and models."""

import json
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from storyhook import wiring
from storyhook.domain.access import Scope
from storyhook.domain.errors import NotFound, StoryhookError
from storyhook.http import problems
from storyhook.http.events import require, scope_of
from storyhook.http.reading import Handler
from storyhook.logs import handled


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return _app().resolve(event, context)


@cache
def _app() -> APIGatewayHttpResolver:
    app = APIGatewayHttpResolver()
    app.exception_handler(StoryhookError)(_problem)
    app.not_found(_no_route)
    for (method, path), route in wiring.api().routes().items():
        app.route(path, method)(_answer(app, route, scope_of(method, path)))
    return app


def _answer(
    app: APIGatewayHttpResolver, route: Handler, scope: Scope
) -> Callable[..., Response[str]]:
    def answer(**path: str) -> Response[str]:
        event = app.current_event.raw_event
        require(scope, event)
        reply = route(event, **path)
        handled(route.__name__, status=reply.status.value, id=reply.body.get("id"))
        if reply.status is HTTPStatus.NO_CONTENT:
            return Response(reply.status)
        return Response(
            reply.status, "application/json", json.dumps(reply.body), headers=reply.headers
        )

    return answer


def _problem(error: StoryhookError) -> Response[str]:
    answer = problems.response(error)
    handled("refused", problem=error.slug, status=answer["statusCode"])
    headers = answer["headers"]
    return Response(answer["statusCode"], problems.CONTENT_TYPE, answer["body"], headers)


def _no_route(_: NotFoundError) -> Response[str]:
    return _problem(NotFound("There is no such route; the README lists them."))
