"""Step Functions: one execution per board, named after it; one task token per candidate."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from storyhook.domain.errors import WorkflowUnavailable
from storyhook.domain.storyboard import BoardScene

_MAX_CAUSE = 1000


@dataclass(frozen=True)
class StepFunctions:
    client: Any
    state_machine_arn: str

    def start(self, storyboard_id: str, scenes: Sequence[BoardScene]) -> None:
        payload: dict[str, Any] = {"storyboard_id": storyboard_id}
        if any(scene.chooses for scene in scenes):
            payload["scenes"] = [
                {
                    "position": scene.position,
                    "predictions": scene.predictions,
                    "chooses": scene.chooses,
                }
                for scene in scenes
            ]
        else:
            payload["predictions"] = [p for scene in scenes for p in scene.predictions]
        try:
            self.client.start_execution(
                stateMachineArn=self.state_machine_arn,
                name=storyboard_id,
                input=json.dumps(payload),
            )
        except self.client.exceptions.ExecutionAlreadyExists:
            return  # The name is the idempotency key.
        except (BotoCoreError, ClientError) as error:
            raise WorkflowUnavailable(f"Step Functions did not start {storyboard_id}.") from error

    def resume(self, task_token: str, output: Mapping[str, Any]) -> None:
        self._send(
            self.client.send_task_success, taskToken=task_token, output=json.dumps(dict(output))
        )

    def fail(self, task_token: str, error: str, cause: str) -> None:
        self._send(
            self.client.send_task_failure,
            taskToken=task_token,
            error=error,
            cause=cause[:_MAX_CAUSE],
        )

    def _send(self, call: Any, **arguments: str) -> None:
        errors = self.client.exceptions
        try:
            call(**arguments)
        except (errors.TaskTimedOut, errors.TaskDoesNotExist, errors.InvalidToken):
            return  # Somebody told it already, or it gave up: nobody waits any more.
