"""Portable events: one handler for the same event of every platform."""

from typing import Any

import pytest

from parley.bot import Bot, Router, Turn
from parley.bot.events import PORTABLE, check_name
from parley.model import plain_text
from parley.platforms import NAMES, portable_events
from tests.factories import make_message


def said(bot: Bot, event: str, platform: str = "feishu") -> list[str]:
    message = make_message("m", "", kind="event", event=event, platform=platform)
    return [plain_text(reply.segments) for reply in bot.handle(Turn(message))]


EVENTS = [(platform, own, name) for platform in NAMES for own, name in portable_events(platform).items()]


@pytest.mark.parametrize(("platform", "own", "name"), EVENTS)
def test_a_portable_event_is_handled_on_every_platform_that_has_it(platform: str, own: str, name: str):
    bot = Bot()
    bot.event(name)(lambda: name)
    assert said(bot, own, platform) == [name]
    assert said(bot, "other", platform) == []


def test_the_names_of_one_platform_mean_nothing_on_another():
    bot = Bot()
    bot.event("person_followed")(lambda: "welcome")
    assert said(bot, "subscribe", "wechat") == said(bot, "subscribe", "wecom") == ["welcome"]
    assert said(bot, "subscribe", "feishu") == said(bot, "subscribe", "invented") == []


def test_the_handler_of_the_platforms_own_name_goes_first():
    bot = Bot()
    bot.event("member_joined")(lambda: "portable")
    bot.event("im.chat.member.user.added_v1")(lambda: "own")
    assert said(bot, "im.chat.member.user.added_v1") == ["own"]
    assert said(bot, "add_user_to_chat") == ["portable"]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("member_join", "member_joined"), ("reaction_add", "reaction_added"), ("message_recaled", "message_recalled")],
)
def test_a_misspelled_portable_name_is_an_error_when_the_bot_loads(wrong: str, right: str):
    for bot in (Bot(), Router()):
        with pytest.raises(ValueError, match=f"there is no event '{wrong}': write '{right}'"):
            bot.event("bot_added", wrong)


OWN: list[Any] = [
    "subscribe",
    "remove_bot",
    "message_read",
    "kf_msg_or_event",
    "change_external_contact",
    "im.chat.member.user.added_v2",
    "ENTITLEMENT_CREATE",
    "location_select",
    "enter_agent",
    "batch_job_result",
]


@pytest.mark.parametrize("name", [*PORTABLE, *OWN])
def test_portable_and_own_names_are_taken(name: str):
    check_name(name)
