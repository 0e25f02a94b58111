"""Replies of Parley at the imitation: a part that Feishu refuses costs that part only."""

import json
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from parley.adapter import Answer, Call, Headers, Permanent, Sent, fallback
from parley.journal.states import is_safe_to_repeat
from parley.model import Button, Card, Destination, Image, Markdown, Mention, Outgoing, Quote, Reply, Text
from parley.platforms.feishu.outbound import deliver, outcome
from playground.platforms.base import NewMessage
from tests.conformance.feishu import make_app

APP = make_app()
BUTTONS = (Button(id="a", label="A"),)
TABLE = "| a | b |\n| --- | --- |\n| 1 | 2 |\n"


class Sender:
    """Delivers as the engine does: each refused part is left out."""

    def __init__(self, bot: Any, clock: Any, room: str, message_id: str = "") -> None:
        self.bot, self.clock, self.replies = bot, clock, 0
        self.to = Destination(platform="feishu", app="demo", room_id=room, message_id=message_id, kind="message")

    def deliver(self, *segments: Any, to: dict[str, Any] | None = None, **reply: Any) -> Outgoing:
        """The form of the reply that was accepted."""
        self.replies += 1
        self.clock.now += 1
        out = Outgoing(
            id=f"{self.replies:032}",
            message_key="k",
            ordinal=0,
            to=replace(self.to, **(to or {})),
            reply=Reply(segments=segments or (Text(text="words"),), **reply),
            created=0,
        )
        while (refused := self.attempt(out)) is not None:
            next_form = fallback(out, refused.part)
            assert next_form is not None, refused
            out = next_form
        return out

    def attempt(self, out: Outgoing) -> Permanent | None:
        steps = deliver(out, APP, 0)
        call = next(steps)
        while True:
            result = self.make(call)
            if isinstance(result, Permanent):
                return result
            assert isinstance(result, Sent), result
            try:
                call = steps.send(result)
            except StopIteration:
                return None

    def make(self, call: Call) -> Any:
        answer: httpx.Response = self.bot.http.request(
            call.method, call.url, params=call.query, json=call.json, headers=self.bot.headers
        )
        return outcome(call, Answer(answer.status_code, answer.content, Headers(dict(answer.headers))))


@pytest.fixture
def asked(feishu: Any, team: str) -> Any:
    """A message of a person in the group."""
    return feishu.send_message("demo", team, "lin", NewMessage(text="hello", deliver=False))


@pytest.fixture
def sender(bot: Any, clock: Any, team: str, asked: Any) -> Sender:
    return Sender(bot, clock, team, asked.id)


def last(feishu: Any) -> Any:
    return [message for message in feishu.messages.values() if message.sender_kind == "bot"][-1]


def tags(message: Any) -> list[str]:
    return [element["tag"] for element in message.content["body"]["elements"]]


def test_a_quote_stays_while_its_message_is_there(sender: Sender, feishu: Any, asked: Any) -> None:
    assert sender.deliver(quote=True).dropped == ()
    assert last(feishu).reply_to == asked.id


def test_a_withdrawn_message_costs_the_quote(sender: Sender, feishu: Any, asked: Any) -> None:
    asked.recalled = True
    assert sender.deliver(quote=True).dropped == ("quote",)
    assert (last(feishu).reply_to, last(feishu).content) == ("", {"text": "words"})


def test_an_unknown_quoted_message_costs_the_quote_but_not_its_words(sender: Sender, feishu: Any) -> None:
    assert sender.deliver(Quote(message_id="om_nowhere", text="earlier"), Text(text="words")).dropped == ("quote",)
    assert last(feishu).content == {"text": "> earlier\nwords"}


def test_a_withdrawn_message_in_a_thread_costs_both(sender: Sender, feishu: Any, asked: Any) -> None:
    asked.recalled = True
    assert sender.deliver(quote=True, to={"thread_id": "omt_1"}).dropped == ("quote", "thread")
    assert last(feishu).content == {"text": "words"}


def test_a_thread_that_cannot_be_opened_costs_the_thread_and_keeps_the_quote(
    sender: Sender, feishu: Any, team: str, asked: Any
) -> None:
    feishu.without_threads.add(team)
    assert sender.deliver(thread=True, quote=True).dropped == ("thread",)
    assert (last(feishu).reply_to, last(feishu).thread) == (asked.id, "")


def test_a_person_who_cannot_be_reached_gets_the_answer_in_the_room(sender: Sender, feishu: Any, team: str) -> None:
    assert sender.deliver(private=True, to={"user_id": "ou_nobody"}).dropped == ("private",)
    assert last(feishu).room == team


