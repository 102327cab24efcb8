"""Lambda authorizer: who holds this key or link? Its answer is cached by API Gateway."""

from typing import Any

from storyhook import wiring


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    key = wiring.authorizer()(event.get("headers", {}).get("authorization"))
    if key is None:
        return {"isAuthorized": False}
    context = {"key_id": key.id, "tenant": key.tenant, "scopes": " ".join(key.scopes)}
    if key.storyboard_id is not None:
        context["storyboard_id"] = key.storyboard_id
    return {"isAuthorized": True, "context": context}
