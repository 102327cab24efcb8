"""SQS: predictions to send, callbacks to deliver, exports to make."""

import json
from dataclasses import dataclass
from typing import Any

_MAX_DELAY_SECONDS = 900


@dataclass(frozen=True)
class SubmissionsQueue:
    client: Any
    url: str

    def enqueue(self, prediction_id: str, delay_seconds: int = 0) -> None:
        _send(self.client, self.url, {"prediction_id": prediction_id}, delay_seconds)

    def defer(self, receipt_handle: str, seconds: float) -> None:
        """Let a message that is being handled come again after `seconds`."""
        self.client.change_message_visibility(
            QueueUrl=self.url,
            ReceiptHandle=receipt_handle,
            VisibilityTimeout=max(1, round(seconds)),
        )


@dataclass(frozen=True)
class CallbacksQueue:
    client: Any
    url: str

    def enqueue(self, callback_id: str, turn: int, delay_seconds: int = 0) -> None:
        _send(self.client, self.url, {"callback_id": callback_id, "turn": turn}, delay_seconds)


@dataclass(frozen=True)
class ExportsQueue:
    client: Any
    url: str

    def enqueue(self, export_id: str) -> None:
        _send(self.client, self.url, {"export_id": export_id}, 0)


def _send(client: Any, url: str, body: dict[str, Any], delay_seconds: int) -> None:
    client.send_message(
        QueueUrl=url,
        MessageBody=json.dumps(body),
        DelaySeconds=min(_MAX_DELAY_SECONDS, max(0, delay_seconds)),
    )
