"""Short stories that together walk every use case, each from a request until nothing is due."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import batched

from moto.sqs.models import sqs_backends
from moto.stepfunctions.models import stepfunctions_backends

from storyhook.aws import clients
from storyhook.domain.callback import SCENE_COMPLETED, STORYBOARD_COMPLETED
from storyhook.domain.errors import DownloadFailed
from storyhook.domain.outcome import (
    Failure,
    FailureKind,
    NotCreated,
    OutcomeUnknown,
    Pending,
    Rejected,
)
from storyhook.domain.requests import CharacterRequest, ReferenceRequest
from tests.fixtures import makers
from tests.fixtures.cloud import BUCKET, TABLE, Cloud
from tests.fixtures.pictures import picture
from tests.fixtures.world import THROTTLED, UNAVAILABLE
from tests.reliability import money, shelf, wishes
from tests.reliability.boundaries import Fault, Tracer, watched
from tests.reliability.jobs import BROKEN, UNTOLD, Job
from tests.reliability.ledger import ACCOUNT
from tests.reliability.outside import PARTS, REFERENCE_URL, Run
from tests.reliability.wishes import wanted

REFUSED = Rejected(Failure(FailureKind.INVALID_INPUT, "no such size", "value_error"))


@dataclass(frozen=True, eq=False)
class Story:
    """`ends`: how many predictions end how, when nothing dies."""

    name: str
    tell: Callable[[Run], None]
    ends: Mapping[str, int]
    webhooks: bool = True

    def play(
        self,
        cloud: Cloud,
        faults: Mapping[int, Fault] | None = None,
        sweep_minutes: int = 1,
        meanwhile: Mapping[int, Callable[[Run], object]] | None = None,
    ) -> Run:
        """Tell it with these faults, and see it through. The cloud is as new before and after."""
        tracer = Tracer(faults or {})
        run = Run(cloud, tracer, self.webhooks, sweep_minutes=sweep_minutes)
        for number, happens in (meanwhile or {}).items():
            tracer.meanwhile[number] = partial(happens, run)
        elena = makers.character()
        with run.ledger.watching(), watched(tracer, PARTS):
            try:
                if not self.webhooks:
                    elena = makers.character(references=1)
                    run.world.images.put(elena.references[0].key, picture(), "image/png")
                run.world.characters.replace(elena, None)
                self.tell(run)
                run.until_quiet()
                run.judge()
            finally:
                _clear(run)
        return run


def _clear(run: Run) -> None:
    """Delete what the run has written: many times faster than another cloud."""
    deletes = [
        {"DeleteRequest": {"Key": {"pk": {"S": pk}, "sk": {"S": sk}}}}
        for pk, sk in run.ledger.items
    ]
    dynamodb, s3 = clients.client("dynamodb"), clients.client("s3")
    for some in batched(deletes, 25, strict=False):
        dynamodb.batch_write_item(RequestItems={TABLE: list(some)})
    found = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    if found:
        objects = [{"Key": entry["Key"]} for entry in found]
        s3.delete_objects(Bucket=BUCKET, Delete={"Objects": objects})
    for url in (run.cloud.submissions_url, run.cloud.callbacks_url):
        sqs_backends[ACCOUNT]["us-east-1"].queues[url.rpartition("/")[2]]._messages.clear()
    for machine in stepfunctions_backends[ACCOUNT]["us-east-1"].state_machines:
        machine.executions.clear()
    run.cloud.calls.clear()


def fal(run: Run) -> None:
    run.ask(makers.FAL)


def replicate_all_twice(run: Run) -> None:
    """Every webhook and every message comes twice."""
    run.twice = True
    run.ask(makers.REPLICATE)


def webhook_before_answer(run: Run) -> None:
    run.provider.seconds = 0
    begins = run.provider.on_created

    def at_once(job: Job) -> None:
        begins(job)
        run.step()

    run.provider.on_created = at_once
    run.ask()


def webhook_lost(run: Run) -> None:
    run.lost_webhooks = 1
    run.ask()


def answer_and_webhook_lost(run: Run) -> None:
    run.lost_webhooks = 1
    run.provider.answers = [OutcomeUnknown("reset")]
    run.ask(makers.REPLICATE)


def answer_lost_for_ever(run: Run) -> None:
    """Nobody can find the job: it ends by saying so, and is not sent again."""
    run.lost_webhooks = 1
    run.provider.answers = [OutcomeUnknown("reset")]
    run.ask(makers.FAL)
    run.clock.advance(hours=1)


def answer_lost_webhook_without_result(run: Run) -> None:
    """Only the webhook names the job, and one has to ask for the picture."""
    run.provider.answers = [OutcomeUnknown("reset")]
    run.provider.ends = [UNTOLD]
    run.ask(makers.FAL)


def webhook_without_result(run: Run) -> None:
    run.provider.ends = [UNTOLD]
    run.ask(makers.FAL)


def throttled(run: Run) -> None:
    run.provider.answers = [NotCreated(THROTTLED, 7), NotCreated(UNAVAILABLE)]
    run.ask()


def message_lost(run: Run) -> None:
    run.provider.answers = [NotCreated(UNAVAILABLE)]
    run.lost_messages["submissions"] = 1
    run.ask()


def refused(run: Run) -> None:
    run.provider.answers = [REFUSED]
    run.ask()


def customer_refuses(run: Run) -> None:
    run.world.customer.answers = [500, None]
    run.ask()


def customer_is_gone(run: Run) -> None:
    run.world.customer.answers = [410]
    run.ask()


def callback_message_lost(run: Run) -> None:
    run.lost_messages["callbacks"] = 1
    run.ask()


def copying_fails(run: Run) -> None:
    url = "https://v3b.fal.media/files/b/panda/job-1.png"
    run.world.pictures.files[url] = DownloadFailed("answered 503", retryable=True)
    run.ask()
    run.step()
    run.world.pictures.files[url] = picture(65, 48)


def webhook_names_no_job(run: Run) -> None:
    """Its picture cannot be copied at first, and then somebody has to look for the job."""
    run.provider.answers = [OutcomeUnknown("reset")]
    run.provider.nameless = True
    url = "https://v3b.fal.media/files/b/panda/job-1.png"
    run.world.pictures.files[url] = DownloadFailed("answered 503", retryable=True)
    run.ask(makers.REPLICATE)
    run.step()
    run.world.pictures.files[url] = picture(65, 48)


def expires(run: Run) -> None:
    """It is told to stop at its deadline, and does."""
    run.provider.ends = [Pending()]
    run.ask()
    run.clock.advance(hours=1)  # The reconciler was off, too: this story is about the deadline.


def never_stops(run: Run) -> None:
    """Neither finished nor stopped, long after its deadline."""
    run.provider.ends, run.provider.stops = [Pending()], False
    run.ask()
    run.clock.advance(hours=1, minutes=25)


def provider_is_silent(run: Run) -> None:
    """At the deadline nobody answers, and later somebody does."""
    run.lost_webhooks, run.provider.silences = 1, 3
    run.ask()
    run.clock.advance(hours=1, minutes=25)


def board(run: Run) -> None:
    references = (ReferenceRequest(REFERENCE_URL, "face", "front"),)
    elena = CharacterRequest("elena", "Elena", "red hair", None, "character", references)
    run.board(wanted(2, characters=(elena,)))


def board_fails_in_part(run: Run) -> None:
    """One scene gives a picture, one does not; all messages and webhooks come twice."""
    run.twice = True
    run.provider.ends = [BROKEN]
    run.board(wanted(2))


def board_falls_back(run: Run) -> None:
    run.provider.ends = [BROKEN]
    run.board(wanted(1, "fal-flux2-pro", fallback_models=("rep-flux2-pro",)))


def board_waits_too_long(run: Run) -> None:
    """The first model is never free; its fallback is."""
    run.provider.answers = [NotCreated(THROTTLED, 40)] * 2
    fallbacks = ("rep-flux2-pro",)
    run.board(wanted(1, "fal-flux2-pro", fallback_models=fallbacks, queue_timeout_seconds=60))


def board_is_not_started(run: Run) -> None:
    run.tracer.outage["CreateStoryboard.__call__ stepfunctions.StartExecution"] = 1
    run.board(wanted(1))


def board_is_not_assembled(run: Run) -> None:
    run.assembles = False
    run.board(wanted(1))


def board_with_candidates(run: Run) -> None:
    """Three pictures of a scene: one fails, and of the others one is chosen."""
    for reference in makers.character().references:
        run.world.images.put(reference.key, picture(), "image/png")
    run.provider.ends = [BROKEN]
    run.board(wanted(1, candidates=3, callback_events=(SCENE_COMPLETED, STORYBOARD_COMPLETED)))


def board_is_not_chosen_for(run: Run) -> None:
    run.assembles = False
    run.board(wanted(1, candidates=2))


def board_is_half_written(run: Run) -> None:
    """Its rows, but not the board: nothing was accepted. Asked for again, it is made."""
    run.tracer.outage["CreateStoryboard.__call__ dynamodb.PutItem"] = 1
    run.board(wanted(1))


def without_webhooks(run: Run) -> None:
    """A laptop: references are uploaded, providers are asked."""
    run.ask()


def without_webhooks_answer_lost(run: Run) -> None:
    run.provider.answers = [OutcomeUnknown("reset")]
    run.ask()


GOOD, FAILED, EXPIRED, CANCELED = (
    {end: 1} for end in ("succeeded", "failed", "expired", "canceled")
)
STORIES = (
    Story("fal", fal, GOOD),
    Story("replicate, all twice", replicate_all_twice, GOOD),
    Story("webhook before the answer", webhook_before_answer, GOOD),
    Story("webhook lost", webhook_lost, GOOD),
    Story("answer and webhook lost", answer_and_webhook_lost, GOOD),
    Story("answer lost for ever", answer_lost_for_ever, EXPIRED),
    Story("answer lost, webhook without result", answer_lost_webhook_without_result, GOOD),
    Story("webhook without result", webhook_without_result, GOOD),
    Story("throttled", throttled, GOOD),
    Story("message lost", message_lost, GOOD),
    Story("refused", refused, FAILED),
    Story("customer refuses", customer_refuses, GOOD),
    Story("customer is gone", customer_is_gone, GOOD),
    Story("callback message lost", callback_message_lost, GOOD),
    Story("copying fails", copying_fails, GOOD),
    Story("webhook names no job", webhook_names_no_job, GOOD),
    Story("expires", expires, EXPIRED),
    Story("never stops", never_stops, EXPIRED),
    Story("provider is silent", provider_is_silent, GOOD),
    Story("cancel queued", wishes.cancel_queued, CANCELED),
    Story("cancel running", wishes.cancel_running, CANCELED),
    Story("cancel too late", wishes.cancel_too_late, GOOD),
    Story("cancel while sending", wishes.cancel_while_sending, CANCELED),
    Story("cancel unknown", wishes.cancel_unknown, CANCELED),
    Story("cancel board", wishes.cancel_board, {"canceled": 2}),
    Story("pays again", wishes.pays_again, GOOD),
    Story("asks with a key", wishes.asks_with_a_key, GOOD),
    Story("asks with a key, in vain", wishes.asks_with_a_key_in_vain, GOOD),
    Story("board with a key", wishes.board_with_a_key, {"succeeded": 2}),
    Story("hears it again", wishes.hears_it_again, GOOD),
    Story("hears of everything", wishes.hears_of_everything, {"failed": 1, "succeeded": 2}),
    Story("board", board, {"succeeded": 2}),
    Story("board fails in part", board_fails_in_part, {"failed": 1, "succeeded": 1}),
    Story("board falls back", board_falls_back, {"failed": 1, "succeeded": 1}),
    Story("board waits too long", board_waits_too_long, {"expired": 1, "succeeded": 1}),
    Story("board is not started", board_is_not_started, GOOD),
    Story("board is not assembled", board_is_not_assembled, GOOD),
    Story("board with candidates", board_with_candidates, {"succeeded": 2, "failed": 1}),
    Story("board is not chosen for", board_is_not_chosen_for, {"succeeded": 2}),
    Story("board is half written", board_is_half_written, GOOD),
    Story("library", shelf.library, {"succeeded": 2}),
    Story("picture within budget", money.picture_within_budget, GOOD),
    Story("no picture within budget", money.no_picture_within_budget, FAILED),
    Story("pays again within budget", money.pays_again_within_budget, GOOD),
    Story("board within budget", money.board_within_budget, {"failed": 1, "succeeded": 2}),
    Story("sheet within budget", money.sheet_within_budget, {"succeeded": 2}),
    Story("board may not fall back", money.board_may_not_fall_back, FAILED),
    Story("without webhooks", without_webhooks, GOOD, webhooks=False),
    Story("without webhooks, answer lost", without_webhooks_answer_lost, EXPIRED, webhooks=False),
)
BY_NAME = {story.name: story for story in STORIES}
# Those in whose middle everything else comes.
INTERRUPTED = tuple(
    BY_NAME[name]
    for name in ("fal", "webhook lost", "message lost", "copying fails", "board falls back")
)
