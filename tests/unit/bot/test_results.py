"""What cannot be stored or shown is an error where the handler runs, and the error names the limit."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from parley.bot import Bot, ResultError, Turn
from parley.bot.texts import BOTH
from parley.journal.limits import MAX_DECISION, MAX_REPLIES, MAX_REPLY, MAX_STATE
from parley.model import (
    Action,
    Button,
    Card,
    Command,
    Content,
    Context,
    Destination,
    Link,
    Markdown,
    Mention,
    Message,
    Reply,
    Sender,
    Text,
)
from parley.model.instant import Choice, Choices, Form, Input
from parley.platforms import NAMES

Run = Callable[..., list[Reply]]
CONTEXTS = {"wechat": Context(), "wecom": Context()}
PERSON = "the words of a person"


def message(platform: str, **changed: Any) -> Message:
    fields: dict[str, Any] = {
        "id": "m1",
        "platform": platform,
        "app": "demo",
        "kind": "message",
        "sender": Sender(id="ann"),
        "content": Content(text=PERSON),
        "timestamp": 1_800_000_000,
        "context": CONTEXTS.get(platform, Context(room_id="room")),
    }
    return Message(**(fields | changed))


def press(platform: str) -> Message:
    return message(platform, kind="action", action=Action(id="go", message_id="card"))


def run(returned: Any, to: Message) -> list[Reply]:
    bot = Bot()
    bot.fallback(lambda: returned)
    bot.action("go")(lambda: returned)
    return bot.handle(Turn(to))


def error(returned: Any, to: Message) -> str:
    """The message of the error, which holds no text of a person."""
    with pytest.raises(ResultError) as raised:
        run(returned, to)
    assert PERSON not in str(raised.value)
    return str(raised.value)


def card(size: int, **fields: Any) -> Card:
    """A card with a button whose id and value have `size` characters together on Discord."""
    button = Button(id="approve", label="Approve", value="v" * (size - len("approve?")))
    return Card(**({"title": "T", "text": PERSON, "buttons": (Button(id="no", label="No"), button)} | fields))


# --- the limits of platforms ------------------------------------------------------------------------------------------

ERRORS: dict[str, tuple[int, int, str]] = {
    "discord": (
        100,
        143,
        'the button "Approve": id and value have 143 characters together; Discord takes 1 to 100',
    ),
    "wecom": (
        1025 - len("=7="),
        1040,
        'WeCom: the button "Approve" has an id and value of 1042 bytes together; at most 1024 are possible',
    ),
    "feishu": (
        20_000,
        30_000,
        'Feishu: a card with the button "Approve" has 30382 bytes without its text; at most 21000 are possible',
    ),
}
"""By platform: a size that is possible, one that is not, and the error."""


@pytest.mark.parametrize("platform", ERRORS)
def test_a_button_beyond_the_limit_of_its_platform_is_an_error(platform: str):
    possible, too_large, expected = ERRORS[platform]
    assert run(card(possible), message(platform))
    assert error(card(too_large), message(platform)) == expected
    assert error([PERSON, Reply.of(card(too_large))], message(platform)) == expected
    assert error(Reply(op="edit", target="card", segments=(card(too_large),)), press(platform)) == expected


@pytest.mark.parametrize("platform", NAMES)
def test_a_button_is_checked_by_the_platform_that_gets_it(platform: str):
    """A push to another platform has that one's limits, and no others."""
    for other, (_, too_large, expected) in ERRORS.items():
        there = Destination(platform=other, app="demo", user_id="ann")
        assert error(Reply(segments=(card(too_large),), to=there), message(platform)) == expected
    wechat = Destination(platform="wechat", app="demo", user_id="ann")
    assert run(Reply(segments=(card(30_000),), to=wechat), message(platform))


@pytest.mark.parametrize("platform", NAMES)
def test_a_button_that_opens_an_address_has_no_key(platform: str):
    button = Button(id="a" * 2000, label="Docs", value="v" * 2000, url="https://example.com")
    assert run(Card(text="T", buttons=(button,)), message(platform))


@pytest.mark.parametrize("platform", NAMES)
@pytest.mark.parametrize("to", [message, press])
def test_what_a_renderer_mends_is_no_error(platform: str, to: Callable[[str], Message]):
    """Long texts are split, long titles and labels shortened, many buttons continued."""
    long = "word " * 10_000
    many = tuple(Button(id=str(number), label="L" * 200) for number in range(60))
    segments = (Text(text=long), Markdown(text=long), Mention(id="u" * 200), Link(url="https://e.com/" + "u" * 3000))
    returned = [long, Card(title="t" * 1000, text=long, buttons=many), Reply(segments=segments, quote=True)]
    assert len(run(returned, to(platform))) == 3


def test_two_buttons_with_the_same_id_and_value_need_room_for_their_numbers():
    two = tuple(Button(id="a", label=label, value="v" * 98) for label in "AB")
    assert run(Card(buttons=two[:1]), message("discord"))
    assert error(Card(buttons=two), message("discord")).startswith('the button "B": id and value have 103 characters')


