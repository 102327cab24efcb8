"""The parts that several functions share, each made in one place, importing only its own."""

import secrets as randomness
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from storyhook import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from storyhook.aws.bucket import Bucket
    from storyhook.aws.clients import LazyClient
    from storyhook.aws.queues import SubmissionsQueue
    from storyhook.aws.secrets import ProviderKeys
    from storyhook.aws.table import Table
    from storyhook.aws.workflow import StepFunctions
    from storyhook.ports import ProviderClient, ReferenceUrls
    from storyhook.usecases.assemble import AssembleStoryboard, ReadStoryboard
    from storyhook.usecases.cancel import Cancel
    from storyhook.usecases.once import Once
    from storyhook.usecases.request import Casting
    from storyhook.usecases.settle import Settle
    from storyhook.usecases.submit import Submit
    from storyhook.usecases.tell import Tell
    from storyhook.web.guard import Guard

_MAX_IMAGE_BYTES = 40 * 1024 * 1024
OUTPUT_URL_LIFETIME = timedelta(hours=1)


class CallbackSource(Protocol):
    """What a function needs whose rows end in a callback."""

    @property
    def table_name(self) -> str: ...
    @property
    def bucket_name(self) -> str: ...
    @property
    def callbacks_queue_url(self) -> str: ...


class SettleSettings(CallbackSource, Protocol):
    """What settling needs on top; every function that settles has these settings."""

    @property
    def state_machine_arn(self) -> str: ...
    @property
    def submissions_queue_url(self) -> str: ...
    @property
    def image_hosts(self) -> str: ...
    @property
    def allow_loopback_http(self) -> str: ...


def clock() -> datetime:
    return datetime.now(UTC)


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def pages_folder() -> Path:
    """Where the layer's build puts the files of the public pages."""
    return Path(__file__).parents[1] / "pages"


def scratch_folder() -> Path:
    """Where a function may write: in Lambda /tmp, as large as template.yaml says."""
    return Path(tempfile.gettempdir())


def client(service: str) -> "LazyClient":
    from storyhook.aws.clients import LazyClient

    return LazyClient(service)


def table(name: str) -> "Table":
    from storyhook.aws.table import Table

    return Table(client("dynamodb"), name)


def bucket(name: str, url_lifetime: timedelta) -> "Bucket":
    from storyhook.aws.bucket import Bucket

    return Bucket(client("s3"), name, clock, url_lifetime)


def guard(allow_loopback_http: str) -> "Guard":
    from storyhook.web.guard import Guard

    return Guard(allow_loopback_http=allow_loopback_http == "true")


def casting(table: "Table") -> "Casting":
    from storyhook.aws.characters import CharacterTable
    from storyhook.usecases.request import Casting

    return Casting(CharacterTable(table))


def once(table: "Table") -> "Once":
    from storyhook.aws.idempotency import ClaimTable
    from storyhook.usecases.once import Once

    return Once(ClaimTable(table), clock, randomness.token_bytes)


def read_storyboard(table: "Table") -> "ReadStoryboard":
    from storyhook.aws.predictions import PredictionTable
    from storyhook.aws.storyboards import StoryboardTable
    from storyhook.usecases.assemble import ReadStoryboard

    return ReadStoryboard(StoryboardTable(table), PredictionTable(table))


def submissions(url: str) -> "SubmissionsQueue":
    from storyhook.aws.queues import SubmissionsQueue

    return SubmissionsQueue(client("sqs"), url)


def workflow(state_machine_arn: str) -> "StepFunctions":
    from storyhook.aws.workflow import StepFunctions

    return StepFunctions(client("stepfunctions"), state_machine_arn)


def tell(config: CallbackSource) -> "Tell":
    from storyhook.aws.callbacks import CallbackTable
    from storyhook.aws.predictions import PredictionTable
    from storyhook.aws.queues import CallbacksQueue
    from storyhook.aws.storyboards import StoryboardTable
    from storyhook.usecases.tell import Outbox, Tell

    rows = table(config.table_name)
    return Tell(
        predictions=PredictionTable(rows),
        storyboards=StoryboardTable(rows),
        images=bucket(config.bucket_name, OUTPUT_URL_LIFETIME),
        outbox=Outbox(
            callbacks=CallbackTable(rows),
            queue=CallbacksQueue(client("sqs"), config.callbacks_queue_url),
            clock=clock,
        ),
    )


