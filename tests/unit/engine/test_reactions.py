"""A reaction that is refused, repeated, or has no message."""

from typing import Any

import pytest

from parley.adapter import IDEMPOTENT, Answer
from parley.journal.states import ReplyState
from parley.model import Reply
from tests.unit.conftest import Clock
from tests.unit.engine.scripted import LOST, Scripted, answered, refusal

pytestmark = pytest.mark.usefixtures("aws")
PLACES: dict[str, dict[str, Any]] = {
    "feishu": {"room_id": "oc_1", "message_id": "om_1"},
    "discord": {"tenant": "20", "room_id": "30", "message_id": "7"},
}
LIKE = Reply(op="react", emoji="👍")
BOTH = pytest.mark.parametrize("platform", PLACES)
GONE = [
    *(("feishu", refusal("feishu", code)) for code in (231003, 231004, 231005, 230011, 230110)),
    *(("discord", refusal("discord", code, 404)) for code in (10008, 10003)),
]
REFUSED = [
    *(("feishu", refusal("feishu", code)) for code in (231001, 231002, 231008, 99991672, 99992402, 230001)),
    *(("discord", refusal("discord", code, 403)) for code in (50001, 50013, 30010, 90001)),
    ("discord", refusal("discord", 10014, 400)),
]
"""An unknown emoji, and a permission that is missing. Feishu docs: Message reaction. Discord docs: JSON Error Codes."""


@BOTH
def test_a_reaction_is_one_call_that_can_be_repeated(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str
) -> None:
    world = Scripted(platform, clock, monkeypatch, answered(react=[LOST]))
    row = world.deliver(LIKE, **PLACES[platform])
    assert (row.state, world.names) == (ReplyState.SENT, ["react", "react"])
    assert {call.idempotent_for for call in world.made} == {IDEMPOTENT}
    assert not any(call.is_message for call in world.made)


@pytest.mark.parametrize(("platform", "gone"), GONE)
def test_a_reaction_to_a_message_that_is_gone_is_done(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str, gone: Answer
) -> None:
    world = Scripted(platform, clock, monkeypatch, lambda *_: gone)
    row = world.deliver(LIKE, **PLACES[platform])
    assert (row.state, row.reason, world.names) == (ReplyState.SENT, "", ["react"])


@pytest.mark.parametrize(("platform", "refused"), REFUSED)
def test_a_reaction_that_is_refused_fails_and_becomes_no_message(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str, refused: Answer
) -> None:
    world = Scripted(platform, clock, monkeypatch, lambda *_: refused)
    row = world.deliver(LIKE, **PLACES[platform])
    assert (row.state, world.names) == (ReplyState.FAILED, ["react"])
    assert str(refused.json()["code"]) in row.reason


def test_feishu_is_asked_again_while_it_adds_the_same_reaction(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    world = Scripted("feishu", clock, monkeypatch, answered(react=[refusal("feishu", 231015)]))
    assert world.deliver(LIKE, **PLACES["feishu"]).state is ReplyState.SENT
    assert world.names == ["react", "react"]


@pytest.mark.parametrize("emoji", ["🦄", "two words", "name:1", "é"])
def test_an_emoji_that_feishu_does_not_have_fails_without_a_call(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, emoji: str
) -> None:
    world = Scripted("feishu", clock, monkeypatch, answered())
    row = world.deliver(Reply(op="react", emoji=emoji), **PLACES["feishu"])
    assert (row.state, world.names) == (ReplyState.FAILED, [])
    assert "Feishu has no reaction" in row.reason


@pytest.mark.parametrize("emoji", ["👍", "👍🏽", "THUMBSUP"])
def test_feishu_gets_its_own_name_of_an_emoji(monkeypatch: pytest.MonkeyPatch, clock: Clock, emoji: str) -> None:
    world = Scripted("feishu", clock, monkeypatch, answered())
    world.deliver(Reply(op="react", emoji=emoji), **PLACES["feishu"])
    assert [call.json for call in world.made] == [{"reaction_type": {"emoji_type": "THUMBSUP"}}]


@pytest.mark.parametrize(
    ("emoji", "path"), [("❤️", "%E2%9D%A4%EF%B8%8F"), ("parrot:42", "parrot%3A42"), ("👍/x", "%F0%9F%91%8D%2Fx")]
)
def test_discord_gets_the_emoji_as_one_segment_of_the_path(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, emoji: str, path: str
) -> None:
    world = Scripted("discord", clock, monkeypatch, answered())
    world.deliver(Reply(op="react", emoji=emoji), **PLACES["discord"])
    assert [call.url.partition("/channels/")[2] for call in world.made] == [f"30/messages/7/reactions/{path}/@me"]


@pytest.mark.parametrize("emoji", ["THUMBSUP", ":thumbsup:", "..", "parrot:", "a/b"])
def test_a_text_that_is_no_emoji_of_discord_fails_without_a_call(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, emoji: str
) -> None:
    world = Scripted("discord", clock, monkeypatch, answered())
    row = world.deliver(Reply(op="react", emoji=emoji), **PLACES["discord"])
    assert (row.state, world.names) == (ReplyState.FAILED, [])
    assert "neither a Unicode emoji nor" in row.reason


@pytest.mark.parametrize("platform", ["feishu", "discord", "wecom", "wechat"])
def test_there_is_nothing_to_do_without_a_message(monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str) -> None:
    world = Scripted(platform, clock, monkeypatch, answered())
    row = world.deliver(LIKE, room_id="30", user_id="50")
    assert (row.state, world.names) == (ReplyState.SENT, [])


def test_a_webhook_of_feishu_has_no_reactions(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    world = Scripted("feishu", clock, monkeypatch, answered())
    row = world.deliver(Reply(op="react", emoji="👍", target="om_1"), webhook="alerts")
    assert (row.state, world.names) == (ReplyState.SENT, [])


@pytest.mark.parametrize(
    ("platform", "state"),
    [
        ("feishu", ReplyState.FAILED),
        ("discord", ReplyState.FAILED),
        ("wecom", ReplyState.SENT),
        ("wechat", ReplyState.SENT),
    ],
)
def test_a_reaction_to_a_reply_without_an_id_fails_where_there_are_reactions(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str, state: ReplyState
) -> None:
    """The row of that reply is gone: it is older than the retention."""
    world = Scripted(platform, clock, monkeypatch, answered())
    row = world.deliver(Reply(op="react", emoji="👍", target="reply:0123"), room_id="30", user_id="50")
    assert (row.state, world.names) == (state, [])
    assert ("id of the message is not known" in row.reason) == (state is ReplyState.FAILED)
