"""Stories of callers who change their mind, agree to pay again, or want to hear of everything."""

from storyhook.domain.callback import EVENTS
from storyhook.domain.idempotency import Asked
from storyhook.domain.outcome import (
    Accepted,
    NotCreated,
    OutcomeUnknown,
    Pending,
    ProviderHandle,
)
from storyhook.domain.requests import CharacterRequest, StoryboardRequest
from storyhook.domain.story import Look
from tests.fixtures import makers
from tests.fixtures.world import CALLBACK_URL, THROTTLED
from tests.reliability.jobs import BROKEN, Job
from tests.reliability.outside import Run


def wanted(scenes: int, model: str = makers.REPLICATE, **asked: object) -> StoryboardRequest:
    """A board of Elena, who comes with it."""
    elena = CharacterRequest("elena", "Elena", "red hair", None, "character", ())
    given = {
        "title": "The map",
        "model": model,
        "scenes": tuple(makers.scene(id=f"scene-{n}", position=n) for n in range(1, scenes + 1)),
        "characters": (elena,),
        "look": Look(),
        "seed": 7,
        "callback_url": CALLBACK_URL,
    }
    return StoryboardRequest(**{**given, **asked})  # type: ignore[arg-type]


def cancel_queued(run: Run) -> None:
    """It is throttled, and not wanted any more when its turn would come."""
    run.provider.answers = [NotCreated(THROTTLED, 40)]
    run.ask()
    run.cancel()


def cancel_running(run: Run) -> None:
    run.provider.ends = [Pending()]
    run.ask()
    run.cancel()


def cancel_too_late(run: Run) -> None:
    """The provider has made the picture, and its webhook is on its way."""
    run.provider.seconds = 0
    run.ask()
    run.cancel()


def cancel_while_sending(run: Run) -> None:
    """Asked for while the POST is under way."""
    run.provider.ends = [Pending()]
    begins = run.provider.on_created

    def meanwhile(job: Job) -> None:
        begins(job)
        run.cancel_what_is_being_sent()

    run.provider.on_created = meanwhile
    run.ask(makers.REPLICATE)


def cancel_unknown(run: Run) -> None:
    """Nobody knows whether there is a job; when it is found, it is told to stop."""
    run.lost_webhooks = 1
    run.provider.answers = [OutcomeUnknown("reset")]
    run.provider.ends = [Pending()]
    run.ask(makers.REPLICATE)
    run.cancel()


def cancel_board(run: Run) -> None:
    """One scene is under way, one still waits."""
    run.provider.ends = [Pending()]
    run.provider.answers = [Accepted(ProviderHandle("job-1")), NotCreated(THROTTLED, 40)]
    run.board(wanted(2))
    run.step()
    run.step()
    run.cancel()


def pays_again(run: Run) -> None:
    """The answer is lost and no webhook comes; the caller had agreed to pay once more."""
    run.lost_webhooks = 1
    run.provider.answers = [OutcomeUnknown("reset")]
    run.ask(makers.FAL, max_paid_attempts=2)
    run.clock.advance(hours=1)


KEY = Asked("k-1", "a hash of the body")


def asks_with_a_key(run: Run) -> None:
    """Twice, since the first answer might have got lost."""
    run.asked_once = 1
    run.ask(asked=KEY)
    run.ask(asked=KEY)


def asks_with_a_key_in_vain(run: Run) -> None:
    """The table refuses the row; the key is held until the request is over for certain."""
    run.asked_once = 1
    run.tracer.outage["RequestPrediction.accept dynamodb.PutItem"] = 1
    run.ask(asked=KEY)


def board_with_a_key(run: Run) -> None:
    """Half of it is written when the table refuses the rest."""
    run.asked_once = 2
    run.tracer.outage["CreateStoryboard.__call__ dynamodb.PutItem"] = 1
    run.board(wanted(2), asked=KEY)


def hears_it_again(run: Run) -> None:
    """Their server took the callback and lost it."""
    run.ask()
    while run.step():
        pass
    run.send_again()


def hears_of_everything(run: Run) -> None:
    """A scene that falls back, and one that does not: each event once, in order."""
    run.provider.ends = [BROKEN]
    run.board(
        wanted(2, "fal-flux2-pro", fallback_models=("rep-flux2-pro",), callback_events=EVENTS)
    )
