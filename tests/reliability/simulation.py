"""A run: real use cases and adapters, in virtual time, with everything going wrong.

Callers ask for pictures and boards; functions run, die and run in each other's middle; at the end
the ledger says what became of it all. The same seed and mix make the same run.
"""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from storyhook.aws.queues import CallbacksQueue, SubmissionsQueue
from storyhook.aws.workflow import StepFunctions
from storyhook.domain.access import ApiKey
from storyhook.domain.callback import EVENTS
from storyhook.domain.requests import PredictionRequest, StoryboardRequest
from storyhook.domain.story import Look, Scene
from tests.fixtures import makers
from tests.fixtures.clock import Clock, Entropy
from tests.fixtures.cloud import STATE_MACHINE, Cloud
from tests.fixtures.world import World
from tests.reliability.customers import Customers
from tests.reliability.faults import Faults, Mix
from tests.reliability.ledger import Ledger
from tests.reliability.providers import Pictures, Providers
from tests.reliability.services import Queue, Sqs, StepFunctionsClient
from tests.reliability.timeline import Timeline
from tests.reliability.webhooks import Webhooks

# A prediction is asked for every so many seconds, on average.
_PACE = 3.0
_MODELS = ("fal-flux2-pro-edit", "fal-flux2-turbo-edit", "rep-flux2-pro", "rep-flux2-dev")
_CHEAPEST, _UNPRICED = "fal-flux2-turbo-edit", "rep-flux2-dev"
_ASKS_AGAIN = 3
# Of boards with an even number of pictures, so many have two for each scene, to choose from.
_SEVERAL = 0.5
# So many ask with a key whose money may not last to the end, or for boards with a max_cost.
_LIMITED = 0.4
_LIMITED_KEY = ApiKey("key_limited", "acme")
_DEAREST = Decimal("0.0450")


