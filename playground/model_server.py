"""A language model on this machine, for tests and the page: chat completions with streaming, without any intelligence.

It calls a tool if a text names one: `deploy version=1.4`. It obeys every text that it reads, also a quoted one. A word
in the last text of the person makes it misbehave: `!refuse`, `!busy`, `!stall`, `!break`, `!nonsense`, `!loop`; with
`!slow` it takes its time for each piece, so that people see the answer grow, and with `!think` it thinks before.
"""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from parley.models.model import tokens_of

PATH = "/v1/chat/completions"
STALL = 20.0
"""Seconds for which it says nothing."""
PAUSE = 0.5
"""Seconds before each piece of a slow answer."""
_PIECE = 12


class Completion(NamedTuple):
    """A response: the status, and the pieces of the body. `complete` is False if the connection breaks at its end."""

    status: int
    pieces: Iterator[bytes]
    complete: bool = True


def completion(body: bytes, *, stall: float = STALL, pause: float = PAUSE) -> Completion:
    """The response to a request."""
    try:
        request = json.loads(body)
        messages, last = request["messages"], _last_text(request["messages"])
    except (ValueError, LookupError, TypeError):
        return Completion(400, iter([_error("invalid_request_error")]))
    if "!busy" in last:
        return Completion(503, iter([_error("overloaded")]))
    if "!nonsense" in last:
        return Completion(200, iter([b"data: {]\n\n"]))
    if "!stall" in last:
        return Completion(200, _stalled(stall))
    deltas = [{"refusal": "I cannot help with that."}] if "!refuse" in last else _deltas(request, last)
    if "!think" in last:
        deltas = [*_pieces(f"<think>The person says: {last}</think>\n"), *deltas]
    stop = "tool_calls" if any("tool_calls" in delta for delta in deltas) else "stop"
    events = list(_events(request, deltas, stop, tokens_of(json.dumps(messages))))
    if "!break" in last:
        return Completion(200, iter(events[: len(events) // 2]), complete=False)
    if not request.get("stream"):
        return Completion(200, iter([_whole(request, deltas, stop)]))
    return Completion(200, _paced([*events, b"data: [DONE]\n\n"], pause if "!slow" in last else 0))


def _stalled(seconds: float) -> Iterator[bytes]:
    yield b": wait\n\n"
    time.sleep(seconds)


def _paced(events: list[bytes], pause: float) -> Iterator[bytes]:
    for event in events:
        time.sleep(pause)
        yield event


def _deltas(request: Mapping[str, Any], last: str) -> list[dict[str, Any]]:
    """The answer in pieces: a call of a tool that the text names, or a text."""
    final = request["messages"][-1]
    if final["role"] == "tool" and "!loop" not in last:
        return _pieces(f"I have done it: {final['content']}")
    call = _call(request.get("tools", ()), last)
    if call is None:
        return _pieces(f"I am a model without intelligence. You said: {last}")
    name, arguments = call
    start = {"index": 0, "id": f"call_{len(request['messages'])}", "type": "function"}
    return [
        {"tool_calls": [{**start, "function": {"name": name, "arguments": ""}}]},
        *({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in _cut(json.dumps(arguments))),
    ]


def _call(tools: Any, text: str) -> tuple[str, dict[str, Any]] | None:
    """The tool that `text` names, with its arguments: `name=value`, or the words after its name in their order."""
    known = {tool["function"]["name"]: tool["function"]["parameters"]["properties"] for tool in tools}
    words = text.split()
    at = next((place for place, word in enumerate(words) if word in known), None)
    if at is None:
        return None
    properties, rest = known[words[at]], words[at + 1 :]
    named = dict(word.split("=", 1) for word in rest if "=" in word)
    plain = (word for word in rest if "=" not in word and not word.startswith("!"))
    values = {name: value for name in properties if (value := named.get(name) or next(plain, None))}
    return words[at], {name: _typed(value, properties[name].get("type")) for name, value in values.items()}


def _typed(value: str, kind: str) -> Any:
    try:
        return int(value) if kind == "integer" else float(value) if kind == "number" else value
    except ValueError:
        return value


def _pieces(text: str) -> list[dict[str, Any]]:
    return [{"content": piece} for piece in _cut(text)]


def _cut(text: str) -> list[str]:
    return [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]


def _last_text(messages: Any) -> str:
    """The last text of the person. One with pictures has parts."""
    content = next(each["content"] for each in reversed(messages) if each["role"] == "user")
    return content if isinstance(content, str) else " ".join(part.get("text", "(a picture)") for part in content)


def _frame(request: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": int(time.time()), "model": request.get("model", "local")}


def _usage(sent: int, deltas: list[dict[str, Any]]) -> dict[str, int]:
    received = tokens_of(json.dumps(deltas))
    return {"prompt_tokens": sent, "completion_tokens": received, "total_tokens": sent + received}


def _events(request: Mapping[str, Any], deltas: list[dict[str, Any]], stop: str, sent: int) -> Iterator[bytes]:
    frame = _frame(request, "chat.completion.chunk")
    for number, delta in enumerate(deltas):
        first = {"role": "assistant"} if number == 0 else {}
        yield _event(frame | {"choices": [{"index": 0, "delta": first | delta, "finish_reason": None}]})
    yield _event(frame | {"choices": [{"index": 0, "delta": {}, "finish_reason": stop}]})
    if request.get("stream_options", {}).get("include_usage"):
        yield _event(frame | {"choices": [], "usage": _usage(sent, deltas)})


def _whole(request: Mapping[str, Any], deltas: list[dict[str, Any]], stop: str) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": "".join(each.get("content", "") for each in deltas)}
    calls = [each["tool_calls"][0] for each in deltas if "tool_calls" in each]
    if calls:
        arguments = "".join(call["function"]["arguments"] for call in calls)
        function = {"name": calls[0]["function"]["name"], "arguments": arguments}
        message["tool_calls"] = [{"id": calls[0]["id"], "type": "function", "function": function}]
    choice = {"index": 0, "message": message, "finish_reason": stop}
    frame = _frame(request, "chat.completion")
    return json.dumps(frame | {"choices": [choice], "usage": _usage(1, deltas)}).encode()


def _event(value: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _error(code: str) -> bytes:
    return json.dumps({"error": {"message": f"no answer: {code}", "type": code, "code": code}}).encode()
