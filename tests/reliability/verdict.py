"""The invariants of docs/reliability.md, judged by a ledger at the end of a run. All must be 0."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import ClientError

from storyhook.aws import callbacks, clients, predictions, storyboards
from storyhook.domain.callback import (
    PREDICTION_COMPLETED,
    SCENE_COMPLETED,
    STORYBOARD_COMPLETED,
)
from storyhook.domain.outcome import FailureKind
from storyhook.domain.prediction import Prediction, Status
from storyhook.domain.storyboard import BoardScene, Storyboard
from tests.fixtures.cloud import BUCKET
from tests.reliability import books
from tests.reliability.ledger import Item, Job, Ledger

INVARIANTS = {
    "I1": "lost",
    "I2": "paid twice",
    "I3": "backward transitions",
    "I4": "wrong effects",
    "I5": "callbacks neither delivered nor visible as failed",
    "I6": "changed by a forged webhook",
    "I7": "budgets overspent, or whose books do not balance",
    "I8": "succeeded, but the picture is missing or another",
    "boards": "boards that ended wrong",
}
# These say of themselves that the picture may be paid for and is not here.
_SAYS_SO = {FailureKind.OUTCOME_UNKNOWN, FailureKind.LOST_RESULT, FailureKind.EXPIRED_AT_PROVIDER}


@dataclass(frozen=True)
class Verdict:
    wrong: dict[str, list[str]]
    """Invariant -> each time that it was broken, in words."""
    paid_for_nothing: list[str]
    """Pictures that could not be had, and whose rows say so: no broken promise, but a loss."""

    @property
    def counts(self) -> dict[str, int]:
        return {name: len(found) for name, found in self.wrong.items()}

    @property
    def holds(self) -> bool:
        return not any(self.wrong.values())


def verdict(ledger: Ledger) -> Verdict:
    return _Judge(ledger).judge()


class _Judge:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.wrong = {name: list(ledger.wrong.get(name, ())) for name in INVARIANTS}
        self.paid_for_nothing: list[str] = []
        self._scenes_of: dict[str, list[BoardScene]] = {}
        self.boards = {
            item["id"]["S"]: storyboards.BOARD.from_item(item) for item in self._items("SB")
        }
        rows = [predictions.MAPPER.from_item(item) for item in self._items("PRED")]
        # Rows of a board that was not written are not accepted; the reconciler removes them.
        self.rows = {
            row.id: row
            for row in rows
            if row.storyboard_id is None or row.storyboard_id in self.boards
        }
        self.jobs: dict[str, list[Job]] = defaultdict(list)
        for job in ledger.jobs.values():
            self.jobs[job.row_id].append(job)

    def judge(self) -> Verdict:
        for row in self.rows.values():
            self._ended(row)
            self._pictures(row)
        for row_id, jobs in self.jobs.items():
            accepted = self.rows.get(row_id)
            if len(jobs) > (accepted.max_paid_attempts if accepted else 1):
                self._note("I2", f"{row_id} was paid {len(jobs)} times")
        for board in self.boards.values():
            self._board(board)
        for token, told in self.ledger.resumed.items():
            if len(told) > 1:
                self._note("I4", f"task token {token} was told {sorted(told)}")
        self._callbacks()
        self.wrong["I7"] += books.wrong(self._items("BUDGET"), self.rows.values(), self.jobs)
        return Verdict(self.wrong, self.paid_for_nothing)

    def _items(self, kind: str) -> list[Item]:
        return [item for (_, sk), item in sorted(self.ledger.items.items()) if sk == kind]

    def _note(self, invariant: str, what: str) -> None:
        self.wrong[invariant].append(what)

    def _ended(self, row: Prediction) -> None:
        """I1: over at the end; and no picture was made, and could be had, but is not here."""
        if not row.status.terminal:
            self._note("I1", f"{row.id} is still {row.status.value}")
            return
        if row.due_at is not None:
            self._note("I1", f"{row.id} is {row.status.value} and still owes its announcement")
        if row.replaced_by and row.replaced_by not in self.rows:
            self._note("I1", f"{row.id} is replaced by a row that is not there")
        if row.status is Status.SUCCEEDED or row.failure is None:
            return
        for job in self.jobs[row.id]:
            if job.succeeded_at is None or _was_stopped(row, job.succeeded_at):
                continue
            kind = row.failure.kind
            in_time = job.succeeded_at <= row.deadline_at
            told = job.had_at is not None and job.had_at <= (row.completed_at or job.had_at)
            had = (told or job.findable or row.handle is not None) and not job.gone
            what = f"{row.id} ended as {kind.value}; {job.id} made its picture"
            if kind not in _SAYS_SO or (in_time and had):
                self._note("I1", what)
            else:
                self.paid_for_nothing.append(what)

    def _pictures(self, row: Prediction) -> None:
        """I8, and that they are this row's pictures under this row's keys (I4)."""
        if row.status is not Status.SUCCEEDED:
            return
        if not row.images:
            self._note("I8", f"{row.id} succeeded without a picture")
        jobs = {job.id for job in self.jobs[row.id]}
        handed_out = {sha for job, sha in self.ledger.pictures.values() if job in jobs}
        for index, image in enumerate(row.images):
            if not image.key.startswith(f"images/{row.tenant}/{row.id}/{index}."):
                self._note("I4", f"{row.id} has its picture under {image.key}")
            if image.sha256 not in handed_out:
                self._note("I8", f"{image.key} is a picture of no job of its row")
            data = _object(image.key)
            if data is None:
                self._note("I8", f"{image.key} is not in the bucket")
            elif (len(data), hashlib.sha256(data).hexdigest()) != (image.size_bytes, image.sha256):
                self._note("I8", f"{image.key} is not what its row says")

    def _board(self, board: Storyboard) -> None:
        """Its status is right for its scenes."""
        scenes = self._scenes(board)
        if len(scenes) != board.scene_count:
            self._note("boards", f"{board.id} has {len(scenes)} of {board.scene_count} scenes")
        ends = [self._scene_end(scene) for scene in scenes]
        good = ends.count("succeeded")
        wanted = "succeeded" if good == len(ends) else "partial" if good else "failed"
        asked = board.cancel_requested_at is not None
        if set(ends) == {"canceled"} or (asked and "canceled" in ends):
            wanted = "canceled"
        if board.status.value != wanted:
            self._note("boards", f"{board.id} is {board.status.value}, but its scenes {ends}")
        if board.due_at is not None:
            self._note("boards", f"{board.id} still owes something")

    def _scenes(self, board: Storyboard) -> list[BoardScene]:
        if board.id not in self._scenes_of:
            self._scenes_of[board.id] = [
                storyboards.SCENE.from_item(item)
                for (pk, sk), item in self.ledger.items.items()
                if pk == f"SB#{board.id}" and sk.startswith("SCENE#")
            ]
        return self._scenes_of[board.id]

    def _scene_end(self, scene: BoardScene) -> str:
        rows = [self.rows.get(row_id) for row_id in scene.predictions]
        succeeded = [row for row in rows if row and row.status is Status.SUCCEEDED]
        # One for each candidate, also of those that were replaced.
        if len({row.candidate for row in succeeded}) < len(succeeded):
            self._note("I2", f"scene {scene.id} has pictures of {[row.id for row in succeeded]}")
        if scene.chooses and succeeded:
            chosen = scene.choice.prediction_id if scene.choice else None
            if chosen not in {row.id for row in succeeded}:
                self._note("boards", f"scene {scene.id} has pictures, and shows {chosen}")
        last = rows[-1]
        return "succeeded" if succeeded else last.status.value if last else "missing"

    def _callbacks(self) -> None:
        """I4: one id per event, one body per id. I5: delivered, or visible as failed."""
        stored = {item["id"]["S"]: item for item in self._items("CB")}
        ids: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for callback_id, item in stored.items():
            event, subject, url = (item[name]["S"] for name in ("event", "subject_id", "url"))
            if event == SCENE_COMPLETED:
                subject += "/" + json.loads(callbacks.MAPPER.from_item(item).body)["data"]["id"]
            ids[event, subject, url].add(callback_id)
            self._callback_ended(callback_id, item["status"]["S"])
        self._numbered(stored.values())
        for event, found in ids.items():
            if len(found) > 1:
                self._note("I4", f"{event} has {len(found)} callback ids")
        for event in self._owed():
            if event not in ids:
                self._note("I5", f"{event} was never told")
        for callback_id, received in self.ledger.received.items():
            if callback_id not in stored:
                self._note("I4", f"{callback_id} was received, but there is no such callback")
            if len(received.bodies) > 1:
                self._note("I4", f"{callback_id} came with {len(received.bodies)} bodies")
            self._told_right(callback_id, received.bodies)

    def _numbered(self, stored: Iterable[Item]) -> None:
        """A board's events have the numbers 1, 2, 3, … and the board's own is the last."""
        numbers: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for item in stored:
            if "storyboard_id" in item:
                event = int(item["sequence"]["N"]), item["event"]["S"]
                numbers[item["storyboard_id"]["S"]].append(event)
        for board_id, found in numbers.items():
            found.sort()
            if [number for number, _ in found] != list(range(1, len(found) + 1)):
                self._note("I4", f"{board_id} numbers its events {found}")
            if STORYBOARD_COMPLETED in {event for _, event in found[:-1]}:
                self._note("I4", f"{board_id} is over before its parts: {found}")

    def _callback_ended(self, callback_id: str, status: str) -> None:
        got = self.ledger.received.get(callback_id)
        accepted = bool(got and any(200 <= (code or 0) < 300 for code in got.answers))
        if status not in ("delivered", "failed"):
            self._note("I5", f"{callback_id} is still {status}")
        if status == "delivered" and not accepted:
            self._note("I5", f"{callback_id} is called delivered; nobody took it")

    def _owed(self) -> list[tuple[str, str, str]]:
        """(event, subject, URL) of each callback that somebody waits for."""
        owed = [
            (PREDICTION_COMPLETED, row.id, row.callback_url)
            for row in self.rows.values()
            if row.tells(PREDICTION_COMPLETED) and row.status.terminal
        ]
        for board in self.boards.values():
            if board.tells(STORYBOARD_COMPLETED):
                owed.append((STORYBOARD_COMPLETED, board.id, board.callback_url))
            if board.tells(SCENE_COMPLETED):
                scenes = self._scenes(board)
                owed += [
                    (SCENE_COMPLETED, f"{board.id}/{scene.id}", board.callback_url)
                    for scene in scenes
                ]
        return [(event, subject, url) for event, subject, url in owed if url]

    def _told_right(self, callback_id: str, bodies: set[bytes]) -> None:
        for body in bodies:
            data = json.loads(body)["data"]
            row = self.rows.get(data["id"]) or self.boards.get(data["id"])
            if row is None:
                board = self.boards.get(data["storyboard_id"])
                if board is None:
                    continue  # Of a row that is deleted, which is noted where it happened.
                [scene] = [s for s in self._scenes(board) if s.id == data["id"]]
                status = self._scene_end(scene)
            else:
                status = row.status.public if isinstance(row, Prediction) else row.status.value
            if data["status"] != status:
                self._note("I4", f"{callback_id} tells {data['status']} of {data['id']}: {status}")


def _was_stopped(row: Prediction, succeeded_at: datetime) -> bool:
    """Whether the row was canceled before the job could make its picture."""
    if row.status is not Status.CANCELED:
        return False
    asked_at = row.cancel_requested_at
    return asked_at is None or row.unknown_outcomes > 0 or succeeded_at > asked_at


def _object(key: str) -> bytes | None:
    s3 = clients.client("s3")
    try:
        data: bytes = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return None
        raise
    return data


def endings(ledger: Ledger) -> Counter[str]:
    """How the predictions ended."""
    items = ((sk, item) for (_, sk), item in ledger.items.items())
    return Counter(item["status"]["S"] for sk, item in items if sk == "PRED")
