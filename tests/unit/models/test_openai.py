"""The client of chat completions, against the local model server on 127.0.0.1."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from parley.bot import Secret
from parley.engine import http
from parley.models import Answer, ModelError, OpenAICompatible, Partial, Picture, Prompt, Said, Tool, ToolCall, openai
from parley.models.gathering import Gathering
from parley.models.model import tokens_of
from parley.models.retries import Waits, answered
from parley.models.thoughts import without_thoughts
from playground import model_server

TOOLS = (
    Tool(
        name="deploy",
        description="Deploy",
        parameters={"type": "object", "properties": {"version": {"type": "string"}, "times": {"type": "integer"}}},
    ),
)


class Handler(BaseHTTPRequestHandler):
    """Answers as the model server does, and keeps the requests."""

    requests: ClassVar[list[tuple[dict[str, str], Any]]] = []
    stall: ClassVar[float] = 0.5

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.requests.append(({name.lower(): value for name, value in self.headers.items()}, json.loads(body)))
        found = model_server.completion(body, stall=self.stall)
        content = b"".join(found.pieces)
        with suppress(ConnectionError):  # the client does not wait for a stalled answer
            self.send_response(found.status)
            self.send_header("Content-Length", str(len(content) + (not found.complete)))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Be quiet."""


def gathered(chunks: list[bytes], partial: Partial = lambda _: None) -> Answer:
    """The answer in a stream."""
    return openai._gathered(iter(chunks), Gathering(partial))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    http.client().close()
    http.client.cache_clear()
    server.shutdown()
    server.server_close()


@pytest.fixture
def model(address: str) -> OpenAICompatible:
    Handler.requests.clear()
    return OpenAICompatible(base_url=address, model="local", key=Secret("sk-secret"))


def ask(model: OpenAICompatible, text: str, seconds: float = 5, **more: Any) -> Any:
    until = time.monotonic() + seconds
    return model.answer(Prompt(messages=(Said(role="user", text=text),), until=until, **more), lambda _: None)


def test_a_text_comes_piece_by_piece_with_its_tokens(model: OpenAICompatible) -> None:
    seen: list[str] = []
    prompt = Prompt(messages=(Said(role="user", text="你好"),), system="Be kind.", key="k" * 32)
    answer = model.answer(prompt, seen.append)
    assert answer.text.endswith("You said: 你好")
    assert seen[-1] == answer.text
    assert len(seen) > 2
    assert answer.stop == "end"
    assert answer.sent > 0
    assert answer.received > 0
    headers, body = Handler.requests[0]
    assert headers["authorization"] == "Bearer sk-secret"
    assert headers["idempotency-key"] == "k" * 32
    assert body["messages"][0] == {"role": "system", "content": "Be kind."}
    assert body["max_tokens"] == 1000


def test_a_call_and_its_result(model: OpenAICompatible) -> None:
    answer = ask(model, "deploy version=1.4 times=2", tools=TOOLS)
    (call,) = answer.calls
    assert (call.name, json.loads(call.arguments), answer.stop) == ("deploy", {"version": "1.4", "times": 2}, "calls")
    messages = (
        Said(role="user", text="deploy 1.4"),
        Said(role="assistant", calls=(call,)),
        Said(role="tool", call=call.id, text="deployed"),
    )
    assert model.answer(Prompt(messages=messages, tools=TOOLS), lambda _: None).text == "I have done it: deployed"


def test_pictures_are_sent_as_data(model: OpenAICompatible) -> None:
    said = Said(role="user", text="look", pictures=(Picture(b"\x89PNG", "image/png"),))
    model.answer(Prompt(messages=(said,)), lambda _: None)
    content = Handler.requests[0][1]["messages"][0]["content"]
    assert content[1]["image_url"]["url"] == "data:image/png;base64,iVBORw=="


