"""What is plugged in where: one builder per function, each importing only its own parts.

Builders run at a function's first call and keep what they built for the process's life.
"""

import os
import random
import secrets as randomness
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Protocol

from storyhook import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from storyhook.aws.bucket import Bucket
    from storyhook.aws.clients import LazyClient
    from storyhook.aws.queues import SubmissionsQueue
    from storyhook.aws.table import Table
    from storyhook.aws.workflow import StepFunctions
    from storyhook.http.service import Api
    from storyhook.ports import ProviderClient, WebhookReader
    from storyhook.usecases.announce import Outbox
    from storyhook.usecases.authorize import Authorize
    from storyhook.usecases.boards import AssembleStoryboard, ReadStoryboard
    from storyhook.usecases.deliver import Deliver
    from storyhook.usecases.receive import ReceiveWebhook
    from storyhook.usecases.reconcile import Reconcile
    from storyhook.usecases.request import Casting, RequestPrediction
    from storyhook.usecases.settle import Settle
    from storyhook.usecases.submit import Submit
    from storyhook.web.guard import Guard


class _SettleSettings(Protocol):
    """What settling needs; every function that settles has these settings."""

    @property
    def table_name(self) -> str: ...
    @property
    def bucket_name(self) -> str: ...
    @property
    def state_machine_arn(self) -> str: ...
    @property
    def callbacks_queue_url(self) -> str: ...
    @property
    def image_hosts(self) -> str: ...
    @property
    def allow_loopback_http(self) -> str: ...


_MAX_IMAGE_BYTES = 40 * 1024 * 1024
_OUTPUT_URL_LIFETIME = timedelta(hours=1)
# Longer than a prediction may wait at a provider; on AWS the role's own credentials end it sooner.
_REFERENCE_URL_LIFETIME = timedelta(hours=6)


def clock() -> datetime:
    return datetime.now(UTC)


@cache
def authorizer() -> "Authorize":
    from storyhook.aws.keys import KeyTable
    from storyhook.usecases.authorize import Authorize

    config = settings.AuthorizerSettings.read(os.environ)
    return Authorize(KeyTable(_table(config.table_name)))


@cache
def api() -> "Api":
    from storyhook.aws.characters import CharacterTable
    from storyhook.aws.predictions import PredictionTable
    from storyhook.aws.storyboards import StoryboardTable
    from storyhook.domain import catalogue, story
    from storyhook.http.service import Api
    from storyhook.usecases.boards import CreateStoryboard
    from storyhook.usecases.characters import ReadCharacter, SaveCharacter
    from storyhook.web.images import HttpImages

    config = settings.ApiSettings.read(os.environ)
    table = _table(config.table_name)
    images = _bucket(config.bucket_name, _OUTPUT_URL_LIFETIME)
    guard = _guard(config.allow_loopback_http)
    characters = CharacterTable(table)
    models = catalogue.load()
    save_character = SaveCharacter(
        characters,
        images,
        HttpImages(guard, story.MAX_REFERENCE_BYTES),
        clock,
        randomness.token_bytes,
    )
    return Api(
        characters=characters,
        storyboards=StoryboardTable(table),
        predictions=PredictionTable(table),
        images=images,
        catalogue=models,
        save_character=save_character,
        read_character=ReadCharacter(characters),
        read_storyboard=_read_storyboard(table),
        create_storyboard=CreateStoryboard(
            StoryboardTable(table),
            _casting(table),
            save_character,
            _workflow(config.state_machine_arn),
            models,
            guard,
            clock,
            randomness.token_bytes,
        ),
    )


@cache
def create_prediction() -> "tuple[RequestPrediction, Bucket]":
    from storyhook.aws.predictions import PredictionTable
    from storyhook.domain import catalogue
    from storyhook.usecases.request import RequestPrediction

    config = settings.SubmitSettings.read(os.environ)
    table = _table(config.table_name)
    request = RequestPrediction(
        predictions=PredictionTable(table),
        casting=_casting(table),
        submissions=_submissions(config.submissions_queue_url),
        submit=_submit(config),
        catalogue=catalogue.load(),
        guard=_guard(config.allow_loopback_http),
        clock=clock,
        entropy=randomness.token_bytes,
    )
    return request, _bucket(config.bucket_name, _OUTPUT_URL_LIFETIME)


