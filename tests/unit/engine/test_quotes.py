"""`Turn.quoted`: what a message quotes or forwards."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from parley.adapter import SupportsQuotes
from parley.bot import Bot, Turn
from parley.bot.once import Results
from parley.engine import quotes
from parley.engine.apps import Apps
from parley.engine.aws import dynamodb, ssm
from parley.engine.calls import Calls
from parley.engine.http import Http
from parley.engine.quotes import MAX_QUOTE, Quotes
from parley.engine.rate_limiter import RateLimiter
from parley.engine.tokens import Tokens
from parley.model import Message, Quote, message_key
from parley.model.codec import encode
from parley.platforms import NAMES, outbound
from parley.testing import PLATFORMS, Chat
from playground.platforms.base import NewMessage
from tests.factories import NOW, make_message
from tools.faults.targets import APP

OTHERS = [name for name in NAMES if name not in ("feishu", "wecom_bot")]


def make_bot() -> Bot:
    """Says what a message quotes, twice: it is asked for once."""
    bot = Bot()

    @bot.command()
    def what(turn: Turn, text: str = "") -> str:
        del text
        return _shown(turn)

    @bot.fallback
    def fallback(turn: Turn) -> str:
        return _shown(turn)

    return bot


def _shown(turn: Turn) -> str:
    found = turn.quoted()
    assert turn.quoted() == found
    return f"quotes {found.text!r}" if found else "quotes nothing"


# --- on the imitated platforms ----------------------------------------------------------------------------------------


def test_a_reply_quotes_its_parent() -> None:
    chat = Chat(make_bot())
    chat.say("And this?", quote="The release is late")
    chat.expect("quotes 'The release is late'")


def test_in_a_room_as_well_with_the_names_of_those_whom_the_text_mentions() -> None:
    room = Chat(make_bot()).room("team")
    room.say("And this?", quote="Ask @Lin Mei", by="lin")
    assert room.last.text.startswith("quotes 'Ask @Lin")


def test_a_reply_to_the_bot_quotes_its_words() -> None:
    chat = Chat(make_bot())
    chat.say("hi")
    world = chat._world
    earlier = [message for message in world.platform.messages.values() if message.sender_kind == "bot"][-1]
    chat._act(lambda: world.platform.send_message(APP, "private", "ann", NewMessage(text="?", reply_to=earlier.id)))
    assert chat.last.text == "quotes 'quotes nothing'"


def test_a_forward_has_the_texts_of_its_messages() -> None:
    chat = Chat(make_bot())
    platform = chat._world.platform
    new = (NewMessage(text=text, deliver=False) for text in ("first", "second"))
    ids = tuple(platform.send_message(APP, "private", "ann", each).id for each in new)
    chat._act(lambda: platform.send_message(APP, "private", "ann", NewMessage(forwards=ids)))
    chat.expect(r"quotes 'first\nsecond'")


@pytest.mark.parametrize("recalled", [True, False])
def test_a_recalled_message_is_not_quoted(*, recalled: bool) -> None:
    chat = Chat(make_bot())
    platform = chat._world.platform
    earlier = platform.send_message(APP, "private", "ann", NewMessage(text="secret", deliver=False))
    earlier.recalled = recalled
    chat._act(lambda: platform.send_message(APP, "private", "ann", NewMessage(text="?", reply_to=earlier.id)))
    chat.expect("quotes nothing" if recalled else "quotes 'secret'")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_message_without_a_quote_asks_nobody_and_stores_nothing(platform: str) -> None:
    chat = Chat(make_bot(), platform)
    chat.say("/what hello")
    chat.expect("quotes nothing")
    rows = chat._world.aws.dynamodb.items
    assert "parley.quoted" not in str(rows)


@pytest.mark.parametrize("platform", OTHERS)
def test_a_test_says_where_a_platform_does_not_say_what_is_quoted(platform: str) -> None:
    with pytest.raises(AssertionError, match="does not say what a message quotes"):
        Chat(make_bot(), platform).say("/what", quote="x")
    assert not isinstance(outbound(platform), SupportsQuotes)


# --- in the turn ------------------------------------------------------------------------------------------------------


def turn_of(message: Message, find: Callable[[str, Message], str], stored: str = "") -> Turn:
    turn = Turn(message, state={}, user={}, shared={}, now=NOW)
    turn.results = Results(message_key(message), stored)
    turn.find_quote = find
    return turn


def test_the_quote_of_a_callback_needs_no_call() -> None:
    quote = Quote(message_id="m0", text="from Discord's menu")
    turn = turn_of(replace(make_message(), segments=(quote,)), lambda *_: pytest.fail("it is there"))
    assert turn.quoted() == quote


def test_it_is_recorded_and_the_next_attempt_gets_the_same_text() -> None:
    message = replace(make_message(), reply_to="om_1")
    first = turn_of(message, lambda id_, _: f"the text of {id_}")
    assert first.quoted() == Quote(message_id="om_1", text="the text of om_1")
    second = turn_of(message, lambda *_: pytest.fail("it is recorded"), first.results.stored)
    assert second.quoted() == first.quoted()


def test_a_text_that_cannot_be_read_is_recorded_as_well() -> None:
    message = replace(make_message(), reply_to="om_1")
    first = turn_of(message, lambda *_: "")
    assert first.quoted() is None
    assert turn_of(message, lambda *_: "too late", first.results.stored).quoted() is None


# --- the call ---------------------------------------------------------------------------------------------------------

CONFIG = {"app_id": "cli_a", "app_secret": "s", "verification_token": "v", "host": "http://feishu"}


class Server:
    """Answers every request for a message with `answer`."""

    def __init__(self, status: int, answer: Any) -> None:
        self.status = status
        self.answer = answer
        self.paths: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if "tenant_access_token" in request.url.path:
            return httpx.Response(200, json={"code": 0, "tenant_access_token": "t1", "expire": 7200})
        self.paths.append(request.url.raw_path.decode())
        if isinstance(self.answer, Exception):
            raise self.answer
        return httpx.Response(self.status, json=self.answer)


@pytest.fixture
def fetch(aws: None, message: Callable[..., Message]) -> Callable[..., str]:
    del aws
    ssm().put_parameter(Name="/parley/unit/feishu/demo", Value=encode(CONFIG).decode(), Type="SecureString")

    def run(server: Server, id_: str = "om_1") -> str:
        http = Http(httpx.Client(transport=httpx.MockTransport(server)))
        calls = Calls(http, Tokens(dynamodb(), "parley"), RateLimiter(dynamodb(), "parley"), dynamodb(), "parley")
        return Quotes(calls, Apps())(id_, message())

    return run


def item(text: str, **more: Any) -> dict[str, Any]:
    return {"msg_type": "text", "body": {"content": encode({"text": text}).decode()}, **more}


def found(*items: Any) -> dict[str, Any]:
    return {"code": 0, "data": {"items": items}}


def test_the_text_is_at_most_as_long_as_the_limit(fetch: Callable[..., str]) -> None:
    assert len(fetch(Server(200, found(item("长" * 20_000))))) == MAX_QUOTE


def test_an_id_cannot_leave_its_place_in_the_address(fetch: Callable[..., str]) -> None:
    server = Server(200, found(item("x")))
    fetch(server, "../users/ou_1?x=")
    assert server.paths == ["/open-apis/im/v1/messages/..%2Fusers%2Fou_1%3Fx%3D"]


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (400, {"code": 230002, "msg": "the bot is not in the chat"}),
        (200, {"code": 230110, "msg": "deleted"}),
        (500, {}),
        (200, {"code": 0, "data": {"items": "x"}}),
        (200, found(7, None, item("x", deleted=True))),
        (200, httpx.ConnectError("down")),
    ],
)
def test_what_cannot_be_read_is_nothing_and_no_failure(fetch: Callable[..., str], status: int, answer: Any) -> None:
    assert fetch(Server(status, answer)) == ""


def test_a_message_without_words_is_named_by_its_type(fetch: Callable[..., str]) -> None:
    assert fetch(Server(200, found({"msg_type": "image", "body": {"content": '{"image_key": "k"}'}}))) == "[image]"
    assert fetch(Server(200, found({"msg_type": "text", "body": "x"}))) == "[text]"


def test_the_log_says_why_and_holds_no_text(fetch: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[Any] = []
    monkeypatch.setattr(quotes.log, "warning", lambda *line, **more: lines.append((line, more)))
    fetch(Server(400, {"code": 230002, "msg": "the bot is not in the chat"}))
    ((line, more),) = lines
    assert line == ("quoted message not readable",)
    assert "230002" in more["extra"]["reason"]


def test_an_unknown_app_is_no_failure(fetch: Callable[..., str]) -> None:
    ssm().delete_parameter(Name="/parley/unit/feishu/demo")
    assert fetch(Server(200, found(item("x")))) == ""