def test_every_button_that_is_too_large_is_named():
    large = tuple(Button(id=label, label=label, value="v" * 100) for label in "AB")
    found = error(Card(buttons=(Button(id="", label="C"), *large)), message("discord"))
    assert [part.split(":")[0] for part in found.split("; t")] == [
        'the button "C"',
        'he button "A"',
        'he button "B"',
    ]


def test_a_card_that_replaces_another_on_wecom_has_room_for_six_buttons():
    buttons = tuple(Button(id=str(number), label="L") for number in range(7))
    edit = Reply(op="edit", target="card", segments=(Card(title="T", buttons=buttons),))
    expected = "WeCom: a card that replaces another has 7 buttons; at most 6 are possible"
    assert error(edit, press("wecom")) == expected
    assert run(Reply.of(Card(title="T", buttons=buttons)), press("wecom"))
    assert run(Reply(op="edit", target="other", segments=edit.segments), press("wecom"))
    assert run(Reply(op="edit", target="card", segments=(Card(buttons=buttons[:6]),)), press("wecom"))
    for platform in set(NAMES) - {"wecom"}:
        assert run(edit, press(platform))


@pytest.mark.parametrize("place", [{"room_id": "chat"}, {"webhook": "ops"}])
def test_a_place_on_wecom_without_buttons_takes_every_card(place: dict[str, Any]):
    """A card is markdown there and shows no buttons, so a large value of a button does no harm."""
    there = Destination(platform="wecom", app="demo", **place)
    assert run(Reply(segments=(card(2000),), to=there), message("wecom"))


def test_a_webhook_of_feishu_takes_smaller_cards():
    there = Destination(platform="feishu", app="demo", webhook="ops")
    assert "at most 13500 are possible" in error(Reply(segments=(card(15_000),), to=there), message("feishu"))


def test_an_unknown_platform_is_an_error():
    there = Destination(platform="feichu", app="demo", room_id="room")
    expected = f"reply 0 goes to the platform 'feichu'; there are {', '.join(NAMES)}"
    assert error(Reply(segments=(Text(text=PERSON),), to=there), message("feishu")) == expected


def test_a_reply_to_somebody_who_has_not_written_is_an_error_where_a_bot_only_answers():
    there = Destination(platform="wecom_bot", app="demo", user_id="lin")
    expected = "reply 0 goes to wecom_bot, where a bot cannot write first: write to Destination.answering(message)"
    assert error(Reply(segments=(Text(text=PERSON),), to=there), message("wecom_bot")) == expected
    assert run(Reply(segments=(Text(text=PERSON),), to=replace(there, reply_token="sealed")), message("wecom_bot"))


def test_the_message_of_a_unit_test_may_name_any_platform():
    assert run(card(5000), message("invented"))


# --- the limits of the journal ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("platform", NAMES)
def test_a_message_has_at_most_90_replies(platform: str):
    assert len(run([PERSON] * MAX_REPLIES, message(platform))) == MAX_REPLIES
    expected = f"{MAX_REPLIES + 1} replies to one message; at most {MAX_REPLIES} are possible"
    assert error([PERSON] * (MAX_REPLIES + 1), message(platform)) == expected
    assert len(run([*[PERSON] * MAX_REPLIES, ""], message(platform))) == MAX_REPLIES


@pytest.mark.parametrize("platform", NAMES)
def test_a_reply_has_at_most_350_kilobytes(platform: str):
    assert run(Text(text="x" * (MAX_REPLY - 1000)), message(platform))
    found = error([PERSON, Text(text="x" * MAX_REPLY)], message(platform))
    assert found.startswith("reply 1 is 3501")
    assert found.endswith("at most 350000 can be stored: give large media as a URL")


@pytest.mark.parametrize("platform", NAMES)
@pytest.mark.parametrize("returned", ["done", None])
def test_a_state_has_at_most_350_kilobytes(platform: str, returned: Any):
    bot = Bot()

    @bot.fallback
    def hoard(turn: Turn) -> Any:
        turn.state["all"] = PERSON + "x" * turn.state.get("size", 0)
        return returned

    assert bot.handle(Turn(message(platform), {"size": MAX_STATE - 100})) == ([Reply.of("done")] if returned else [])
    assert bot.handle(Turn(message(platform), {"size": MAX_STATE})) == [Reply.of(BOTH.too_much)]


def test_state_and_replies_have_at_most_3900_kilobytes_together():
    text = Text(text="x" * (MAX_REPLY - 1000))
    assert run([text] * 11, message("feishu"))
    assert error([text] * 12, message("feishu")).endswith(f"at most {MAX_DECISION} can be decided at once")
    bot = Bot()
    bot.fallback(lambda: [text] * 11)
    with pytest.raises(ResultError, match=r"^state and replies are"):
        bot.handle(Turn(message("feishu"), {"all": "x" * 349_000}))


