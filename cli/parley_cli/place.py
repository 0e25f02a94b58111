"""The deployment that a command is for: the local stack, or a stage on AWS."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from parley.platforms import callback_path
from parley_cli.problems import Problem

_NONE_RUNNING = "No local stack is running."
_START = "Start one with `make up`, or name a --stage on AWS."
_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 3, "mode": "standard"})
_PREFIX = "parley-"


@dataclass(frozen=True)
class Place:
    """A deployment. `facts`: the content of stack.json if it is the local stack.

    `stack` is empty for the local stack.
    """

    stage: str
    stack: str = ""
    facts: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def is_local(self) -> bool:
        """Whether it is the local stack."""
        return bool(self.facts)

    @property
    def name(self) -> str:
        """Its name for people."""
        return "the local stack" if self.is_local else f"the stack {self.stack}"

    def client(self, service: str) -> Any:
        """A client of an AWS service. Raises Problem if no region is chosen."""
        return self._session.client(service, endpoint_url=self.facts.get("aws_endpoint"), config=_CONFIG)  # pyright: ignore[reportCallIssue, reportArgumentType, reportUnknownMemberType, reportUnknownVariableType]

    @cached_property
    def _session(self) -> boto3.Session:
        if not self.is_local:
            return boto3.Session()
        account = self.facts["account"]
        return boto3.Session(account, account, region_name=self.facts["region"])

    @property
    def region(self) -> str:
        """The AWS region; empty if none is chosen."""
        return self._session.region_name or ""

    @cached_property
    def description(self) -> dict[str, Any]:
        """The stack as CloudFormation describes it. Raises the errors of AWS; `problems.explained` knows them."""
        [found] = self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"]
        return found

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs of the CloudFormation stack, by name."""
        listed = self.description.get("Outputs", [])
        return {output.get("OutputKey", ""): output.get("OutputValue", "") for output in listed}

    def output(self, name: str) -> str:
        """One output of the stack. Raises Problem if it has none of that name."""
        if name not in self.outputs:
            raise Problem(
                f"The stack {self.stack} has no output {name}: it is no stack of Parley, or one of another version.",
                "Check --stack, or deploy this version.",
            )
        return self.outputs[name]

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The parameters of the CloudFormation stack, by name."""
        listed = self.description.get("Parameters", [])
        return {one.get("ParameterKey", ""): one.get("ParameterValue", "") for one in listed}

    @property
    def table(self) -> str:
        """The name of the state table."""
        return self.facts["table"] if self.is_local else self.output("StateTable")

    def callback_url(self, platform: str, app: str) -> str:
        """The URL for the console of the platform."""
        base: str = self.facts["api"] if self.is_local else self.output("ApiUrl")
        return f"{base}{callback_path(platform, app)}"


def find(stage: str, stack: str) -> Place:
    """The deployment that the options name. Raises Problem if no local stack is running."""
    if stage or stack:
        stack = stack or f"{_PREFIX}{stage}"
        return Place(stage or _stage_of(stack), stack)
    facts = running()
    if facts is None:
        raise Problem(_NONE_RUNNING, _START)
    return Place(facts["stage"], "", facts)


def _stage_of(stack: str) -> str:
    """The stage of a stack that is named without one."""
    return Place("", stack).parameters.get("Stage", "") or stack.removeprefix(_PREFIX)


def running() -> dict[str, Any] | None:
    """The content of stack.json of the local stack; None if there is none, or if it is not ready."""
    for directory in _directories():
        try:
            facts: dict[str, Any] = json.loads((directory / "stack.json").read_text())
        except (OSError, ValueError):
            continue
        return facts if facts.get("ready") else None
    return None


def _directories() -> Iterator[Path]:
    """Where stack.json can be: in PARLEY_LOCAL_DIR, or in `.local` of this folder or of one above."""
    chosen = os.environ.get("PARLEY_LOCAL_DIR")
    if chosen:
        yield Path(chosen)
        return
    here = Path.cwd()
    yield from (folder / ".local" for folder in (here, *here.parents))