@dataclass
class Simulation:
    cloud: Cloud
    seed: int
    predictions: int
    mix: Mix
    longest: timedelta = timedelta(days=6)
    """Of virtual time. The ten tries of a callback that nobody takes are over after 76 hours."""
    progress: Callable[[int], None] = lambda _asked: None
    asked: int = 0
    numbers: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.clock = Clock()
        self.purses = random.Random(f"money {self.seed}")
        self.faults = Faults(self.mix, random.Random(f"faults {self.seed}"))
        self.ledger = Ledger(self.cloud, self.clock)
        self.timeline = Timeline(self.clock, self.faults, self.random, self._sweep)
        self.ledger.on_write = self.timeline.due
        self.faults.between = self._between
        self.providers = Providers(self.timeline, self.faults, self.ledger)
        self.world = self._world()
        webhooks = Webhooks(self.timeline, self.faults, self.ledger, self.world.receive)
        self.providers.began = webhooks.began
        self.providers.tell = webhooks.ended
        self.providers.early = webhooks.early

    def _world(self) -> World:
        """The house, with its two queues and its workflow in virtual time."""
        world = World(
            self.cloud,
            self.clock,
            provider=self.providers,  # type: ignore[arg-type]
            pictures=Pictures(self.providers),  # type: ignore[arg-type]
            entropy=Entropy(f"seed {self.seed}"),
        )
        world.customer = Customers(self.timeline, self.faults, self.ledger)  # type: ignore[assignment]
        self.submissions = Queue(self.timeline, self.faults, "SubmissionsQueue", self._submission)
        self.callbacks = Queue(self.timeline, self.faults, "CallbacksQueue", self._callback)
        urls = {
            self.cloud.submissions_url: self.submissions,
            self.cloud.callbacks_url: self.callbacks,
        }
        sqs = Sqs(urls, self.faults)
        self.workflow = StepFunctionsClient(
            self.timeline,
            self.faults,
            self.ledger,
            self.submissions,
            lambda i: world.assemble(i),
            lambda i, n: world.choose(i, n),
        )
        world.submissions = SubmissionsQueue(sqs, self.cloud.submissions_url)
        world.callback_queue = CallbacksQueue(sqs, self.cloud.callbacks_url)
        outbox = replace(world.tell.outbox, queue=world.callback_queue)
        world.tell = replace(world.tell, outbox=outbox)
        world.workflow = StepFunctions(self.workflow, STATE_MACHINE)
        return world

    def run(self) -> None:
        """From the first request until nothing is left to happen."""
        self.world.characters.replace(makers.character(), None)
        limit = _DEAREST * self.predictions * Decimal(str(_LIMITED))
        self.world.keys.add(makers.issued(_LIMITED_KEY, max_cost_per_month=limit))
        self._plan_requests()
        with self.ledger.watching(), self.faults.in_aws_calls():
            self.timeline.run(self.longest)

    # --- callers ---

    def _plan_requests(self) -> None:
        at, left = 0.0, self.predictions
        big = 45 if left >= 500 else 0  # One board of more scenes than run side by side.
        while left:
            size = 1
            if big:
                size, big = big, 0
            elif self.random.random() < 0.12:
                size = min(left, self.random.randint(2, 9))
            ask = self._ask_board if size > 1 else self._ask_prediction
            self.timeline.after(at, lambda ask=ask, size=size: ask(size))  # type: ignore[misc]
            left -= size
            at += self.random.expovariate(1 / (_PACE * size))

    def _ask_prediction(self, _size: int, tries: int = 1) -> None:
        url = self.world.customer.address() if self.random.random() < 0.5 else None  # type: ignore[attr-defined]
        wanted = PredictionRequest(
            self.random.choice(_MODELS),
            _scene(0, next(self.numbers)),
            Look(),
            None,
            url,
            max_paid_attempts=1 + self.faults.happens("pays_again"),
        )
        key = self._key()

        def create() -> None:
            # As functions/create_prediction: once accepted, an error is no refusal.
            row = self.world.request.accept(key, wanted, self.world.origin())
            self._perhaps_cancel(lambda: self.world.cancel.prediction(row.tenant, row.id))
            self.timeline.function(lambda: self.world.request.send(row))

        self._ask(create, 1, tries, lambda: self._ask_prediction(1, tries + 1))

    def _ask_board(self, size: int, tries: int = 1) -> None:
        key, max_cost = self._key(), self._max_cost(size)
        names = self.random.sample(_MODELS, 3)
        if max_cost or key is _LIMITED_KEY:
            names = [name for name in names if name != _UNPRICED]
        if max_cost:
            names = [_CHEAPEST, *(name for name in names if name != _CHEAPEST)]
        first, *others = names
        candidates = 2 if size in (2, 4, 6, 8) and self.purses.random() < _SEVERAL else 1
        some = self.random.random()
        wanted = StoryboardRequest(
            "The map",
            first,
            tuple(_scene(n, next(self.numbers)) for n in range(1, size // candidates + 1)),
            (),
            Look(),
            7,
            self.world.customer.address() if self.random.random() < 0.7 else None,  # type: ignore[attr-defined]
            fallback_models=tuple(others) if some < 0.6 else (),
            fallback_on_block=some < 0.3,
            max_paid_attempts=1 + self.faults.happens("pays_again"),
            callback_events=tuple(self.random.sample(EVENTS, self.random.randint(1, 3))),
            max_cost=max_cost,
            candidates=candidates,
        )

        def create() -> None:
            board, _ = self.world.create_board(key, wanted, self.world.origin())
            self._perhaps_cancel(
                lambda: self.world.cancel.storyboard(board.tenant, board.id, lambda: True)
            )

        self._ask(
            create,
            size,
            tries,
            lambda: self._ask_board(size, tries + 1),
        )

    def _key(self) -> ApiKey:
        return _LIMITED_KEY if self.purses.random() < _LIMITED else makers.KEY

    def _max_cost(self, size: int) -> Decimal | None:
        """Of some boards: enough for scenes of the cheapest model, not for each dearer fallback."""
        if self.purses.random() > _LIMITED:
            return None
        return size * Decimal(self.purses.choice(("0.0160", "0.0200", "0.0300")))

    def _ask(
        self, create: Callable[[], Any], size: int, tries: int, again: Callable[[], None]
    ) -> None:
        lived, _ = self.timeline.function(create)
        if lived or tries >= _ASKS_AGAIN:
            self.asked += size
            self.progress(self.asked)
        else:
            self.timeline.soon(1, 10, again)

    def _perhaps_cancel(self, cancel: Callable[[], Any]) -> None:
        """Its caller changes their mind within two minutes, and asks until it is answered."""
        if not self.faults.happens("canceled"):
            return

        def ask(tries: int = 1) -> None:
            lived, _ = self.timeline.function(cancel)
            if not lived and tries < _ASKS_AGAIN:
                self.timeline.soon(1, 10, lambda: ask(tries + 1))

        self.timeline.soon(0, 120, ask)

    # --- functions ---

    def _submission(self, message: dict[str, Any], receipt: str) -> bool:
        prediction_id = message["prediction_id"]
        wait = self.world.submit.from_queue(prediction_id, message.get("task_token"))
        if wait is not None:
            self.world.submissions.defer(receipt, wait)
        return wait is None

    def _callback(self, message: dict[str, Any], _receipt: str) -> bool:
        self.world.deliver(message["callback_id"], message["turn"])
        return True

    def _sweep(self) -> None:
        self.timeline.function(lambda: self.world.reconcile(lambda: True))

    def _between(self) -> None:
        if self.ledger.forging is None:
            self.timeline.alongside()


def _scene(position: int, number: int) -> Scene:
    return makers.scene(
        id=f"scene-{number}", position=position, description=f"Elena reads map {number}"
    )