def test_a_card_keeps_its_buttons_whatever_its_text_and_picture(sender: Sender, feishu: Any) -> None:
    texts = [
        "![c](https://example.com/c.png)",
        "[x](ftp://example.com)",
        f"{TABLE}\n" * 6,
        "`a[0](b)`",
    ]
    for text in texts:
        assert sender.deliver(Card(text=text, image="https://example.com/p.png", buttons=BUTTONS)).dropped == ()
        assert tags(last(feishu)) == ["markdown", "column_set"]
    assert sender.deliver(Card(text="x", image="not a key", buttons=BUTTONS)).dropped == ("media",)
    assert tags(last(feishu)) == ["markdown", "column_set"]
    mail = Button(id="m", label="Mail", url="mailto:li@example.com")
    assert sender.deliver(Card(text="x", buttons=(mail, *BUTTONS))).dropped == ()
    assert "mailto:li@example.com" in json.dumps(last(feishu).content)


def test_markdown_in_the_place_of_a_pressed_card_is_accepted(sender: Sender, feishu: Any) -> None:
    sender.deliver(Card(text="x", buttons=BUTTONS))
    card = last(feishu)
    text = Markdown(text=f"![c](https://example.com/c.png) [x](javascript:alert(1))\n{TABLE}\n" + f"{TABLE}\n" * 6)
    sender.deliver(text, Mention(id="ou_1"), op="edit", target=card.id, to={"kind": "action", "message_id": card.id})
    assert tags(card) == ["markdown"]


def test_the_answer_to_a_press_in_a_topic_is_in_the_topic(sender: Sender, feishu: Any) -> None:
    sender.deliver(Card(text="x", buttons=BUTTONS), thread=True)
    card = last(feishu)
    sender.deliver(Text(text="pressed"), Image(key=""), to={"kind": "action", "message_id": card.id})
    assert card.thread
    assert last(feishu).thread == card.thread
    card.recalled = True
    out = sender.deliver(Text(text="pressed again"), to={"kind": "action", "message_id": card.id}, target="")
    assert out.dropped == ("quote",)


# --- the idempotency window -------------------------------------------------------------------------------------------


def test_an_edit_changes_the_message_while_it_can_be_edited(sender: Sender, feishu: Any) -> None:
    sender.deliver(Text(text="one"))
    first = last(feishu)
    assert sender.deliver(Text(text="two"), op="edit", target=first.id).dropped == ()
    assert (first.content, last(feishu).id) == ({"text": "two"}, first.id)


@pytest.mark.parametrize(("name", "value"), [("recalled", True), ("edits", 20)])
def test_an_edit_of_a_message_that_cannot_be_edited_is_a_new_message(
    sender: Sender, feishu: Any, name: str, value: Any
) -> None:
    sender.deliver(Text(text="one"))
    first = last(feishu)
    setattr(first, name, value)
    assert sender.deliver(Text(text="two"), op="edit", target=first.id).dropped == ("target",)
    assert (first.content, last(feishu).content) == ({"text": "one"}, {"text": "two"})


def test_an_edit_of_a_card_is_a_new_message_after_two_weeks(sender: Sender, feishu: Any) -> None:
    sender.deliver(Card(title="one"))
    first = last(feishu)
    first.at -= 15 * 86_400
    assert sender.deliver(Card(title="two"), op="edit", target=first.id).dropped == ("target",)
    assert last(feishu).id != first.id


def test_an_edit_of_a_card_to_a_text_and_of_a_text_to_a_card_keeps_the_words(sender: Sender, feishu: Any) -> None:
    """Feishu edits no message into another type. A card in the place of a text is sent in plain text."""
    sender.deliver(Card(title="one"))
    card = last(feishu)
    assert sender.deliver(Text(text="two"), op="edit", target=card.id).dropped == ("target",)
    text = last(feishu)
    assert text.content == {"text": "two"}
    sender.deliver(Card(title="three"), op="edit", target=text.id)
    assert last(feishu).content == {"text": "three"}


def test_an_edit_of_an_unknown_message_is_a_new_message(sender: Sender, feishu: Any) -> None:
    assert sender.deliver(Text(text="words"), op="edit", target="om_nowhere").dropped == ("target",)
    assert last(feishu).content == {"text": "words"}


def test_a_repeat_that_ends_inside_the_hour_is_the_same_message(sender: Sender, feishu: Any, clock: Any) -> None:
    """The engine adds the lease to the time of a repeat: only one that ends within the hour is made."""
    out = sender.deliver()
    count, started, lease = len(feishu.messages), clock.now, 26
    call = next(deliver(out, APP, 0))
    clock.now = started + 3600 - lease - 1
    assert is_safe_to_repeat(call, started, clock.now + lease)
    clock.now += lease  # it stalls for as long as the lease allows
    sender.make(call)
    assert len(feishu.messages) == count
    clock.now = started + 3600 - lease
    assert not is_safe_to_repeat(call, started, clock.now + lease)
    clock.now += lease + 1
    sender.make(call)
    assert len(feishu.messages) == count + 1
