"""The client of Bedrock, with botocore's own validation of requests and events."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import EventStreamError, ReadTimeoutError
from botocore.validate import validate_parameters

from parley.models import Bedrock, ModelError, Picture, Prompt, Said, Tool, ToolCall, bedrock

PNG = Picture(b"\x89PNG", "image/png")
MODEL = "anthropic.claude-x"


@pytest.fixture(scope="module")
def operation() -> Any:
    client: Any = boto3.client("bedrock-runtime", region_name="us-east-1")
    return client.meta.service_model.operation_model("ConverseStream")


class Client:
    """Validates each request and each event as botocore does."""

    def __init__(self, operation: Any, events: list[Any]) -> None:
        self._operation = operation
        self._events = events

    def converse_stream(self, **request: Any) -> dict[str, Any]:
        validate_parameters(request, self._operation.input_shape)
        return {"stream": self._stream()}

    def _stream(self) -> Any:
        for event in self._events:
            if isinstance(event, Exception):
                raise event
            validate_parameters(event, self._operation.output_shape.members["stream"])
            yield event


@pytest.fixture
def answer(operation: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    def ask(prompt: Prompt, *events: Any) -> Any:
        monkeypatch.setattr(bedrock, "_client", lambda *_: Client(operation, list(events)))
        return Bedrock(model=MODEL, region="us-east-1").answer(prompt, lambda _: None)

    return ask


HI = Prompt(messages=(Said(role="user", text="hi"),))
END = {"messageStop": {"stopReason": "end_turn"}}
USAGE = {"metadata": {"usage": {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10}, "metrics": {"latencyMs": 1}}}


def text(piece: str) -> dict[str, Any]:
    return {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": piece}}}


def test_a_text(answer: Any) -> None:
    found = answer(HI, {"messageStart": {"role": "assistant"}}, text("He"), text("llo"), END, USAGE)
    assert (found.text, found.stop, found.sent, found.received) == ("Hello", "end", 7, 3)


def test_a_call(answer: Any) -> None:
    found = answer(
        HI,
        {"contentBlockStart": {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "t1", "name": "deploy"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '{"version"'}}}},
        {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"toolUse": {"input": ': "1"}'}}}},
        {"messageStop": {"stopReason": "tool_use"}},
    )
    assert found.calls == (ToolCall(id="t1", name="deploy", arguments='{"version": "1"}'),)
    assert found.stop == "calls"


def test_thoughts_are_counted_and_not_shown(answer: Any) -> None:
    thought = {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Well. " * 50}}}}
    found = answer(HI, thought, text("42"), END)
    assert (found.text, found.received) == ("42", 101)


def test_a_whole_exchange_is_a_valid_request_whose_roles_take_turns(answer: Any) -> None:
    calls = (ToolCall(id="a", name="deploy", arguments="{"), ToolCall(id="b", name="deploy"))
    prompt = Prompt(
        system="Be kind.",
        messages=(
            Said(role="user", text="deploy", pictures=(PNG,)),
            Said(role="assistant", calls=calls),
            Said(role="tool", call="a", text=""),
            Said(role="tool", call="b", text="done"),
            Said(role="user", text=""),
        ),
        tools=(Tool(name="deploy", description="", parameters={"type": "object", "properties": {}}),),
    )
    assert answer(prompt, text("x"), END).text == "x"
    roles = [each["role"] for each in Bedrock(model=MODEL).request(prompt)["messages"]]
    assert roles == ["user", "assistant", "user"]


@pytest.mark.parametrize(
    ("event", "again"),
    [
        (EventStreamError({"Error": {"Code": "throttlingException"}}, "ConverseStream"), True),
        (EventStreamError({"Error": {"Code": "validationException"}}, "ConverseStream"), False),
        (ReadTimeoutError(endpoint_url="x"), True),
    ],
)
def test_a_failure_in_the_stream(answer: Any, event: Exception, *, again: bool) -> None:
    with pytest.raises(ModelError) as raised:
        answer(HI, text("He"), event)
    assert raised.value.again is again


def test_a_stream_without_an_end_is_broken(answer: Any) -> None:
    with pytest.raises(ModelError, match="broken off"):
        answer(HI, text("He"))


def test_a_refusal(answer: Any) -> None:
    assert answer(HI, {"messageStop": {"stopReason": "guardrail_intervened"}}).stop == "refused"


def test_there_is_no_bedrock_in_china(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "cn-north-1")
    with pytest.raises(ValueError, match="does not exist in cn-north-1"):
        Bedrock(model=MODEL)
    assert Bedrock(model=MODEL, region="us-east-1").name == MODEL


# --- a service that says nothing --------------------------------------------------------------------------------------


@pytest.fixture(params=[b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"], ids=["silent", "in the stream"])
def hanging(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bedrock]:
    """A model whose service sends this much, and then nothing."""
    server, kept = socket.create_server(("127.0.0.1", 0)), list[socket.socket]()

    def serve() -> None:
        while True:
            try:
                kept.append(server.accept()[0])
            except OSError:
                return
            kept[-1].recv(65_536)
            kept[-1].sendall(request.param)

    threading.Thread(target=serve, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", f"http://127.0.0.1:{server.getsockname()[1]}")
    bedrock._client.cache_clear()
    yield Bedrock(model=MODEL, region="us-east-1")
    bedrock._client.cache_clear()
    for each in (server, *kept):
        each.close()


def test_a_service_that_hangs_leaves_time_to_the_next_model(hanging: Bedrock) -> None:
    began = time.monotonic()
    with pytest.raises(ModelError, match="ReadTimeout") as raised:
        hanging.answer(Prompt(messages=HI.messages, until=began + 60, silence=1), lambda _: None)
    assert raised.value.again
    assert time.monotonic() - began < 5


def test_the_deadline_holds_while_nothing_arrives(hanging: Bedrock) -> None:
    began = time.monotonic()
    with pytest.raises(ModelError):
        hanging.answer(Prompt(messages=HI.messages, until=began + 1), lambda _: None)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("left", "timeout"), [(29, 28), (14.5, 14), (59, 56), (0.1, 0.875), (-3, 0.875), (float("inf"), 896)]
)
def test_few_clients_have_all_time_outs(left: float, timeout: float) -> None:
    assert bedrock._timeout(Prompt(messages=(), until=time.monotonic() + left)) == timeout