@cache
def submit() -> "tuple[Submit, SubmissionsQueue]":
    config = settings.SubmitSettings.read(os.environ)
    return _submit(config), _submissions(config.submissions_queue_url)


@cache
def webhook() -> "ReceiveWebhook":
    from storyhook.aws.predictions import PredictionTable
    from storyhook.usecases.receive import ReceiveWebhook

    config = settings.WebhookSettings.read(os.environ)
    return ReceiveWebhook(
        predictions=PredictionTable(_table(config.table_name)),
        reader=_reader(config),
        settle=_settle(config),
        clock=clock,
    )


@cache
def reconcile() -> "Reconcile":
    from storyhook.aws.callbacks import CallbackTable
    from storyhook.aws.predictions import PredictionTable
    from storyhook.aws.queues import CallbacksQueue
    from storyhook.aws.storyboards import StoryboardTable
    from storyhook.domain import catalogue
    from storyhook.usecases.reconcile import Reconcile

    config = settings.SubmitSettings.read(os.environ)
    table = _table(config.table_name)
    return Reconcile(
        due=table,
        predictions=PredictionTable(table),
        storyboards=StoryboardTable(table),
        callbacks=CallbackTable(table),
        submissions=_submissions(config.submissions_queue_url),
        callback_queue=CallbacksQueue(_client("sqs"), config.callbacks_queue_url),
        workflow=_workflow(config.state_machine_arn),
        provider=_provider(config),
        settle=_settle(config),
        submit=_submit(config),
        assemble=_assemble(config),
        catalogue=catalogue.load(),
        clock=clock,
    )


@cache
def callback() -> "Deliver":
    from storyhook.aws.callbacks import CallbackTable
    from storyhook.aws.queues import CallbacksQueue
    from storyhook.aws.secrets import Secrets
    from storyhook.providers.callbacks import CallbackSigner
    from storyhook.usecases.deliver import Deliver
    from storyhook.web.sender import HttpSender

    config = settings.CallbackSettings.read(os.environ)
    secrets = Secrets(_client("ssm"), config.secrets_prefix)
    return Deliver(
        callbacks=CallbackTable(_table(config.table_name)),
        queue=CallbacksQueue(_client("sqs"), config.callbacks_queue_url),
        sender=HttpSender(_guard(config.allow_loopback_http), clock),
        signer=CallbackSigner(lambda: secrets.get("signing-key"), clock),
        clock=clock,
        random=random.random,
    )


@cache
def assemble() -> "AssembleStoryboard":
    return _assemble(settings.AssembleSettings.read(os.environ))


def _client(service: str) -> "LazyClient":
    from storyhook.aws.clients import LazyClient

    return LazyClient(service)


def _table(name: str) -> "Table":
    from storyhook.aws.table import Table

    return Table(_client("dynamodb"), name)


def _bucket(name: str, url_lifetime: timedelta) -> "Bucket":
    from storyhook.aws.bucket import Bucket

    return Bucket(_client("s3"), name, clock, url_lifetime)


def _guard(allow_loopback_http: str) -> "Guard":
    from storyhook.web.guard import Guard

    return Guard(allow_loopback_http=allow_loopback_http == "true")


def _casting(table: "Table") -> "Casting":
    from storyhook.aws.characters import CharacterTable
    from storyhook.usecases.request import Casting

    return Casting(CharacterTable(table))


def _read_storyboard(table: "Table") -> "ReadStoryboard":
    from storyhook.aws.predictions import PredictionTable
    from storyhook.aws.storyboards import StoryboardTable
    from storyhook.usecases.boards import ReadStoryboard

    return ReadStoryboard(StoryboardTable(table), PredictionTable(table))


def _submissions(url: str) -> "SubmissionsQueue":
    from storyhook.aws.queues import SubmissionsQueue

    return SubmissionsQueue(_client("sqs"), url)


def _workflow(state_machine_arn: str) -> "StepFunctions":
    from storyhook.aws.workflow import StepFunctions

    return StepFunctions(_client("stepfunctions"), state_machine_arn)


