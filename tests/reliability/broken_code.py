"""What the mutants break: (what, promise, file, text, instead[, rates that show it sooner])."""

from typing import Any

FAULTS: list[tuple[Any, ...]] = [
    (
        "the reconciler does not look after rows whose copier died",
        "I1",
        "usecases/reconcile.py",
        "case Status.SUBMITTED | Status.STORING:",
        "case Status.SUBMITTED:",
        {"copy_fails": 0.2},
    ),
    (
        "a provider that cannot be asked just now counts as a failure",
        "I1",
        "usecases/cancel.py",
        "    except DownloadFailed:\n        return None",
        (
            "    except DownloadFailed:\n"
            "        from storyhook.domain.outcome import Failed, Failure, FailureKind\n"
            '        return Failed(Failure(FailureKind.UNAVAILABLE, "not reached"))'
        ),
        {"unreachable": 0.3},
    ),
    (
        "sent again when the answer to a submission is lost",
        "I2",
        "usecases/submit.py",
        "                pass  # `due_at` of the claim",
        "                self._release(row, self.clock())  # `due_at` of the claim",
        {"answer_lost": 0.3, "lost": 0.5},
    ),
    (
        "a row that is being sent can be claimed again",
        "I2",
        "domain/prediction.py",
        "Status.SUBMITTING: frozenset({Status.QUEUED}),",
        "Status.SUBMITTING: frozenset({Status.QUEUED, Status.SUBMITTING}),",
        {"answer_lost": 0.1, "message_doubled": 0.3},
    ),
    (
        "the answer to a submission is written whatever the row's status is",
        "I3",
        "aws/predictions.py",
        'where: dict[str, Any] = {"status": SOURCES[to].difference(unless)}',
        (
            "where: dict[str, Any] = "
            '{"status": SOURCES[to].difference(unless)} if to is not Status.SUBMITTED else {}'
        ),
        {"early": 0.1},
    ),
    (
        "storing may go back to submitted",
        "I3",
        "domain/prediction.py",
        "Status.SUBMITTED: frozenset({Status.QUEUED, Status.SUBMITTING}),",
        "Status.SUBMITTED: frozenset({Status.QUEUED, Status.SUBMITTING, Status.STORING}),",
        {"early": 0.2, "copy_fails": 0.4},
    ),
    (
        "a new callback id each time that an end is announced",
        "I4",
        "usecases/tell.py",
        "            callback_id=row.callback_id,",
        '            callback_id=f"{row.callback_id}{self.outbox.clock():%M%S}",',
        {"died": 0.02},
    ),
    (
        "a callback is written anew each time that its event is announced",
        "I4",
        "aws/callbacks.py",
        "return self.table.put(_item(callback), new=True)",
        "return self.table.put(_item(callback))",
        {"died": 0.02},
    ),
    (
        "the workflow is told before the row is committed",
        "I4",
        "usecases/settle.py",
        "        while True:\n",
        (
            "        from dataclasses import replace\n"
            "        early = {k: v for k, v in changes.items() if k == 'failure'}\n"
            "        self.announce.resume_workflow(replace(row, status=status, **early))\n"
            "        while True:\n"
        ),
        {"failed": 0.3, "rejected": 0.2},
    ),
    (
        "whatever a customer answers counts as delivered",
        "I5",
        "domain/callback.py",
        "return attempt.status_code is not None and 200 <= attempt.status_code < 300",
        "return True",
    ),
    (
        "callbacks whose message was lost are not queued again",
        "I5",
        "usecases/reconcile.py",
        "self.callback_queue.enqueue(callback_id, turn=claimed.turn)",
        "pass",
        {"died": 0.03},
    ),
    (
        "fal's signature is not checked",
        "I6",
        "providers/fal/webhook.py",
        "        if not verified:\n",
        "        if False:\n",
        {"forged": 0.3},
    ),
    (
        "Replicate's signature is not checked",
        "I6",
        "providers/signatures.py",
        "if any(hmac.compare_digest(expected, entry) for entry in given):",
        "if expected:",
        {"forged": 0.3},
    ),
    (
        "the secret in a webhook's URL is not checked",
        "I6",
        "usecases/receive.py",
        "            or not hmac.compare_digest(row.token.encode(), secret.encode())\n",
        "",
        {"forged": 0.3},
    ),
    (
        "what gave no picture keeps its reservation",
        "I7",
        "domain/prediction.py",
        "        taken = spent - self.hold.amount + (successor or 0)",
        "        taken = (spent - self.hold.amount if spent else spent) + (successor or 0)",
        {"failed": 0.3},
    ),
    (
        "money is settled apart from the row",
        "I7",
        "aws/predictions.py",
        '        as_seen, *enough = self.table.transact([{"Update": update}, *booked(booking)])',
        (
            "        as_seen, *enough = [\n"
            '            *self.table.transact([{"Update": update}]),\n'
            "            *self.table.transact(booked(booking)),\n"
            "        ]"
        ),
        {"died": 0.05},
    ),
    (
        "a fallback is tried whatever it costs",
        "I7",
        "aws/budgets.py",
        '"#left >= :taken" if booking.checked else "attribute_exists(#left)"',
        '"attribute_exists(#left)"',
        {"failed": 0.4},
    ),
    (
        "succeeded without the copy in the bucket",
        "I8",
        "usecases/settle.py",
        "        self.images.put(key, data, facts.content_type)\n",
        "",
    ),
    (
        "pictures of a tenant share a key",
        "I8",
        "usecases/settle.py",
        'key = f"images/{row.tenant}/{row.id}/{index}.{facts.extension}"',
        'key = f"images/{row.tenant}/{index}.{facts.extension}"',
    ),
    (
        "a board with one good scene is called succeeded",
        "boards",
        "domain/storyboard.py",
        "    if succeeded == len(states):",
        "    if succeeded:",
        {"failed": 0.3},
    ),
]
