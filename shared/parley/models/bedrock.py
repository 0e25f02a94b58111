"""Amazon Bedrock, by its operation ConverseStream."""

import math
import os
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import cache
from typing import Any

import msgspec

from parley.models.gathering import Gathering
from parley.models.model import Answer, ModelError, Partial, Prompt, Said, ToolCall
from parley.untrusted import decode_json, mapping

_AGAIN = frozenset(
    "InternalServerException ModelErrorException ModelNotReadyException ModelStreamErrorException "
    "ModelTimeoutException ServiceUnavailableException ThrottlingException modelStreamErrorException "
    "internalServerException serviceUnavailableException throttlingException".split()
)
"""Errors after which another attempt may succeed."""
_LONGEST = 900.0
"""Seconds of silence at most: Lambda ends each function by then."""
_LEAST = 0.875
"""Seconds of silence at least. Twice as many, and so on, are the time-outs of clients: each one is a client of its own.
With this number, they are just below the times that are usually left: 14, 28 and 56 seconds.
"""
_STOPS = {
    "tool_use": "calls",
    "max_tokens": "length",
    "guardrail_intervened": "refused",
    "content_filtered": "refused",
}


class Bedrock(msgspec.Struct, frozen=True, kw_only=True):
    """A model of Amazon Bedrock: the id of a model or of an inference profile.

    The function needs a policy that allows `bedrock:InvokeModelWithResponseStream` for this model (`BotPolicyArn`).
    `region`: of Bedrock; that of the function by default. `price` and `pictures`: as for `OpenAICompatible`. Raises
    ValueError in the regions of China, which have no Bedrock.
    """

    model: str
    region: str = ""
    price: tuple[float, float] = (0, 0)
    pictures: bool = False

    def __post_init__(self) -> None:
        region = self.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION", "")
        if region.startswith("cn-"):
            raise ValueError(f"Amazon Bedrock does not exist in {region}: use OpenAICompatible, or another region=")

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.model

    def answer(self, prompt: Prompt, partial: Partial) -> Answer:
        """The answer to `prompt`, in one attempt. Raises ModelError."""
        from botocore.exceptions import EventStreamError  # noqa: PLC0415  # with the first call
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        from parley.engine.aws import AwsError, error_code  # noqa: PLC0415

        found = Gathering(partial)
        with found.counting():
            try:
                response = _client(self.region, _timeout(prompt)).converse_stream(**self.request(prompt))
                with closing(response["stream"]) as stream:
                    return _gathered(_events(stream, prompt), found)
            except HTTPError as error:  # botocore passes on what breaks a stream
                raise ModelError(f"Bedrock: {type(error).__name__}", again=True) from error
            except (*AwsError, EventStreamError) as error:
                code = error_code(error)
                again = code in _AGAIN or code.endswith(("TimeoutError", "ConnectionError", "ConnectionClosedError"))
                raise ModelError(f"Bedrock: {code}", again=again) from error

    def request(self, prompt: Prompt) -> dict[str, Any]:
        """The parameters of ConverseStream."""
        request: dict[str, Any] = {
            "modelId": self.model,
            "messages": _messages(prompt.messages),
            "inferenceConfig": {"maxTokens": prompt.max_tokens},
        }
        if prompt.system:
            request["system"] = [{"text": prompt.system}]
        if prompt.tools:
            specs = (
                {
                    "name": tool.name,
                    "description": tool.description or tool.name,
                    "inputSchema": {"json": tool.parameters},
                }
                for tool in prompt.tools
            )
            request["toolConfig"] = {"tools": [{"toolSpec": spec} for spec in specs]}
        return request


def _timeout(prompt: Prompt) -> float:
    """The read time-out of the client for `prompt`: as much of its time as one of the time-outs has."""
    steps = math.log2(max(_silence(prompt), _LEAST) / _LEAST)
    return _LEAST * 2.0 ** int(steps)


def _silence(prompt: Prompt) -> float:
    """The seconds for which the model may say nothing from now on."""
    return min(prompt.silence, prompt.until - time.monotonic(), _LONGEST)


@cache
def _client(region: str, timeout: float) -> Any:
    import boto3  # noqa: PLC0415  # with the first call
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        connect_timeout=min(3, timeout), read_timeout=timeout, retries={"total_max_attempts": 1, "mode": "standard"}
    )
    session: Any = boto3
    return session.client("bedrock-runtime", region_name=region or None, config=config)


def _messages(messages: tuple[Said, ...]) -> list[dict[str, Any]]:
    """The messages as Converse has them: the roles take turns, and results of tools belong to the user."""
    found: list[dict[str, Any]] = []
    for said in messages:
        role = "assistant" if said.role == "assistant" else "user"
        if found and found[-1]["role"] == role:
            found[-1]["content"] += _content(said)
        else:
            found.append({"role": role, "content": _content(said)})
    return found


def _content(said: Said) -> list[dict[str, Any]]:
    if said.role == "tool":
        return [{"toolResult": {"toolUseId": said.call, "content": [{"text": said.text or "-"}]}}]
    parts: list[dict[str, Any]] = [{"text": said.text}] if said.text.strip() else []
    parts += [
        {"image": {"format": each.mime.removeprefix("image/"), "source": {"bytes": each.data}}}
        for each in said.pictures
    ]
    parts += [
        {"toolUse": {"toolUseId": call.id, "name": call.name, "input": _object(call.arguments)}} for call in said.calls
    ]
    return parts or [{"text": "-"}]


def _object(arguments: str) -> dict[str, Any]:
    try:
        return mapping(decode_json(arguments.encode()))
    except ValueError:
        return {}


def _events(stream: Any, prompt: Prompt) -> Iterator[Any]:
    """The events of a stream while there is time. Raises ModelError."""
    from botocore.compat import set_socket_timeout  # noqa: PLC0415  # with the first call

    events = iter(stream)
    while True:
        left = _silence(prompt)
        if left <= 0:
            raise ModelError("the answer takes too long", again=True)
        with suppress(AttributeError, OSError):  # all has been read
            set_socket_timeout(stream._raw_stream, left)  # noqa: SLF001  # botocore has no other way
        event = next(events, None)
        if event is None:
            return
        yield event


def _gathered(events: Iterator[Any], found: Gathering) -> Answer:
    """The answer in the events. Raises ModelError."""
    stop = ""
    for event in events:
        match event:
            case {"contentBlockStart": {"contentBlockIndex": index, "start": {"toolUse": start}}}:
                found.add_call(index, ToolCall(id=start["toolUseId"], name=start["name"], arguments=""))
            case {"contentBlockDelta": {"delta": {"text": text}}}:
                found.add_text(text)
            case {"contentBlockDelta": {"delta": {"reasoningContent": {"text": thought}}}}:
                found.add_thought(thought)
            case {"contentBlockDelta": {"contentBlockIndex": index, "delta": {"toolUse": piece}}}:
                found.add_call(index, ToolCall(id="", name="", arguments=piece["input"]))
            case {"messageStop": {"stopReason": reason}}:
                stop = reason
            case {"metadata": {"usage": usage}}:
                found.sent, found.received = usage["inputTokens"], usage["outputTokens"]
            case _:
                continue
    if not stop:
        raise ModelError("the stream has broken off", again=True)
    return found.answer(_STOPS.get(stop, "end"))
