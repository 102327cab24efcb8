"""Who reads a provider's webhooks. For the webhook function alone."""

from functools import cache
from typing import TYPE_CHECKING

from storyhook import settings
from storyhook.wiring import parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from storyhook.ports import WebhookReader


def reader(config: settings.WebhookSettings) -> "Callable[[str], WebhookReader]":
    from storyhook.aws.secrets import MIN_GAP_SECONDS, RotatingSecret, Secrets
    from storyhook.domain.errors import NotFound

    # Anybody may send a webhook.
    secrets = Secrets(parts.client("ssm"), config.secrets_prefix, absent_seconds=MIN_GAP_SECONDS)
    checked = parts.guard(config.allow_loopback_http)

    @cache
    def reader(provider: str) -> "WebhookReader":
        if provider == "fal":
            from storyhook.providers.fal.jwks import Jwks
            from storyhook.providers.fal.webhook import FalWebhook
            from storyhook.web.documents import fetch_document

            jwks = Jwks(lambda: fetch_document(checked, config.fal_jwks_url))
            return FalWebhook(jwks, config.fal_user_id or None)
        if provider == "replicate":
            from storyhook.providers.replicate.webhook import ReplicateWebhook

            return ReplicateWebhook(RotatingSecret(secrets, "replicate-webhook-secret"))
        raise NotFound(f"There is no provider {provider!r}.")

    return reader
