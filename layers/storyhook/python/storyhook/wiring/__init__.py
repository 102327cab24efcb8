"""What is plugged in where: one builder per function, each importing only its own parts.

Builders run at a function's first call and keep what they built for the process's life.
"""

import gc
import os
import random
import secrets as randomness
from functools import cache
from typing import TYPE_CHECKING

from storyhook import settings
from storyhook.wiring import parts

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from storyhook.aws.bucket import Bucket
    from storyhook.aws.queues import SubmissionsQueue
    from storyhook.http.callbacks import CallbackRoutes
    from storyhook.http.pages import Pages
    from storyhook.http.service import Api
    from storyhook.http.shares import ShareRoutes
    from storyhook.usecases.assemble import AssembleStoryboard
    from storyhook.usecases.authorize import Authorize
    from storyhook.usecases.cancel import Cancel
    from storyhook.usecases.choose import ChooseCandidate
    from storyhook.usecases.deliver import Deliver
    from storyhook.usecases.make_export import MakeExport
    from storyhook.usecases.once import Once
    from storyhook.usecases.receive import ReceiveWebhook
    from storyhook.usecases.reconcile import Reconcile
    from storyhook.usecases.request import RequestPrediction
    from storyhook.usecases.submit import Submit

# A cold start makes up to 150,000 objects that stay, and hardly any garbage; looking for it every
# 2,000 objects, as usual, costs a tenth of the start (docs/benchmarks.md).
gc.set_threshold(200_000)


def aws_or_busy() -> "AbstractContextManager[None]":
    """Raises Busy where AWS throttles or does not answer: for functions that answer HTTP."""
    from storyhook.aws.busy import busy_when_throttled

    return busy_when_throttled()


@cache
def authorizer() -> "Authorize":
    from storyhook.aws.keys import KeyTable
    from storyhook.usecases.authorize import Authorize

    config = settings.AuthorizerSettings.read(os.environ)
    return Authorize(KeyTable(parts.table(config.table_name)), parts.clock)


@cache
def api() -> "Api":
    from storyhook.aws.predictions import PredictionTable
    from storyhook.aws.storyboards import StoryboardTable
    from storyhook.aws.waits import PlaceTable
    from storyhook.domain import catalogue
    from storyhook.http.etags import Reads
    from storyhook.http.service import Api
    from storyhook.http.watching import WatchRoutes
    from storyhook.usecases.boards import CreateStoryboard
    from storyhook.usecases.feed import ReadFeed
    from storyhook.usecases.wait import Wait
    from storyhook.wiring import choosing, exports, keys, library

    config = settings.ApiSettings.read(os.environ)
    table = parts.table(config.table_name)
    images = parts.bucket(config.bucket_name, parts.OUTPUT_URL_LIFETIME)
    reads = Reads(images, parts.clock, parts.OUTPUT_URL_LIFETIME / 2)
    wait = Wait(
        PlaceTable(table, int(config.waiting_reads), random.random), parts.sleep, parts.clock
    )
    guard = parts.guard(config.allow_loopback_http)
    models = catalogue.load()
    characters = library.routes(config, images, guard, models, reads)
    return Api(
        storyboards=StoryboardTable(table),
        predictions=PredictionTable(table),
        images=images,
        catalogue=models,
        read_storyboard=parts.read_storyboard(table),
        create_storyboard=CreateStoryboard(
            StoryboardTable(table),
            parts.casting(table),
            characters.save,
            parts.workflow(config.state_machine_arn),
            keys.allowance(table),
            models,
            parts.provider_keys(config.secrets_prefix),
            guard,
            parts.clock,
            randomness.token_bytes,
        ),
        characters=characters,
        callbacks=_callback_routes(config),
        once=parts.once(table),
        reads=reads,
        watch=WatchRoutes(
            predictions=PredictionTable(table),
            read_storyboard=parts.read_storyboard(table),
            read_feed=ReadFeed(StoryboardTable(table), PredictionTable(table), wait),
            reads=reads,
            wait=wait,
        ),
        scenes=choosing.routes(table, images),
        shares=_share_routes(config),
        keys=keys.routes(config),
        exports=exports.routes(config, images, reads, wait),
    )


def _share_routes(config: settings.ApiSettings) -> "ShareRoutes":
    from storyhook.aws.shares import ShareTable
    from storyhook.http.shares import ShareRoutes
    from storyhook.usecases.shares import ManageShares

    rows = parts.table(config.table_name)
    shares = ManageShares(
        ShareTable(rows), parts.read_storyboard(rows), parts.clock, randomness.token_bytes
    )
    return ShareRoutes(shares, parts.once(rows), config.api_url)


def _callback_routes(config: settings.ApiSettings) -> "CallbackRoutes":
    from storyhook.aws.addresses import AddressTable
    from storyhook.aws.callback_secrets import SecretVersionTable
    from storyhook.aws.callbacks import CallbackTable
    from storyhook.aws.queues import CallbacksQueue
    from storyhook.http.callbacks import CallbackRoutes
    from storyhook.usecases.callback_secrets import CallbackSecrets
    from storyhook.usecases.callbacks import CallbackLog, Replay
    from storyhook.wiring import keys

    rows = parts.table(config.table_name)
    callbacks = CallbackTable(rows)
    log = CallbackLog(callbacks, AddressTable(rows), parts.clock)
    queue = CallbacksQueue(parts.client("sqs"), config.callbacks_queue_url)
    return CallbackRoutes(
        log=log,
        replay=Replay(log, callbacks, queue, parts.clock),
        secrets=CallbackSecrets(
            SecretVersionTable(rows), keys.callback_secret_of(config), parts.clock
        ),
    )


