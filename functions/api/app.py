"""Every route under a key that has no function of its own: the library, boards, reads, keys."""

import json
from collections.abc import Callable
from functools import cache, partial
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from storyhook import wiring
from storyhook.domain.access import ApiKey
from storyhook.domain.errors import StoryhookError
from storyhook.http import problems
from storyhook.http.etags import conditional
from storyhook.http.events import is_for_links, require, scope_of
from storyhook.http.reading import Handler
from storyhook.http.routes import no_route
from storyhook.logs import handled, logger


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return _app().resolve(event, context)


@cache
def _app() -> APIGatewayHttpResolver:
    app = APIGatewayHttpResolver()
    app.exception_handler(StoryhookError)(_problem)
    app.not_found(_no_route(app))
    for (method, path), route in wiring.api().routes().items():
        needs = partial(require, scope_of(method, path), or_by_link=is_for_links(method, path))
        app.route(path, method)(_answer(app, route, needs))
    return app


def _answer(
    app: APIGatewayHttpResolver, route: Handler, needs: Callable[[dict[str, Any]], ApiKey]
) -> Callable[..., Response[str]]:
    def answer(**path: str) -> Response[str]:
        event = app.current_event.raw_event
        needs(event)
        with wiring.aws_or_busy():
            reply = conditional(event, route(event, **path))
        if reply.then:
            try:
                reply.then()
            except Exception:  # noqa: BLE001 - logged; it is accepted, and the reconciler's now
                logger().exception("not sent")
        handled(route.__name__, status=reply.status.value, id=reply.body.get("id"))
        if reply.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            return Response(reply.status, body="", headers=reply.headers)
        return Response(
            reply.status, "application/json", json.dumps(reply.body), headers=reply.headers
        )

    return answer


def _problem(error: StoryhookError) -> Response[str]:
    answer = problems.response(error)
    handled("refused", problem=error.slug, status=answer["statusCode"])
    return Response(
        answer["statusCode"],
        problems.CONTENT_TYPE,
        answer["body"],
        headers=problems.headers(error),
    )


def _no_route(app: APIGatewayHttpResolver) -> Callable[[NotFoundError], Response[str]]:
    def answer(_: NotFoundError) -> Response[str]:
        event = app.current_event
        return _problem(no_route(event.http_method, event.path, wiring.api().routes()))

    return answer