@pytest.mark.parametrize(
    ("state", "problem", "place"),
    [
        ({"it": object()}, "a value of type object, which JSON has not", "state['it']"),
        ({"it": {1, 2}}, "a value of type set, which JSON has not", "state['it']"),
        ({"it": [(1, 2)]}, "a value of type tuple, which JSON has not", "state['it'][0]"),
        ({"it": datetime.now(UTC)}, "a value of type datetime, which JSON has not", "state['it']"),
        ({"it": {3: "x"}}, "a key of type int; JSON has text keys only", "state['it']"),
        ({"it": [float("nan")]}, "a number that is not finite, which JSON has not", "state['it'][0]"),
        ({"it": -float("inf")}, "a number that is not finite, which JSON has not", "state['it']"),
        ({"it": "\ud83d"}, "a text with half of a character, which JSON has not", "state['it']"),
        ({"it": {"\ude00": 1}}, "a text with half of a character, which JSON has not", "state['it']"),
    ],
)
def test_a_state_that_would_come_back_as_something_else_is_an_error(state: dict[str, Any], problem: str, place: str):
    bot = Bot()
    bot.fallback(lambda: "done")
    with pytest.raises(ResultError) as raised:
        bot.handle(Turn(message("feishu"), state))
    assert str(raised.value) == f"state has {problem}"
    assert raised.value.__notes__ == [f"at {place}"]


@pytest.mark.parametrize("returned", [7, {"a": 1}, b"x", ["x", 7], [["x"]]])
def test_a_value_that_is_no_reply_is_an_error_that_names_what_is_possible(returned: Any):
    bot = Bot()
    bot.fallback(lambda: returned)
    with pytest.raises(
        ResultError, match=r"a handler returned (int|dict|bytes|a list inside a list); possible are str, a segment"
    ):
        bot.handle(Turn(message("feishu")))


def test_the_turn_names_the_handler_that_runs():
    bot = Bot()

    @bot.fallback
    def anything() -> None:
        return None

    turn = Turn(message("feishu"))
    bot.handle(turn)
    assert re.fullmatch(r"anything, test_results\.py:\d+", turn.handler)


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (Text(text=7), "reply 0 is not valid: Expected `str`, got `int` - at `$.segments[0].text`"),  # type: ignore[arg-type]
        (Reply(segments=("x",)), "reply 0 is not valid: Expected `object`, got `str`"),  # type: ignore[arg-type]
        (Text(text="\ud800" + PERSON), "reply 0 is not valid: UnicodeEncodeError"),
        (Reply(segments=(object(),)), "reply 0 is not valid: TypeError"),  # type: ignore[arg-type]
    ],
)
def test_a_reply_that_is_not_valid_is_an_error(returned: Any, expected: str):
    assert error(returned, message("feishu")).startswith(expected)


@pytest.mark.parametrize("platform", NAMES)
@pytest.mark.parametrize("segments", [(), (Text(text=" "),), (Markdown(text=""), Text(text="\n"))])
def test_an_edit_has_content(platform: str, segments: Any):
    expected = "reply 0 is an edit without a text, card or file"
    assert error(Reply(op="edit", target="card", segments=segments), press(platform)) == expected


# --- instant answers --------------------------------------------------------------------------------------------------

INPUT = Input(id="i", label="L")


def instantly(result: Any, platform: str, **command: Any) -> Any:
    bot = Bot()
    bot.instant("go")(lambda _message: result)
    return bot.instantly(message(platform, kind="command", command=Command(name="go", **command)))


def form(**fields: Any) -> Form:
    return Form(**({"id": "f", "title": "T", "inputs": (INPUT,)} | fields))


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (form(inputs=(INPUT,) * 6), "form 'f': Discord shows 1 to 5 inputs, not 6"),
        (form(inputs=()), "form 'f': Discord shows 1 to 5 inputs, not 0"),
        (form(title=" "), "form 'f': the title is empty"),
        (form(value="v" * 99), "id and value have 101 characters together; Discord takes 1 to 100"),
        (form(inputs=(Input(id="i" * 101, label="L"),)), "an id has 1 to 100 characters"),
        (Choices((Choice("A", "a"),)), "Discord: choices answer a completion"),
    ],
)
def test_a_form_that_discord_refuses_is_an_error(wrong: Any, expected: str):
    with pytest.raises(ResultError, match=expected):
        instantly(wrong, "discord")
    assert instantly(wrong, "feishu") == wrong  # never called there: it has no forms


def test_what_an_instant_answer_mends_is_no_error():
    long = form(title="t" * 100, inputs=(Input(id="i", label="l" * 100, help="h" * 200, placeholder="p" * 200),))
    assert instantly(long, "discord") == long
    many = Choices(tuple(Choice(str(number), number) for number in range(30)))
    bot = Bot()
    bot.completion("go", "title")(lambda _typed: many.choices)
    typing = Command(name="go", options={"title": ""}, focused="title")
    assert bot.instantly(message("discord", kind="command", command=typing)) == many