@cache
def pages() -> "Pages":
    from storyhook.http.pages import Pages

    config = settings.PagesSettings.read(os.environ)
    return Pages(parts.pages_folder(), config.image_origins)


@cache
def create_prediction() -> "tuple[RequestPrediction, Once, Bucket]":
    from storyhook.aws.predictions import PredictionTable
    from storyhook.domain import catalogue
    from storyhook.usecases.request import RequestPrediction
    from storyhook.wiring import keys

    config = settings.SubmitSettings.read(os.environ)
    table = parts.table(config.table_name)
    request = RequestPrediction(
        predictions=PredictionTable(table),
        casting=parts.casting(table),
        submissions=parts.submissions(config.submissions_queue_url),
        submit=parts.submit(config),
        allowance=keys.allowance(table),
        catalogue=catalogue.load(),
        guard=parts.guard(config.allow_loopback_http),
        clock=parts.clock,
        entropy=randomness.token_bytes,
    )
    images = parts.bucket(config.bucket_name, parts.OUTPUT_URL_LIFETIME)
    return request, parts.once(table), images


@cache
def cancel() -> "tuple[Cancel, Bucket]":
    config = settings.SubmitSettings.read(os.environ)
    return parts.cancel(config), parts.bucket(config.bucket_name, parts.OUTPUT_URL_LIFETIME)


@cache
def submit() -> "tuple[Submit, SubmissionsQueue]":
    config = settings.SubmitSettings.read(os.environ)
    return parts.submit(config), parts.submissions(config.submissions_queue_url)


@cache
def webhook() -> "ReceiveWebhook":
    from storyhook.aws.predictions import PredictionTable
    from storyhook.usecases.receive import ReceiveWebhook
    from storyhook.wiring import webhooks

    config = settings.WebhookSettings.read(os.environ)
    return ReceiveWebhook(
        predictions=PredictionTable(parts.table(config.table_name)),
        reader=webhooks.reader(config),
        settle=parts.settle(config),
        clock=parts.clock,
    )


@cache
def reconcile() -> "Reconcile":
    from storyhook import metrics
    from storyhook.aws.callbacks import CallbackTable
    from storyhook.aws.exports import ExportTable
    from storyhook.aws.predictions import PredictionTable
    from storyhook.aws.queues import CallbacksQueue, ExportsQueue
    from storyhook.aws.storyboards import StoryboardTable
    from storyhook.usecases.reconcile import Reconcile

    config = settings.ReconcileSettings.read(os.environ)
    table = parts.table(config.table_name)
    return Reconcile(
        due=table,
        predictions=PredictionTable(table),
        storyboards=StoryboardTable(table),
        callbacks=CallbackTable(table),
        submissions=parts.submissions(config.submissions_queue_url),
        callback_queue=CallbacksQueue(parts.client("sqs"), config.callbacks_queue_url),
        exports=ExportTable(table),
        export_queue=ExportsQueue(parts.client("sqs"), config.exports_queue_url),
        workflow=parts.workflow(config.state_machine_arn),
        provider=parts.provider(config),
        settle=parts.settle(config),
        submit=parts.submit(config),
        assemble=parts.assemble(config),
        cancel=parts.cancel(config),
        clock=parts.clock,
        late=metrics.late,
    )


@cache
def callback() -> "Deliver":
    from storyhook.aws.addresses import AddressTable
    from storyhook.aws.callback_secrets import SecretVersionTable
    from storyhook.aws.callbacks import CallbackTable
    from storyhook.aws.queues import CallbacksQueue
    from storyhook.aws.secrets import Secrets
    from storyhook.providers.callbacks import CallbackSigner
    from storyhook.usecases.deliver import Deliver
    from storyhook.web.sender import HttpSender

    config = settings.CallbackSettings.read(os.environ)
    secrets = Secrets(parts.client("ssm"), config.secrets_prefix)
    table = parts.table(config.table_name)
    return Deliver(
        callbacks=CallbackTable(table),
        addresses=AddressTable(table),
        queue=CallbacksQueue(parts.client("sqs"), config.callbacks_queue_url),
        sender=HttpSender(parts.guard(config.allow_loopback_http), parts.clock),
        signer=CallbackSigner(
            lambda: secrets.all("signing-key"), SecretVersionTable(table).get, parts.clock
        ),
        clock=parts.clock,
        random=random.random,
    )


@cache
def choose() -> "ChooseCandidate":
    from storyhook.wiring import choosing

    return choosing.chooser(settings.AssembleSettings.read(os.environ))


@cache
def export() -> "MakeExport":
    from storyhook.wiring import exports

    return exports.maker(settings.ExportSettings.read(os.environ))


@cache
def assemble() -> "AssembleStoryboard":
    return parts.assemble(settings.AssembleSettings.read(os.environ))
