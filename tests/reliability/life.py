"""Any order of anything that may happen to a prediction, found by hypothesis.

One prediction of fal or Replicate, alone or as the scene of a board, with a fallback or not. Each
rule is one thing that happens; the next invocation may die, or AWS fail it, at any boundary.
Whatever the order: no status goes backward, no end changes, no row has two jobs, an event has one
callback id; and in the end all is over and told.
"""

import json
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from storyhook.domain.errors import BadSignature, DownloadFailed
from storyhook.domain.outcome import (
    Failed,
    Failure,
    FailureKind,
    NotCreated,
    Outcome,
    OutcomeUnknown,
    Pending,
    Submission,
)
from storyhook.domain.prediction import MAX_STORE_ATTEMPTS
from tests.fixtures import cloud as clouds
from tests.fixtures import makers, signing
from tests.fixtures.world import THROTTLED, UNAVAILABLE
from tests.reliability.boundaries import Fault, Tracer, watched
from tests.reliability.jobs import BROKEN, PICTURE, UNTOLD, Job
from tests.reliability.outside import PARTS, Run
from tests.reliability.stories import REFUSED
from tests.reliability.wishes import wanted

BLOCKED = Failed(Failure(FailureKind.BLOCKED, "no", "content_policy_violation"))
# What the provider answers to a submission; None is that it takes the job.
ANSWERS: dict[str, Submission | None] = {
    "accepted": None,
    "throttled": NotCreated(THROTTLED, 20),
    "unavailable": NotCreated(UNAVAILABLE),
    "unknown": OutcomeUnknown("reset"),
    "rejected": REFUSED,
}
ENDS: dict[str, Outcome] = {
    "picture": PICTURE,
    "untold picture": UNTOLD,
    "failure": BROKEN,
    "blocked": BLOCKED,
}
ENDLESS = 10**6


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.failed_copies = 0

    def begin(self) -> None:
        cloud = self.stack.enter_context(clouds.running())
        self.tracer = Tracer(faults={})
        self.life = Run(cloud, self.tracer)
        self.stack.enter_context(self.life.ledger.watching())
        self.stack.enter_context(watched(self.tracer, PARTS))
        # Jobs end, and webhooks come, when a rule says so.
        self.life.provider.ends = [Pending()] * 20
        self.life.lost_webhooks = ENDLESS
        self.life.world.characters.replace(makers.character(), None)

    @initialize(
        model=st.sampled_from(["fal-flux2-pro", makers.REPLICATE]),
        kind=st.sampled_from(["single", "board", "fallback", "fallback also if blocked"]),
        answers=st.lists(st.sampled_from(sorted(ANSWERS)), max_size=3),
        twice=st.booleans(),
        early=st.sampled_from([None, None, *sorted(ENDS)]),
    )
    def somebody_asks(
        self, model: str, kind: str, answers: list[str], twice: bool, early: str | None
    ) -> None:
        self.begin()
        self.answers(answers)
        self.life.twice = twice
        if early:  # Its webhook comes before the answer to the submission.
            self.life.provider.seconds = 0
            begins = self.life.provider.on_created

            def at_once(job: Job) -> None:
                begins(job)
                self.life.provider.on_created = begins
                job.ends = ENDS[early]
                self.life.job_ends(job)
                self.life.deliver_webhook(job, ())

            self.life.provider.on_created = at_once
        if kind == "single":
            self.life.ask(model)
            return
        other = makers.REPLICATE if model != makers.REPLICATE else "rep-flux-schnell"
        self.life.board(
            wanted(
                1,
                model,
                fallback_models=(other,) if kind != "board" else (),
                fallback_on_block=kind == "fallback also if blocked",
                queue_timeout_seconds=120,
            )
        )

    def answers(self, names: list[str]) -> None:
        # "accepted" is what an empty list gives.
        self.life.provider.answers = [a for name in names if (a := ANSWERS[name]) is not None]

    # --- the provider ---

    @rule(names=st.lists(st.sampled_from(sorted(ANSWERS)), max_size=2))
    def the_provider_will_answer(self, names: list[str]) -> None:
        self.answers(names)

    def jobs(self) -> list[Job]:
        return self.life.provider.jobs

    @precondition(lambda self: any(isinstance(job.ends, Pending) for job in self.jobs()))
    @rule(how=st.sampled_from(sorted(ENDS)), told=st.booleans())
    def a_job_ends(self, how: str, told: bool) -> None:
        job = next(job for job in self.jobs() if isinstance(job.ends, Pending))
        job.ends, job.ready_at = ENDS[how], self.life.clock()
        self.life.job_ends(job)
        if told:
            self.life.deliver_webhook(job, ())

    @precondition(lambda self: any(not isinstance(job.ends, Pending) for job in self.jobs()))
    @rule(which=st.integers(0, 3), form=st.sampled_from(["as it is", "stale", "forged"]))
    def a_webhook_comes(self, which: int, form: str) -> None:
        """Again, late, or for the first time."""
        over = [job for job in self.jobs() if not isinstance(job.ends, Pending)]
        job = over[which % len(over)]
        if form == "as it is":
            self.life.deliver_webhook(job, ())
            return
        provider, tail = job.path
        data = json.dumps(job.body).encode()
        old = self.life.clock() - timedelta(seconds=301 if form == "stale" else 0)
        headers = signing.SIGNERS[provider](data, at=old)
        receive = self.life.world.receive
        if form == "stale":
            self.life.invoke("webhook", lambda: receive(provider, tail, headers, data))
            return
        with self.life.ledger.forgery("a changed body"):
            try:
                receive(provider, tail, headers, data + b" ")
            except BadSignature:
                return
        raise AssertionError("a forged webhook was taken")

    # --- us ---

    @rule()
    def the_next_thing_happens(self) -> None:
        """A message comes, or the reconciler, whichever is first."""
        self.life.step()

    @rule()
    def a_message_comes_once_more(self) -> None:
        for row_id in self.row_ids()[-1:]:
            self.life._submit({"prediction_id": row_id}, 20)

    @rule()
    def the_reconciler_runs(self) -> None:
        self.life.sweep()

    @rule(seconds=st.sampled_from([10, 100, 1000, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.life.clock.advance(seconds=seconds)

    @rule(boundary=st.integers(0, 12), fault=st.sampled_from(Fault))
    def something_will_break(self, boundary: int, fault: Fault) -> None:
        self.tracer.faults = {len(self.tracer.trace) + boundary: fault}

    @rule(boundary=st.integers(0, 12))
    def everything_will_come_in_the_middle(self, boundary: int) -> None:
        """Webhooks, messages and the reconciler, while the next invocation is at a boundary."""
        at = len(self.tracer.trace) + boundary
        self.tracer.meanwhile = {at: self.come_again}

    def come_again(self) -> None:
        over = [job for job in self.jobs() if not isinstance(job.ends, Pending)]
        for job in over:
            self.life.deliver_webhook(job, ())
        self.a_message_comes_once_more()
        self.life.sweep()

    # One more, and the picture is given up, as it should be.
    @precondition(lambda self: self.failed_copies + 1 < MAX_STORE_ATTEMPTS)
    @precondition(lambda self: any(job.makes_picture for job in self.jobs()))
    @rule()
    def a_picture_cannot_be_copied_now(self) -> None:
        pictures = self.life.world.pictures.files
        [*_, url] = [job.url for job in self.jobs() if job.makes_picture]
        there = pictures[url]
        self.failed_copies += 1
        pictures[url] = DownloadFailed("answered 503", retryable=True)
        self.life.step()
        pictures[url] = there

    # --- the customer ---

    @rule(answers=st.lists(st.sampled_from([500, None, 302, 429, 410]), max_size=2))
    def the_customer_will_answer(self, answers: list[int | None]) -> None:
        self.life.world.customer.answers = [*answers]

    # --- always ---

    def row_ids(self) -> list[str]:
        items = self.life.ledger.items
        return [pk.partition("#")[2] for pk, sk in items if sk == "PRED"]

    @invariant()
    def no_step_is_wrong(self) -> None:
        assert dict(self.life.ledger.wrong) == {}

    @invariant()
    def no_row_has_two_jobs(self) -> None:
        rows = Counter(job.row_id for job in self.life.ledger.jobs.values())
        assert not [row_id for row_id, count in rows.items() if count > 1]

    @invariant()
    def no_event_has_two_callbacks(self) -> None:
        items = self.life.ledger.items.items()
        subjects = [item["subject_id"]["S"] for (_, sk), item in items if sk == "CB"]
        assert len(set(subjects)) == len(subjects)

    def teardown(self) -> None:
        """Nothing breaks any more. Jobs that are still running are told to stop when it is time."""
        try:
            self.tracer.faults, self.tracer.meanwhile = {}, {}
            self.life.provider.answers.clear()
            self.life.until_quiet()
            self.life.judge()
            assert self.life.wrong == []
        finally:
            self.stack.close()


def live(examples: int, steps: int) -> None:
    """So many lives of so many things each; always the same ones."""
    # A shorter example is not worth minutes of replays.
    phases = [Phase.explicit, Phase.generate]
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=phases,
        # The same outside of pytest, where no profile is loaded.
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(Life, settings=chosen)