def test_a_refusal_is_an_answer(model: OpenAICompatible) -> None:
    answer = ask(model, "!refuse")
    assert (answer.stop, answer.text) == ("refused", "I cannot help with that.")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("!busy", "HTTP 503 overloaded"),
        ("!break", "RemoteProtocolError"),
        ("!nonsense", "the stream is not JSON"),
        ("!stall", "the stream has broken off"),
    ],
)
def test_a_failure_can_be_repeated(model: OpenAICompatible, text: str, reason: str) -> None:
    with pytest.raises(ModelError) as raised:
        ask(model, text)
    assert str(raised.value) == reason
    assert raised.value.again


def test_a_stream_without_its_end_marker_is_an_answer_if_the_model_has_ended() -> None:
    chunks = [b'data: {"choices": [{"delta": {"content": "Hi."}, "finish_reason": "stop"}]}\n\n']
    assert gathered(chunks).text == "Hi."
    with pytest.raises(ModelError, match="broken off"):
        gathered([chunks[0].replace(b'"stop"', b"null")])


@pytest.mark.parametrize("tokens", [-1_000_000, 10**30, "many"])
def test_a_number_of_tokens_that_cannot_be_is_estimated(tokens: object) -> None:
    usage = json.dumps({"choices": [], "usage": {"prompt_tokens": tokens, "completion_tokens": tokens}})
    ended = b'data: {"choices": [{"delta": {"content": "Hi."}, "finish_reason": "stop"}]}\n\ndata: '
    found = gathered([ended + usage.encode() + b"\n\n"])
    assert (found.sent, found.received) == (0, tokens_of("Hi."))


def test_a_model_that_hangs_leaves_time_to_the_next_one(
    model: OpenAICompatible, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "stall", 10.0)
    prompt = Prompt(messages=(Said(role="user", text="!stall"),), until=time.monotonic() + 60)
    silent = replace(prompt, silence=0.2)
    with pytest.raises(ModelError, match="ReadTimeout") as raised:
        model.answer(silent, lambda _: None)
    assert raised.value.again
    asked: list[Prompt] = []

    class Model:
        name, pictures, price = "next", False, (0.0, 0.0)

        def answer(self, prompt: Prompt, partial: Any) -> Answer:
            asked.append(prompt)
            if len(asked) == 1:
                raise ModelError("ReadTimeout")
            return Answer(text="here")

    _, found = answered([Model(), Model()], prompt, lambda _: None, lambda *_: None, Waits(lambda _: None))
    assert found.text == "here"
    first, last = (each.silence for each in asked)
    assert first <= 30 < last <= 60


def test_a_model_that_hangs_again_and_again_leaves_half_of_the_time_to_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    failed: list[float] = []

    class Model:
        name, pictures, price = "next", False, (0.0, 0.0)

        def answer(self, prompt: Prompt, partial: Any) -> Answer:
            now[0] += min(prompt.silence, 5)
            if now[0] < 1015:
                raise ModelError("ReadTimeout", again=True)
            return Answer(text=f"{prompt.until - now[0] + 5:.0f} seconds were left")

    prompt = Prompt(messages=(), until=1029)
    _, found = answered(
        [Model(), Model()], prompt, lambda _: None, lambda *_: failed.append(now[0]), Waits(lambda _: None)
    )
    assert failed == [1005, 1010, 1014.5]
    assert found.text == "14 seconds were left"


def test_the_deadline_holds_for_the_whole_call(model: OpenAICompatible, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Handler, "stall", 10.0)
    began = time.monotonic()
    with pytest.raises(ModelError, match="ReadTimeout"):
        ask(model, "!stall", seconds=0.2)
    assert time.monotonic() - began < 9


def test_an_error_names_neither_the_key_nor_the_text(model: OpenAICompatible) -> None:
    with pytest.raises(ModelError) as raised:
        ask(model, "!busy sk-secret")
    assert "sk-secret" not in f"{raised.value!r} {model!r}"


@pytest.mark.parametrize("url", ["http://example.com/v1", "ftp://x", "", "http://127.0.0.1.evil.com/v1"])
def test_a_key_is_not_sent_in_clear_text(url: str) -> None:
    with pytest.raises(ValueError, match="https://"):
        OpenAICompatible(base_url=url, model="m")


# --- attempts ---------------------------------------------------------------------------------------------------------


