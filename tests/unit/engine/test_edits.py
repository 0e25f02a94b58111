"""An edit that is not possible is sent as a new message. A recall of a message that is gone is done."""

import json
from typing import Any

import msgspec
import pytest

from parley.adapter import Answer, App, Call
from parley.crypto import seal
from parley.journal.states import ReplyState
from parley.model import Card, Image, Reply, Text
from parley.platforms.discord import interaction_token
from parley.platforms.discord.interaction_token import InteractionToken
from tests.conformance.adapters import wecom
from tests.conformance.adapters.discord import APP as DISCORD
from tests.conformance.adapters.discord import INTERACTION_TOKEN
from tests.unit.conftest import Clock
from tests.unit.engine.scripted import ADAPTERS, LOST, Scripted, answered, refusal

pytestmark = pytest.mark.usefixtures("aws")
DONE = (Text(text="done"),)
TARGETS = {"feishu": "om_7", "discord": "7", "wecom": "task-42"}
FEISHU = (230011, 230110, 230031, 230075, 230072, 230050, 230111, 230054, 230071, 230073, 230074, 230017, 99992354)
GONE = [
    *(("feishu", "edit", refusal("feishu", code)) for code in FEISHU),
    ("feishu", "update", refusal("feishu", 230011)),
    ("feishu", "update", refusal("feishu", 230031)),
    ("feishu", "edit", refusal("feishu", 230001, msg="invalid parameter, ext=invalid message_id")),
    *(("discord", "edit", refusal("discord", code, 404)) for code in (10008, 10003)),
    *(("discord", "edit", refusal("discord", code, 403)) for code in (50005, 50021, 50083, 160005)),
    ("wecom", "update", refusal("wecom", 40058)),
    ("wecom", "update", refusal("wecom", 72023)),
]
"""Refusals of an edit because of its target. Feishu docs: Edit message, Update card. Discord docs: JSON Error Codes."""


def place(platform: str, clock: Clock) -> dict[str, Any]:
    """The destination of the answer to a press."""
    to: dict[str, Any] = {"user_id": "50", "kind": "action", "message_id": TARGETS[platform]}
    if platform == "wecom":
        return to | {"reply_token": seal(wecom.SECRET, "CODE"), "reply_token_expires": int(clock.now) + 1000}
    # Feishu turns an edit of the pressed card into a card.
    return to | {"room_id": "30"} | ({"kind": "message", "message_id": "om_1"} if platform == "feishu" else {})


def interaction(clock: Clock, *, private: bool = False, thinking: bool = True) -> dict[str, Any]:
    """The destination of the answer to a command on Discord."""
    token = InteractionToken(token=INTERACTION_TOKEN, thinking=thinking, private=private)
    sealed = interaction_token.seal(DISCORD.config, token)
    place = {"tenant": "20", "room_id": "30", "user_id": "50", "kind": "command"}
    return place | {"reply_token": sealed, "reply_token_expires": int(clock.now) + 600}


@pytest.mark.parametrize(("platform", "name", "gone"), GONE)
def test_an_edit_whose_message_is_gone_or_cannot_be_edited_is_a_new_message(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str, name: str, gone: Answer
) -> None:
    world = Scripted(platform, clock, monkeypatch, answered(**{name: [gone]}))
    segments = (Card(title="done", text="done"),) if name == "update" and platform == "feishu" else DONE
    reply = Reply(op="edit", target=TARGETS[platform], segments=segments)
    row = world.deliver(reply, **place(platform, clock))
    assert (row.state, row.out.dropped, len(world.made)) == (ReplyState.SENT, ("target",), 2)
    assert (row.out.reply.op, row.out.reply.target) == ("send", "")
    refused, sent = world.made
    assert (refused.edits, sent.edits) == (True, False)
    assert "done" in json.dumps(sent.json)


@pytest.mark.parametrize(
    ("platform", "gone"),
    [
        *(("feishu", refusal("feishu", code)) for code in (230011, 230110)),
        *(("discord", refusal("discord", code, 404)) for code in (10008, 10003)),
    ],
)
def test_a_recall_whose_message_is_gone_is_done(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str, gone: Answer
) -> None:
    world = Scripted(platform, clock, monkeypatch, lambda *_: gone)
    row = world.deliver(Reply(op="recall", target=TARGETS[platform]), **place(platform, clock))
    assert (row.state, row.out.dropped, world.names) == (ReplyState.SENT, (), ["recall"])


