"""Manual approvals of CodePipeline."""

import os
from typing import Any, NamedTuple, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

_CONFIG = Config(connect_timeout=1, read_timeout=4, retries={"total_max_attempts": 2})


class Waiting(NamedTuple):
    """An approval that a pipeline waits for: `execution` is the id of the action's execution."""

    pipeline: str
    execution: str

    @property
    def value(self) -> str:
        """The approval as the value of a button. Discord takes 100 characters for the id and the value together."""
        return f"{self.execution} {self.pipeline}"

    @classmethod
    def of(cls, value: str) -> "Waiting":
        """The approval in the value of a button. It comes from outside: CodePipeline checks it."""
        execution, _, pipeline = value.partition(" ")
        return cls(pipeline, execution)


def decide(waiting: Waiting, by: str, *, approved: bool) -> str:
    """Approve or reject. Returns what is in the way; empty if nothing is."""
    if os.environ.get("PARLEY_STAGE") == "local":
        return ""  # the local stack has no CodePipeline
    client = cast("Any", boto3).client("codepipeline", config=_CONFIG)
    try:
        found = _find(client.get_pipeline_state(name=waiting.pipeline), waiting.execution)
        if found is None:
            return "The pipeline does not wait for this approval any more."
        result = {"status": "Approved" if approved else "Rejected", "summary": f"by {by}"}
        client.put_approval_result(pipelineName=waiting.pipeline, result=result, **found)
    except ClientError as error:
        return f"CodePipeline answers {error.response.get('Error', {}).get('Code')}."
    except BotoCoreError as error:
        return f"CodePipeline cannot be reached: {type(error).__name__}."
    return ""


def _find(state: dict[str, Any], execution: str) -> dict[str, str] | None:
    """The names and the token of the approval; None if it does not wait any more."""
    for stage in state.get("stageStates", []):
        for action in stage.get("actionStates", []):
            latest = action.get("latestExecution", {})
            if latest.get("actionExecutionId") == execution and latest.get("token"):
                return {"stageName": stage["stageName"], "actionName": action["actionName"], "token": latest["token"]}
    return None