def attempts(*models: OpenAICompatible, text: str) -> tuple[Any, list[float]]:
    waits: list[float] = []
    prompt = Prompt(messages=(Said(role="user", text=text),))
    _, answer = answered(models, prompt, lambda _: None, lambda *_: None, Waits(waits.append, lambda: 0.25))
    return answer, waits


def test_an_outage_is_repeated_with_growing_waits_and_then_raised(model: OpenAICompatible) -> None:
    with pytest.raises(ModelError, match="503"):
        attempts(model, model, text="!busy")
    assert len(Handler.requests) == 6


def test_a_fallback_answers_and_is_named(model: OpenAICompatible, address: str) -> None:
    closed = OpenAICompatible(base_url="http://127.0.0.1:9/v1", model="closed")
    answer, waits = attempts(closed, model, text="hi")
    assert answer.model == "local"
    assert waits == [0.375, 0.75]


def test_a_wrong_request_is_not_repeated(model: OpenAICompatible, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_server, "completion", lambda *_, **__: model_server.Completion(401, iter([b"{}"])))
    with pytest.raises(ModelError, match="401"):
        attempts(model, text="hi")
    assert len(Handler.requests) == 1


@pytest.mark.parametrize("arguments", ["{", "[]", ""])
def test_arguments_of_any_form_are_kept_as_they_are(model: OpenAICompatible, arguments: str) -> None:
    call = ToolCall(id="1", name="deploy", arguments=arguments)
    body = json.loads(model.body(Prompt(messages=(Said(role="assistant", calls=(call,)),))))
    assert body["messages"][0]["tool_calls"][0]["function"]["arguments"] == arguments


# --- streams as servers really send them ------------------------------------------------------------------------------


