"""Any order of anything that may happen to a prediction, found by hypothesis.

One prediction of fal or Replicate, alone or the scene of a board with a fallback. Each rule is one
thing that happens: a message, a webhook, a run of the reconciler, time; the next invocation may die
at any boundary. Whatever the order: no status goes backward, no end changes, no row is paid twice,
an event has one callback id; and in the end all is over and told.
"""

from contextlib import ExitStack
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from storyhook.domain.errors import BadSignature, DownloadFailed
from storyhook.domain.outcome import (
    Failed,
    Failure,
    FailureKind,
    NotCreated,
    OutcomeUnknown,
    Pending,
    ProviderHandle,
    Rejected,
)
from tests.fixtures import cloud as clouds
from tests.fixtures import makers, signing
from tests.fixtures.world import THROTTLED, UNAVAILABLE
from tests.reliability.boundaries import Fault, Tracer, watched
from tests.reliability.jobs import BROKEN, PICTURE, UNTOLD
from tests.reliability.outside import PARTS, Run
from tests.reliability.stories import REFUSED, two_models
