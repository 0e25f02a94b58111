"""`@bot.incoming`: a bot turns an event of AWS into messages."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec import convert

from parley.bot import Ask, Bot, ResultError, Router, Script, Turn, rules
from parley.model import Destination, Message, Reply
from parley.model.aws_events import AWS, Event, message_of
from parley.model.codec import decode_message, encode
from parley.platforms import NAMES

ROOM = Destination(platform="feishu", app="demo", room_id="oc_1")
SOURCE, KIND = "aws.cloudwatch", "CloudWatch Alarm State Change"


def alarm(source: str = SOURCE, kind: str = KIND) -> Message:
    raw = {"id": "1", "source": source, "detail-type": kind, "time": "2026-01-02T17:04:40Z", "detail": {"n": 5}}
    return decode_message(encode(message_of(convert(raw, Event), raw)))


def test_the_handler_of_source_and_detail_type_gets_the_event() -> None:
    bot = Bot()

    @bot.incoming(SOURCE, KIND)
    def handle(turn: Turn) -> Reply:
        return Reply(segments=Reply.of(str(turn.message.raw["detail"]["n"])).segments, to=ROOM)

    (reply,) = bot.handle(Turn(alarm()))
    assert (reply.segments, reply.to) == (Reply.of("5").segments, ROOM)


@pytest.mark.parametrize(("source", "kind"), [(SOURCE, "Another"), ("aws.ec2", KIND)])
def test_other_events_have_no_handler(source: str, kind: str) -> None:
    bot = Bot()
    bot.incoming(SOURCE, KIND)(lambda: pytest.fail("called"))
    bot.fallback(lambda: pytest.fail("called"))
    assert bot.handle(Turn(alarm(source, kind))) == []


def test_an_event_has_nobody_to_ask() -> None:
    def ask() -> Script:
        yield Ask("Who?")

    with pytest.raises(ValueError, match=r"ask, test_incoming.py:.*: an event has no person who answers"):
        Bot().incoming(SOURCE, KIND)(ask)


def test_an_event_has_no_conversation_to_remind() -> None:
    bot = Bot()

    @bot.incoming(SOURCE, KIND)
    def handle(turn: Turn) -> None:
        turn.remind("still open?", after=timedelta(hours=1))

    with pytest.raises(ResultError, match="an AWS event belongs to no conversation: write handler="):
        bot.handle(Turn(alarm()))


def test_it_works_in_a_router_and_under_a_rule() -> None:
    bot, router = Bot(), Router()
    router.incoming(SOURCE, KIND, when=rules.private)(lambda: pytest.fail("called"))
    router.incoming(SOURCE, KIND)(lambda: Reply(segments=Reply.of("routed").segments, to=ROOM))
    bot.include(router)
    assert len(bot.handle(Turn(alarm()))) == 1


def test_a_reply_without_a_destination_is_an_error_that_says_what_to_write() -> None:
    bot = Bot()
    bot.incoming(SOURCE, KIND)(lambda: "to whom?")
    with pytest.raises(ResultError, match=r"reply 0 to an AWS event has no destination: write Reply\(\.\.\., to="):
        bot.handle(Turn(alarm()))


@pytest.mark.parametrize(("source", "kind"), [("", KIND), (SOURCE, "")])
def test_a_name_that_is_missing_is_an_error_when_the_bot_loads(source: str, kind: str) -> None:
    with pytest.raises(ValueError, match=r"write @bot.incoming\("):
        Bot().incoming(source, kind)


def test_two_handlers_for_one_event_are_an_error_when_the_bot_loads() -> None:
    bot = Bot()
    bot.incoming(SOURCE, KIND)(lambda: None)
    with pytest.raises(ValueError, match=f"two handlers for '{SOURCE}: {KIND}'"):
        bot.incoming(SOURCE, KIND)(lambda: None)


def test_the_parentheses_cannot_be_forgotten() -> None:
    def handle() -> None: ...

    wrong: Any = handle
    with pytest.raises(TypeError):
        Bot().incoming(wrong)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def test_no_platform_has_the_name_of_aws() -> None:
    assert AWS not in NAMES