def stream_of(*deltas: dict[str, Any], stop: str = "stop") -> list[bytes]:
    """The chunks of a stream."""
    choices = [*({"delta": delta} for delta in deltas), {"delta": {}, "finish_reason": stop}]
    return [b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n" for choice in choices]


def called(*pieces: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The calls of a stream with these pieces of calls."""
    found = gathered(stream_of(*({"tool_calls": [piece]} for piece in pieces), stop="tool_calls"))
    return [(call.id, call.name, call.arguments) for call in found.calls]


def piece(id_: str = "", name: str = "", arguments: str = "", **more: Any) -> dict[str, Any]:
    return {"id": id_, "function": {"name": name, "arguments": arguments}, **more}


@pytest.mark.parametrize("index", [{}, {"index": None}, {"index": 0}, {"index": "0"}])
def test_calls_are_told_apart_without_an_index_and_with_the_same_one(index: dict[str, Any]) -> None:
    first, second = ("a", "status", '{"service":"web"}'), ("b", "status", '{"service":"api"}')
    assert called(piece(*first, **index), piece(*second, **index)) == [first, second]
    halves = [piece("a", "status", '{"ser', **index), piece(arguments='vice":"web"}', **index)]
    assert called(*halves, piece(*second, **index)) == [first, second]


def test_whole_calls_without_index_and_id_are_told_apart_by_their_names() -> None:
    found = called(piece(name="status", arguments="{}"), piece(name="deploy", arguments='{"v":1}'))
    assert [(name, arguments) for _, name, arguments in found] == [("status", "{}"), ("deploy", '{"v":1}')]


def test_calls_that_are_sent_in_turns_are_put_together_by_their_ids() -> None:
    pieces = [piece("a", "one", "{"), piece("b", "two", "["), piece("a", "", "}"), piece("b", "", "]")]
    assert called(*pieces) == [("a", "one", "{}"), ("b", "two", "[]")]
    numbered = [piece("a", "one", "{", index=0), piece("b", "two", "[", index=1)]
    assert called(*numbered, piece(arguments="}", index=0), piece(arguments="]", index=1)) == [
        ("a", "one", "{}"),
        ("b", "two", "[]"),
    ]


THOUGHTS = [
    ("<think>SECRET</think>Hello.", "Hello."),
    ("<think>\nSECRET\n</think>\n\nHello.", "Hello."),
    ("\n<THINK>SECRET < 3 </THINK> Hello.", "Hello."),
    ("SECRET</think>\nHello.", "Hello."),
    ("SECRET</think>Hello.", "Hello."),
    ("SECRET.</think> Hello.", "Hello."),
    ("SECRET\nSECRET。</think>你好。", "你好。"),
    ("SECRET</think>**Hello.**", "**Hello.**"),
    ("<think>SECRET", ""),
    ("<think>SECRET</think>\n<think>SECRET</think> Hello.", "Hello."),
    ("</think>\n\nHello.", "Hello."),
    ("SECRET\n</think>Hello. </think>\nBye.", "Hello. </think>\nBye."),
    ("<think>SECRET<think>SECRET</think>SECRET</think>Hello.", "Hello."),
    ("<think>SECRET `</think>` SECRET</think>Hello.", "Hello."),
    ("<think>SECRET\n```\n</think>\n```\nSECRET</think>Hello.", "Hello."),
    ("<think>SECRET ``` SECRET</think>Hello.", "Hello."),
    ("<think>SECRET <think> SECRET</think>Hello.", "Hello."),
    ("<think>SECRET</think>A <think> tag.\n<think>\nx\n</think>\n", "A <think> tag.\n<think>\nx\n</think>\n"),
    ("It ends with </think> and then more.", "It ends with </think> and then more."),
    ("Between <think> and </think>.", "Between <think> and </think>."),
    ("Write <think>plan</think>answer.", "Write <think>plan</think>answer."),
    ("The code `x</think>y` has a tag.", "The code `x</think>y` has a tag."),
    ("It looks like a</think>, I think.", "It looks like a</think>, I think."),
    ("模型用</think>结束思考。", "模型用</think>结束思考。"),
    ("```\nplan.</think>Hello\n```\nBye.", "```\nplan.</think>Hello\n```\nBye."),
    ("See:\n```xml\n<think>\nplan\n</think>\nx\n```\nBye.", "See:\n```xml\n<think>\nplan\n</think>\nx\n```\nBye."),
    ("A tag is `<think>` and ends by `</think>`.", "A tag is `<think>` and ends by `</think>`."),
    ("1 < 2 <thin> <thinker> </th", "1 < 2 <thin> <thinker> </th"),
    ("Hello.", "Hello."),
    ("", ""),
]


@pytest.mark.parametrize(("written", "shown"), THOUGHTS)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_thoughts_are_not_shown_however_the_stream_is_cut(written: str, shown: str, size: int) -> None:
    partials: list[str] = []
    pieces = [written[start : start + size] for start in range(0, len(written), size)]
    found = gathered(stream_of(*({"content": each} for each in pieces)), partials.append)
    assert found.text == shown == without_thoughts(written)
    if not written.startswith("SECRET"):
        assert all(shown.startswith(each) for each in partials)
        assert len(partials) == len(pieces)


@pytest.mark.parametrize("written", ["Hello.</think>", "Hello.</think>\n", "Hello.</THINK> \n"])
def test_an_answer_that_ends_like_a_thought_is_not_void(written: str) -> None:
    assert gathered(stream_of(*({"content": each} for each in written))).text == "Hello." == without_thoughts(written)


def test_thoughts_of_the_model_server_are_not_shown(model: OpenAICompatible) -> None:
    assert ask(model, "hi !think").text == "I am a model without intelligence. You said: hi !think"


def test_long_thoughts_are_paid_but_are_no_part_of_a_text_that_is_too_long() -> None:
    found = gathered(stream_of(*({"content": each} for each in ("<think>", *["x" * 1_000] * 50, "</think>Hello."))))
    assert found.text == "Hello."
    assert found.received > 16_000


class Own:
    """A model of a team's own: it says `texts`, and then raises or returns `end`."""

    name, pictures, price = "own", False, (1.0, 2.0)

    def __init__(self, end: Any, *texts: str) -> None:
        self.end, self.texts = end, texts

    def answer(self, _prompt: Prompt, partial: Any) -> Answer:
        for each in self.texts:
            partial(each)
        if isinstance(self.end, ModelError):
            raise self.end
        return self.end


def own(*models: Any, heard: Any = lambda _: None) -> tuple[Answer, list[tuple[int, int]]]:
    """The answer, and the tokens of each failure."""
    failures: list[tuple[int, int]] = []
    prompt = Prompt(messages=(Said(role="user", text="x" * 26),))
    _, found = answered(
        models, prompt, heard, lambda _, error: failures.append((error.sent, error.received)), Waits(lambda _: None)
    )
    return found, failures


def test_calls_of_a_model_of_ones_own_never_share_an_id() -> None:
    ids = ["a", "a", "", "call_1", "a", "b" * 99, "b" * 99, "x", "y"]
    calls = tuple(ToolCall(id=id_, name=f"tool{number}", arguments="") for number, id_ in enumerate(ids))
    found, _ = own(Own(Answer(calls=calls)))
    assert len({call.id for call in found.calls}) == len(found.calls) == 8
    assert [call.name for call in found.calls] == [f"tool{number}" for number in range(8)]
    assert all(0 < len(call.id) <= 64 for call in found.calls)
    assert found.calls[0].id == "a"


def test_thoughts_of_a_model_of_ones_own_are_not_shown() -> None:
    heard: list[str] = []
    found, _ = own(
        Own(Answer(text="<think>SECRET</think>Hi."), "<think>SEC", "<think>SECRET</think>H"), heard=heard.append
    )
    assert (found.text, heard) == ("Hi.", ["", "H"])


def test_an_answer_of_a_model_of_ones_own_that_is_too_long_is_a_failure() -> None:
    with pytest.raises(ModelError, match="longer than 16000 bytes"):
        own(Own(Answer(text="x" * 100_000)))


def test_tokens_of_attempts_that_broke_off_are_counted() -> None:
    broken = ModelError("the stream has broken off", again=True)
    refused = ModelError("HTTP 400")
    usage = ModelError("the stream has broken off", sent=70, received=30)
    _, failures = own(Own(broken, "Hello, h"), Own(Answer(text="Hi.")))
    assert failures == [(13, 3)] * 3
    _, failures = own(Own(refused), Own(usage), Own(Answer(text="Hi.")))
    assert failures == [(0, 0), (70, 30)]


def test_a_stream_that_breaks_off_says_what_it_has_cost(model: OpenAICompatible) -> None:
    with pytest.raises(ModelError) as broken:
        ask(model, "!break please say a long text")
    assert broken.value.received > 0
    with pytest.raises(ModelError) as refused:
        ask(model, "!busy")
    assert refused.value.received == 0
    chunks = stream_of({"tool_calls": [piece("a", "status", '{"service":"web"')]})[:1]
    usage = b'data: {"choices": [], "usage": {"prompt_tokens": 50, "completion_tokens": 7}}\n\n'
    for given, cost in ((chunks, (0, 8)), ([*chunks, usage], (50, 7))):
        found = Gathering(lambda _: None)
        with pytest.raises(ModelError) as error, found.counting():
            openai._gathered(iter(given), found)
        assert (error.value.sent, error.value.received) == cost


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thoughts_that_are_sent_apart_count_and_can_be_stopped(field: str) -> None:
    heard: list[str] = []
    found = gathered(stream_of({field: "Well. " * 50}, {field: "Hm."}, {"content": "42"}), heard.append)
    assert (found.text, heard) == ("42", ["", "", "42"])
    assert found.received >= 100
    with pytest.raises(ModelError, match="broken off") as raised, (gathering := Gathering(heard.append)).counting():
        openai._gathered(iter(stream_of({field: "Well. " * 50})[:1]), gathering)
    assert raised.value.received == 100


def test_pieces_of_a_call_can_be_stopped() -> None:
    heard: list[str] = []
    pieces = [{"tool_calls": [piece("a", "status", each, index=0)]} for each in ('{"service":', '"web"}')]
    gathered(stream_of({"content": "Wait."}, *pieces, stop="tool_calls"), heard.append)
    assert heard == ["Wait."] * 3