def _outbox(config: _SettleSettings) -> "Outbox":
    from storyhook.aws.callbacks import CallbackTable
    from storyhook.aws.queues import CallbacksQueue
    from storyhook.usecases.announce import Outbox

    return Outbox(
        callbacks=CallbackTable(_table(config.table_name)),
        queue=CallbacksQueue(_client("sqs"), config.callbacks_queue_url),
        clock=clock,
    )


def _settle(config: _SettleSettings) -> "Settle":
    from storyhook.aws.predictions import PredictionTable
    from storyhook.domain import catalogue
    from storyhook.usecases.announce import Announce
    from storyhook.usecases.settle import Settle
    from storyhook.web.images import HttpImages

    predictions = PredictionTable(_table(config.table_name))
    images = _bucket(config.bucket_name, _OUTPUT_URL_LIFETIME)
    hosts = tuple(config.image_hosts.split(","))
    return Settle(
        predictions=predictions,
        images=images,
        source=HttpImages(_guard(config.allow_loopback_http), _MAX_IMAGE_BYTES, hosts),
        announce=Announce(
            predictions=predictions,
            workflow=_workflow(config.state_machine_arn),
            outbox=_outbox(config),
            images=images,
        ),
        catalogue=catalogue.load(),
        clock=clock,
        entropy=randomness.token_bytes,
    )


def _submit(config: settings.SubmitSettings) -> "Submit":
    from storyhook.aws.predictions import PredictionTable
    from storyhook.domain import catalogue
    from storyhook.usecases.submit import Submit

    return Submit(
        predictions=PredictionTable(_table(config.table_name)),
        images=_bucket(config.bucket_name, _REFERENCE_URL_LIFETIME),
        provider=_provider(config),
        settle=_settle(config),
        catalogue=catalogue.load(),
        clock=clock,
        webhook_base_url=config.api_url,
    )


def _assemble(config: _SettleSettings) -> "AssembleStoryboard":
    from storyhook.aws.storyboards import StoryboardTable
    from storyhook.usecases.boards import AssembleStoryboard

    table = _table(config.table_name)
    return AssembleStoryboard(
        storyboards=StoryboardTable(table),
        read=_read_storyboard(table),
        images=_bucket(config.bucket_name, _OUTPUT_URL_LIFETIME),
        outbox=_outbox(config),
        settle=_settle(config),
        clock=clock,
        entropy=randomness.token_bytes,
    )


def _provider(config: settings.SubmitSettings) -> "Callable[[str], ProviderClient]":
    """A provider's client is built when the first prediction asks for it, SDK and all."""
    from storyhook.aws.secrets import Secrets

    secrets = Secrets(_client("ssm"), config.secrets_prefix)

    @cache
    def provider(name: str) -> "ProviderClient":
        if name == "fal":
            from storyhook.providers.fal.client import FalClient

            return FalClient(secrets.get("fal-key"), config.fal_queue_url)
        from storyhook.providers.replicate.client import ReplicateClient

        return ReplicateClient(secrets.get("replicate-token"), config.replicate_url)

    return provider


def _reader(config: settings.WebhookSettings) -> "Callable[[str], WebhookReader]":
    from storyhook.aws.secrets import Secrets
    from storyhook.domain.errors import NotFound

    secrets = Secrets(_client("ssm"), config.secrets_prefix)
    guard = _guard(config.allow_loopback_http)

    @cache
    def reader(provider: str) -> "WebhookReader":
        if provider == "fal":
            from storyhook.providers.fal.jwks import Jwks
            from storyhook.providers.fal.webhook import FalWebhook
            from storyhook.web.documents import fetch_document

            jwks = Jwks(lambda: fetch_document(guard, config.fal_jwks_url))
            return FalWebhook(jwks, config.fal_user_id or None)
        if provider == "replicate":
            from storyhook.providers.replicate.webhook import ReplicateWebhook

            return ReplicateWebhook(lambda: secrets.get("replicate-webhook-secret"))
        raise NotFound(f"There is no provider {provider!r}.")

    return reader