@pytest.mark.parametrize("platform", ["feishu", "discord"])
def test_a_recall_that_is_refused_has_no_other_form(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str
) -> None:
    world = Scripted(platform, clock, monkeypatch, lambda *_: refusal(platform, 230026, 403))
    row = world.deliver(Reply(op="recall", target=TARGETS[platform]), **place(platform, clock))
    assert (row.state, world.names) == (ReplyState.FAILED, ["recall"])


def test_an_edit_that_is_refused_for_another_reason_fails(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    world = Scripted("feishu", clock, monkeypatch, lambda *_: refusal("feishu", 230022))
    row = world.deliver(Reply(op="edit", target="om_7", segments=DONE), **place("feishu", clock))
    assert (row.state, row.reason, world.names) == (ReplyState.FAILED, "230022 no", ["edit"])


def test_an_edit_to_media_is_a_new_message_on_feishu(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    world = Scripted("feishu", clock, monkeypatch, answered())
    reply = Reply(op="edit", target="om_7", segments=(Image(key="img_1"),))
    row = world.deliver(reply, **place("feishu", clock))
    assert (row.state, row.out.dropped, world.names) == (ReplyState.SENT, ("target",), ["send"])


@pytest.mark.parametrize("platform", ["feishu", "wecom"])
def test_an_edit_through_a_webhook_is_a_new_push(monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str) -> None:
    world = Scripted(platform, clock, monkeypatch, answered())
    hook = next(iter(ADAPTERS[platform].app.config.webhooks))
    row = world.deliver(Reply(op="edit", target="m", segments=DONE), webhook=hook)
    assert (row.state, row.out.dropped, world.names) == (ReplyState.SENT, ("target",), ["push"])


def test_an_edit_is_a_new_message_on_wechat(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    world = Scripted("wechat", clock, monkeypatch, answered())
    row = world.deliver(Reply(op="edit", target="m", segments=DONE), user_id="lin")
    assert (row.state, world.names) == (ReplyState.SENT, ["send"])


@pytest.mark.parametrize("platform", ["feishu", "discord"])
def test_an_edit_without_a_target_is_an_error_of_the_bot(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str
) -> None:
    world = Scripted(platform, clock, monkeypatch, answered())
    row = world.deliver(Reply(op="edit", segments=DONE), **place(platform, clock))
    assert (row.state, world.names) == (ReplyState.FAILED, [])
    assert row.reason


def test_an_edit_to_a_card_without_buttons_on_wecom_is_said_once_and_in_one_piece(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """The text in the place of the buttons shows all of the card or none of it."""
    for text, words in (("Done.", "Approved Done."), ("Done. " * 20, "\u2026")):
        world = Scripted("wecom", clock, monkeypatch, answered())
        card = Card(title="Approved", text=text.strip())
        reply = Reply(op="edit", target=TARGETS["wecom"], segments=(card,))
        row = world.deliver(reply, ordinal=len(text), **place("wecom", clock))
        assert row.state is ReplyState.SENT
        update, *sent = [call.json for call in world.made]
        assert update["button"] == {"replace_name": words}
        assert len(sent) == (words == "\u2026")
        assert all("Approved" in str(body) and "Done." in str(body) for body in sent)


# --- lost answers -----------------------------------------------------------------------------------------------------


EDITS = [("feishu", "edit", 230075), ("feishu", "edit", 230072), ("discord", "edit", 10008), ("wecom", "update", 40058)]


@pytest.mark.parametrize(("policy", "state", "calls"), [("report", "UNKNOWN", 2), ("resend", "SENT", 3)])
@pytest.mark.parametrize(("platform", "name", "code"), EDITS)
def test_an_edit_that_may_have_been_made_is_not_repeated_as_a_message(
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
    platform: str,
    name: str,
    code: int,
    policy: str,
    state: str,
    calls: int,
) -> None:
    """The answer is lost, and the repeat is refused: perhaps because the first call has used up the last edit."""
    app = ADAPTERS[platform].app
    config = msgspec.structs.replace(app.config, on_unknown=policy)
    script = answered(**{name: [LOST, refusal(platform, code)]})
    world = Scripted(platform, clock, monkeypatch, script, App(platform, "demo", config))
    row = world.deliver(Reply(op="edit", target=TARGETS[platform], segments=DONE), **place(platform, clock))
    assert (str(row.state), len(world.made)) == (state, calls)


# --- Discord: the reply to an interaction -----------------------------------------------------------------------------


ORIGINAL = Reply(op="edit", target="@original", segments=DONE)
UNKNOWN_WEBHOOK, UNKNOWN_MESSAGE = refusal("discord", 10015, 404), refusal("discord", 10008, 404)


@pytest.mark.parametrize("ordinal", [0, 1])
@pytest.mark.parametrize("private", [False, True])
def test_an_edit_of_a_deleted_first_reply_is_a_follow_up(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, ordinal: int, private: bool
) -> None:
    world = Scripted("discord", clock, monkeypatch, answered(edit=[UNKNOWN_MESSAGE], answer=[UNKNOWN_MESSAGE]))
    row = world.deliver(ORIGINAL, ordinal=ordinal, **interaction(clock, private=private))
    assert (row.state, row.out.dropped) == (ReplyState.SENT, ("target",))
    assert world.names == (["edit", "follow_up"] if ordinal else ["edit", "answer", "follow_up"])
    assert world.made[-1].json.get("flags", 0) == (64 if private else 0)


def test_an_edit_of_the_first_reply_after_its_token_has_expired_is_a_new_message(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    world = Scripted("discord", clock, monkeypatch, lambda *_: None)
    to: dict[str, Any] = interaction(clock) | {"reply_token_expires": int(clock.now)}
    row = world.deliver(ORIGINAL, ordinal=1, **to)
    assert (row.state, row.out.dropped, world.names) == (ReplyState.SENT, ("target",), ["send"])


def test_an_edit_of_the_first_reply_whose_token_is_refused_is_a_new_message(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    world = Scripted("discord", clock, monkeypatch, answered(edit=[UNKNOWN_WEBHOOK]))
    row = world.deliver(ORIGINAL, ordinal=1, **interaction(clock))
    assert (row.state, row.out.dropped, world.names) == (ReplyState.SENT, ("target",), ["edit", "send"])


@pytest.mark.parametrize("private", [False, True])
def test_a_part_that_was_edited_before_the_token_expired_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, private: bool
) -> None:
    """The second message of the edit finds the token refused."""
    world = Scripted("discord", clock, monkeypatch, answered(follow_up=[UNKNOWN_WEBHOOK]))
    reply = Reply(op="edit", target="@original", segments=(Text(text="one " * 400 + "two " * 200),), private=private)
    row = world.deliver(reply, ordinal=1, **interaction(clock, private=private))
    assert row.state is ReplyState.SENT
    edited, _, *sent = world.made
    assert (edited.name, sent[-1].name) == ("edit", "send")
    texts = [call.json["content"] for call in (edited, *sent) if call.name != "open"]
    assert " ".join(texts).split() == ["one"] * 400 + ["two"] * 200


def test_an_edit_of_a_first_reply_with_a_lost_answer_is_not_sent_after_its_token_has_expired(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    world = Scripted("discord", clock, monkeypatch, answered(edit=[LOST, UNKNOWN_WEBHOOK]))
    row = world.deliver(ORIGINAL, ordinal=1, **interaction(clock))
    assert (row.state, world.names) == (ReplyState.UNKNOWN, ["edit", "edit"])


def test_the_private_edit_of_a_private_message_stays_private_when_the_message_is_gone(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """The bot token does not reach an ephemeral message. Its words must not appear in the channel."""
    world = Scripted("discord", clock, monkeypatch, answered(edit=[UNKNOWN_MESSAGE]))
    to: dict[str, Any] = interaction(clock, private=True, thinking=False) | {"kind": "action", "message_id": "7"}
    row = world.deliver(Reply(op="edit", target="7", segments=DONE), **to | {"reply_token_expires": int(clock.now)})
    assert (row.state, world.names) == (ReplyState.SENT, ["edit", "open", "send"])
    assert "/channels/30/" not in world.made[-1].url


def test_a_later_message_of_an_edit_with_a_lost_answer_is_not_sent_in_another_way(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """A follow-up may have been delivered. Its nonce is not that of the message with the bot's token."""

    def script(call: Call, _: int) -> Answer | None:
        if call.name != "follow_up":
            return None
        clock.now += 600
        return LOST

    world = Scripted("discord", clock, monkeypatch, script)
    to: dict[str, Any] = interaction(clock, thinking=False) | {"kind": "action", "message_id": "7"}
    row = world.deliver(Reply(op="edit", target="7", segments=(Text(text="word " * 500),)), **to)
    assert (row.state, world.names) == (ReplyState.UNKNOWN, ["edit", "follow_up"])
