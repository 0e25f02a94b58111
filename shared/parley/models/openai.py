"""Chat completions, the API of OpenAI that many services and local servers have, with streaming."""

import re
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from parley.bot.settings import Secret
from parley.models.gathering import Gathering
from parley.models.model import Answer, ModelError, Partial, Prompt, Said, ToolCall
from parley.models.sse import objects
from parley.untrusted import decode_json, integer, mapping, mappings, text

if TYPE_CHECKING:
    import httpx

_LONGEST = 900.0
_MOST_TOKENS = 100_000_000
"""Seconds of a call at most: Lambda ends each function by then."""
_CONNECT = 3.0
"""Seconds until a connection must be there."""
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_STOPS = {"length": "length", "content_filter": "refused", "tool_calls": "calls", "function_call": "calls"}


class OpenAICompatible(msgspec.Struct, frozen=True, kw_only=True):
    """A model behind `POST {base_url}/chat/completions`.

    `key` is sent as the bearer token; load it with `parley.bot.Settings`. `parameters` go into each request as they
    are: `{"temperature": 0}`. `price`: of a million tokens of a prompt, and of an answer. `pictures`: the model takes
    pictures. Raises ValueError unless `base_url` begins with `https://`, or with `http://` for this machine.
    """

    base_url: str
    model: str
    key: Secret = Secret("")
    parameters: Mapping[str, Any] = {}
    price: tuple[float, float] = (0, 0)
    pictures: bool = False

    def __post_init__(self) -> None:
        if not re.match(r"https://.|http://(127\.0\.0\.1|localhost|\[::1\]|host\.docker\.internal)[:/]", self.base_url):
            raise ValueError(f"base_url={self.base_url[:60]!r}: write https://..., or http://127.0.0.1:PORT/...")

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.model

    def answer(self, prompt: Prompt, partial: Partial) -> Answer:
        """The answer to `prompt`, in one attempt. Raises ModelError."""
        import httpx  # noqa: PLC0415  # with the first call

        from parley.engine.http import client  # noqa: PLC0415
        from parley.engine.sockets import ending  # noqa: PLC0415

        until = min(prompt.until, time.monotonic() + _LONGEST)
        left = until - time.monotonic()
        timeout = httpx.Timeout(max(0.1, min(left, prompt.silence)), connect=min(_CONNECT, max(0.1, left)))
        url = f"{self.base_url.rstrip('/')}/chat/completions"
        content, headers, found = self.body(prompt), self._headers(prompt), Gathering(partial)
        with found.counting():
            try:
                with (
                    ending(until),
                    client().stream("POST", url, content=content, headers=headers, timeout=timeout) as response,
                ):
                    _check(response)
                    return _gathered(_chunks(response, until), found)
            except httpx.HTTPError as error:
                raise ModelError(type(error).__name__, again=True) from error

    def body(self, prompt: Prompt) -> bytes:
        """The request, as JSON."""
        functions = [{"type": "function", "function": msgspec.to_builtins(tool)} for tool in prompt.tools]
        limit = {} if "max_completion_tokens" in self.parameters else {"max_tokens": prompt.max_tokens}
        system = [{"role": "system", "content": prompt.system}] if prompt.system else []
        body = {
            "model": self.model,
            "messages": [*system, *map(_message, prompt.messages)],
            "stream": True,
            "stream_options": {"include_usage": True},
            **limit,
            **({"tools": functions} if functions else {}),
            **self.parameters,
        }
        return msgspec.json.encode(body)

    def _headers(self, prompt: Prompt) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream", "Accept-Encoding": "identity"}
        key = self.key.reveal()
        bearer = {"Authorization": f"Bearer {key}"} if key else {}
        return headers | bearer | ({"Idempotency-Key": prompt.key} if prompt.key else {})


def _message(said: Said) -> dict[str, Any]:
    if said.role == "tool":
        return {"role": "tool", "tool_call_id": said.call, "content": said.text}
    if said.calls:
        functions = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in said.calls
        ]
        return {"role": "assistant", "content": said.text or None, "tool_calls": functions}
    if said.pictures:
        addresses = (f"data:{each.mime};base64,{b64encode(each.data).decode()}" for each in said.pictures)
        parts = [{"type": "image_url", "image_url": {"url": address}} for address in addresses]
        return {"role": said.role, "content": [{"type": "text", "text": said.text}, *parts]}
    return {"role": said.role, "content": said.text}


def _check(response: "httpx.Response") -> None:
    """Raise ModelError unless the response is a stream. What it says is left out: it can hold the key."""
    status = response.status_code
    if status == 200:
        return
    again = status in (408, 409, 425, 429) or status >= 500
    after = response.headers.get("retry-after", "")
    raise ModelError(f"HTTP {status}{_code(response)}", again=again, seconds=float(after) if after.isdecimal() else 0)


def _code(response: "httpx.Response") -> str:
    """The code of the error, after a space, if it looks like one."""
    length = response.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > 10_000:
        return ""
    try:
        error = mapping(mapping(decode_json(response.read())).get("error"))
    except ValueError:
        return ""
    code = text(error.get("code")) or text(error.get("type"))
    return f" {code}" if _CODE.fullmatch(code) else ""


def _chunks(response: "httpx.Response", until: float) -> Iterator[bytes]:
    for chunk in response.iter_bytes():
        if time.monotonic() > until:
            raise ModelError("the answer takes too long", again=True)
        yield chunk


def _gathered(chunks: Iterator[bytes], found: Gathering) -> Answer:
    """The answer in a stream. Raises ModelError."""
    refusal, stop = "", ""
    for event in objects(chunks):
        if "error" in event:
            raise ModelError("the stream holds an error", again=True)
        usage = mapping(event.get("usage"))
        found.sent = _tokens(usage.get("prompt_tokens")) or found.sent
        found.received = _tokens(usage.get("completion_tokens")) or found.received
        for choice in mappings(event.get("choices"))[:1]:
            delta = mapping(choice.get("delta"))
            found.add_thought(text(delta.get("reasoning_content")) or text(delta.get("reasoning")))
            found.add_text(text(delta.get("content")))
            refusal += text(delta.get("refusal"))
            for call in mappings(delta.get("tool_calls")):
                function = mapping(call.get("function"))
                found.add_call(
                    integer(call.get("index")),
                    ToolCall(
                        id=text(call.get("id")),
                        name=text(function.get("name")),
                        arguments=text(function.get("arguments")),
                    ),
                )
            stop = text(choice.get("finish_reason")) or stop
    if not stop:
        raise ModelError("the stream has broken off", again=True)
    return found.answer("refused" if refusal else _STOPS.get(stop, "end"), refusal)


def _tokens(value: object) -> int:
    """A number of tokens of the service; 0 if it is not plausible, so that it is estimated."""
    number = integer(value) or 0
    return number if 0 <= number <= _MOST_TOKENS else 0