def settle(config: SettleSettings) -> "Settle":
    from storyhook import metrics
    from storyhook.aws.predictions import PredictionTable
    from storyhook.domain import catalogue
    from storyhook.usecases.announce import Announce
    from storyhook.usecases.settle import Settle
    from storyhook.web.images import HttpImages

    predictions = PredictionTable(table(config.table_name))
    images = bucket(config.bucket_name, OUTPUT_URL_LIFETIME)
    hosts = tuple(host.strip() for host in config.image_hosts.split(","))
    return Settle(
        predictions=predictions,
        images=images,
        source=HttpImages(guard(config.allow_loopback_http), _MAX_IMAGE_BYTES, hosts),
        announce=Announce(
            predictions=predictions,
            workflow=workflow(config.state_machine_arn),
            tell=tell(config),
            submissions=submissions(config.submissions_queue_url),
        ),
        catalogue=catalogue.load(),
        clock=clock,
        entropy=randomness.token_bytes,
        ended=metrics.ended,
    )


def submit(config: settings.SubmitSettings) -> "Submit":
    from storyhook.aws.predictions import PredictionTable
    from storyhook.aws.storyboards import StoryboardTable
    from storyhook.domain import catalogue
    from storyhook.domain.prediction import WITH_WEBHOOKS, WITHOUT_WEBHOOKS
    from storyhook.usecases.move_on import MoveOn
    from storyhook.usecases.submit import Submit

    rows = table(config.table_name)
    predictions = PredictionTable(rows)
    client_of = provider(config)
    reachable = config.webhooks != "off"
    return Submit(
        predictions=predictions,
        references=references(config, client_of, reachable=reachable),
        provider=client_of,
        settle=cache(lambda: settle(config)),
        move_on=MoveOn(predictions, StoryboardTable(rows), clock, randomness.token_bytes),
        catalogue=catalogue.load(),
        clock=clock,
        webhook_base_url=config.api_url if reachable else None,
        pace=WITH_WEBHOOKS if reachable else WITHOUT_WEBHOOKS,
    )


def references(
    config: settings.SubmitSettings,
    client_of: "Callable[[str], ProviderClient]",
    *,
    reachable: bool,
) -> "ReferenceUrls":
    """Providers that cannot call this stack cannot read its bucket either."""
    images = bucket(config.bucket_name, OUTPUT_URL_LIFETIME)
    if reachable:
        from storyhook.usecases.references import SignedReferences

        return SignedReferences(images)
    from storyhook.aws.uploads import UploadTable
    from storyhook.usecases.uploads import UploadedReferences

    return UploadedReferences(images, UploadTable(table(config.table_name)), client_of, clock)


def assemble(config: CallbackSource) -> "AssembleStoryboard":
    from storyhook import metrics
    from storyhook.aws.storyboards import StoryboardTable
    from storyhook.usecases.assemble import AssembleStoryboard

    rows = table(config.table_name)
    return AssembleStoryboard(
        storyboards=StoryboardTable(rows),
        read=read_storyboard(rows),
        tell=tell(config),
        clock=clock,
        entropy=randomness.token_bytes,
        ended=metrics.ended,
    )


def cancel(config: settings.SubmitSettings) -> "Cancel":
    from storyhook.aws.predictions import PredictionTable
    from storyhook.aws.storyboards import StoryboardTable
    from storyhook.usecases.cancel import Cancel

    rows = table(config.table_name)
    return Cancel(
        predictions=PredictionTable(rows),
        storyboards=StoryboardTable(rows),
        provider=provider(config),
        settle=settle(config),
        assemble=assemble(config),
        clock=clock,
    )


def provider(config: settings.SubmitSettings) -> "Callable[[str], ProviderClient]":
    """A provider's client is built when the first prediction asks for it, SDK and all."""
    keys = provider_keys(config.secrets_prefix)

    # By key, so that a rotated one is used as soon as `keys` has it.
    @cache
    def fal(key: str) -> "ProviderClient":
        from storyhook.providers.fal.client import FalClient

        return FalClient(key, config.fal_queue_url)

    @cache
    def replicate(token: str) -> "ProviderClient":
        from storyhook.providers.replicate.client import ReplicateClient

        return ReplicateClient(token, config.replicate_url)

    def provider(name: str) -> "ProviderClient":
        return fal(keys.get(name)) if name == "fal" else replicate(keys.get(name))

    return provider


def provider_keys(prefix: str) -> "ProviderKeys":
    from storyhook.aws.secrets import ProviderKeys, Secrets

    return ProviderKeys(Secrets(client("ssm"), prefix))
