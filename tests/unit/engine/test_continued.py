"""A part that the platform refuses in any message of a reply costs no words, and nothing is said twice."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.adapter import Answer, App, Call, Outcome, Sent
from parley.crypto import seal
from parley.engine.attempt import Attempt, Attempts, CallSequence, Completed, Fallback
from parley.engine.calls import CallContext
from parley.engine.rate_limiter import Reserved
from parley.errors import RetryAfter
from parley.journal.states import ReplyState
from parley.model import AnySegment, Button, Card, Destination, Link, Markdown, Mention, Outgoing, Quote, Reply, Text
from parley.platforms import outbound
from parley.platforms.discord import interaction_token
from parley.platforms.discord.interaction_token import InteractionToken
from parley.platforms.discord.outcome import CONTINUED
from tests.conformance.adapters import wecom
from tests.conformance.adapters.discord import INTERACTION_TOKEN
from tests.unit.engine.scripted import ADAPTERS, refusal

NOW = 1_800_000_000.0
WORD = re.compile(r"w\d+w")
BUTTONS: dict[str, Any] = {
    "components": {"0": {"components": {"0": {"custom_id": {"_errors": [{"code": "X", "message": "x"}]}}}}}
}


@dataclass(frozen=True)
class Refused:
    """A platform refuses each message with `marker` in it, for example a button."""

    marker: str
    answer: Answer


REFUSALS = {
    "discord": (
        Refused('"custom_id"', refusal("discord", 50035, errors=BUTTONS)),
        Refused('"embeds": [{', refusal("discord", 50035)),
        Refused('"embeds": [{', refusal("discord", 50006)),
        Refused("<@", refusal("discord", 50035, errors={"content": {"_errors": []}})),
    ),
    "feishu": (
        Refused('"button"', refusal("feishu", 230099, msg="invalid url in behaviors")),
        Refused('"interactive"', refusal("feishu", 230099)),
        Refused('"post"', refusal("feishu", 230001)),
    ),
    "wecom": (
        Refused('"template_card"', refusal("wecom", 40058)),
        Refused('"markdown"', refusal("wecom", 40008)),
    ),
    "wechat": (Refused('"msgmenu"', refusal("wechat", 40008)),),
}


@dataclass
class Platform:
    """The API: it shows messages, or refuses them. `texts` are the messages that people see, in order."""

    name: str
    refused: Refused
    only: str
    """A word: only messages with it are refused."""
    expires: float
    """When the interaction token expires."""
    step: float
    """Seconds that each call takes."""
    gone: bool
    """Whether somebody has deleted "thinking..."."""
    now: float = NOW
    texts: dict[str, str] = field(default_factory=dict[str, str])
    names: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])

    def make(self, context: CallContext, call: Call, _reserved: Reserved) -> Outcome:
        """The outcome of a call, as `Calls.make` returns it."""
        self.names.append(call.name)
        self.notes.append(call.note)
        found = context.platform.outcome(call, self.answer(call))
        self.now += self.step
        return found

    def answer(self, call: Call) -> Answer:
        by_token = self.name == "discord" and call.auth is None
        if by_token and self.now >= self.expires:
            return refusal("discord", 10015, 404)
        if call.name == "recall":
            return Answer(204)
        if self.gone and call.name == "answer":
            return refusal("discord", 10008, 404)
        text = decoded(call)
        if self.refused.marker in text and self.only in text:
            return self.refused.answer
        number = len(self.names)
        if call.is_message:
            self.show(call, text, number)
        return ADAPTERS[self.name].receipt(call, number)

    def show(self, call: Call, text: str, number: int) -> None:
        """Show a message. An edit replaces a message; a repeat, by its idempotency key, must be the same message."""
        if call.edits:
            self.texts[call.name] = text
            return
        key = nonce(call) or str(number)
        assert self.texts.setdefault(key, text) == text

    def count(self) -> Counter[str]:
        """How often people see each word."""
        # The text in the place of the buttons of a WeCom card is a preview of the messages after it.
        labels = [text for text in self.texts.values() if "replace_name" in text]
        counted = Counter(word for text in self.texts.values() if text not in labels for word in WORD.findall(text))
        return counted | Counter({word: 1 for text in labels for word in WORD.findall(text)})


def decoded(call: Call) -> str:
    """The body of a call, with JSON inside of JSON decoded."""
    body = call.json or {}
    content = body.get("content")
    if isinstance(content, str) and content.startswith("{"):
        body = {**body, "content": json.loads(content)}
    return json.dumps(body, ensure_ascii=False)


def nonce(call: Call) -> str:
    """The idempotency key of a call; empty if it has none."""
    body = call.json or {}
    return str(body.get("nonce") or body.get("uuid") or "")


class NoOutbox:
    """An outbox that stores nothing."""

    lease = 2.0

    def progress(self, *_: Any) -> None:
        """Do nothing."""


def delivered(out: Outgoing, platform: Platform) -> tuple[Completed, Outgoing]:
    """The final result of the attempts, as the deliverer makes them, and the last form of the reply."""
    adapter = ADAPTERS[platform.name]
    app = App(platform.name, "demo", adapter.app.config)
    attempts = Attempts(NoOutbox(), platform, lambda call: call, lambda: platform.now)  # type: ignore[arg-type]
    receipts: tuple[Sent, ...] = ()
    for number in range(1, 40):
        context = CallContext(out, app, outbound(platform.name))
        attempt = Attempt(context, "me", number, receipts, None, NOW, "")
        result = attempts.run(attempt, CallSequence(context, platform.now), Reserved())
        match result:
            case Completed():
                return result, out
            case Fallback(out=out, receipts=receipts):
                pass
            case RetryAfter(seconds=seconds):
                receipts = attempt.receipts
                platform.now += seconds
            case other:
                raise AssertionError(other)
    raise AssertionError("the reply never ends")


# --- replies ----------------------------------------------------------------------------------------------------------


class Words:
    """Gives each segment words of its own."""

    def __init__(self) -> None:
        self.given = 0

    def take(self, count: int = 1) -> str:
        """New words."""
        self.given += count
        return " ".join(f"w{number}w" for number in range(self.given - count, self.given))


def segment(kind: str, words: Words) -> AnySegment:
    match kind:
        case "text":
            return Text(text=f"{words.take(3)}\n")
        case "markdown":
            return Markdown(text=f"**{words.take()}** {words.take(2)}\n")
        case "long":
            return Text(text=f"{words.take(700)}\n")
        case "long markdown":
            return Markdown(text=f"{words.take(700)}\n")
        case "mention":
            return Mention(id="50", name=words.take())
        case "link":
            return Link(url="https://example.com/a", title=words.take(), description=words.take())
        case "quote":
            return Quote(message_id="", text=words.take())
        case "card":
            return Card(title=words.take(), text=words.take(2))
        case _:
            buttons = (Button(id="a", label="A"), Button(id="b", label="B", url="https://example.com/b"))
            return Card(title=words.take(), text=words.take(2), buttons=buttons)


KINDS = ("text", "markdown", "long", "long markdown", "link", "quote", "card", "buttons", "buttons")


@st.composite
def cases(draw: Callable[[Any], Any], platform: str) -> tuple[Outgoing, Platform, int]:
    words = Words()
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=6))
    segments = tuple(segment(kind, words) for kind in kinds)
    op = draw(st.sampled_from(["send", "send", "send", "edit"]))
    to: dict[str, Any] = {"user_id": "50", "message_id": "7"} if platform == "wechat" else place(platform, draw)
    lifetime = draw(st.sampled_from([10_000, 10_000, 3, 1, 0]))
    if platform in ("discord", "wecom") and "reply_token" in to:
        to["reply_token_expires"] = int(NOW) + lifetime
    reply = Reply(
        segments=segments,
        op=op,
        target="7" if op == "edit" else "",
        quote=draw(st.booleans()),
        private=draw(st.booleans()) if platform == "discord" else False,
    )
    out = Outgoing(
        id="0123456789abcdef0123456789abcdef",
        message_key="key",
        ordinal=draw(st.sampled_from([0, 1])),
        to=Destination(platform=platform, app="demo", **to),
        reply=reply,
        created=NOW,
    )
    api = Platform(
        name=platform,
        refused=draw(st.sampled_from(REFUSALS[platform])),
        only=f"w{draw(st.integers(0, words.given - 1))}w",
        expires=NOW + lifetime + draw(st.sampled_from([0, 30])),
        step=draw(st.sampled_from([0, 1])),
        gone=draw(st.booleans()),
    )
    return out, api, words.given


def place(platform: str, draw: Callable[[Any], Any]) -> dict[str, Any]:
    to: dict[str, Any] = {"user_id": "50", "message_id": "7", "kind": draw(st.sampled_from(["message", "action"]))}
    if platform == "wecom":
        return to | ({"reply_token": seal(wecom.SECRET, "CODE")} if to["kind"] == "action" else {})
    to |= {"room_id": "30", "tenant": draw(st.sampled_from(["20", ""]))}
    if platform == "discord" and draw(st.booleans()):
        token = InteractionToken(token=INTERACTION_TOKEN, thinking=draw(st.booleans()), private=draw(st.booleans()))
        to |= {"reply_token": interaction_token.seal(ADAPTERS["discord"].app.config, token), "kind": "command"}
    return to


@pytest.mark.parametrize("platform", ["discord", "feishu", "wecom", "wechat"])
def test_nothing_is_lost_and_nothing_is_said_twice(platform: str) -> None:
    @given(cases(platform))
    @settings(max_examples=150)
    def check(case: tuple[Outgoing, Platform, int]) -> None:
        out, api, words = case
        result, last = delivered(out, api)
        counted = api.count()
        assert max(counted.values(), default=0) <= 1, (counted, api.names, last.dropped)
        # The operator is told: the token expired after private messages; the label of a card hides what was sent.
        hidden = api.notes[-1] == CONTINUED or (platform == "wecom" and out.reply.op == "edit")
        if result.state is ReplyState.FAILED and hidden:
            return
        assert result.state is ReplyState.SENT, (result, api.names, last.dropped)
        missing = [n for n in range(words) if f"w{n}w" not in counted]
        assert not missing, (missing, api.names, last.dropped)

    check()


# --- Discord ----------------------------------------------------------------------------------------------------------


CARD = Card(title="w0w", text="w1w", buttons=(Button(id="a", label="A"),))
LATER = Card(
    title="w2w", text="w3w", buttons=(Button(id="bad", label="B"), Button(id="u", label="U", url="https://e.com"))
)
BAD_BUTTON = Refused('"bad"', refusal("discord", 50035, errors=BUTTONS))


def discord(
    *segments: AnySegment, interaction: InteractionToken | None, private: bool = False, **api: Any
) -> tuple[Completed, Outgoing, Platform]:
    """The delivery of a reply to a command or, without `interaction`, to a room."""
    platform = Platform("discord", BAD_BUTTON, "", **{"expires": NOW + 900, "step": 0, "gone": False, **api})
    to: dict[str, Any] = {"room_id": "30", "tenant": "20", "user_id": "50", "kind": "command"}
    if interaction is not None:
        sealed = interaction_token.seal(ADAPTERS["discord"].app.config, interaction)
        to |= {"reply_token": sealed, "reply_token_expires": int(platform.expires)}
    out = Outgoing(
        id="0123456789abcdef0123456789abcdef",
        message_key="key",
        ordinal=0,
        to=Destination(platform="discord", app="demo", **to),
        reply=Reply(segments=segments, private=private),
        created=NOW,
    )
    return *delivered(out, platform), platform


def test_the_rest_of_a_first_reply_is_a_follow_up_and_never_replaces_the_original() -> None:
    result, out, api = discord(CARD, LATER, interaction=InteractionToken(token="t", thinking=True))
    assert (result.state, out.dropped, api.names) == (
        ReplyState.SENT,
        ("sent", "buttons"),
        ["answer", "follow_up", "follow_up"],
    )
    original, rest = api.texts.values()
    assert ('"custom_id"' in original, "w0w" in original) == (True, True)
    assert ('"custom_id"' in rest, "w2w" in rest, "U https://e.com" in rest) == (False, True, True)


def test_the_rest_of_a_private_reply_to_a_public_command_stays_private() -> None:
    """The public "thinking..." is deleted once."""
    interaction = InteractionToken(token="t", thinking=True)
    result, _, api = discord(CARD, LATER, interaction=interaction, private=True)
    assert (result.state, api.names) == (ReplyState.SENT, ["recall", "follow_up", "follow_up", "follow_up"])
    assert all('"flags": 64' in text for text in api.texts.values())


def test_the_rest_of_a_message_in_a_channel_has_nonces_of_its_own() -> None:
    result, out, api = discord(CARD, LATER, interaction=None)
    assert (result.state, out.dropped, api.names) == (ReplyState.SENT, ("sent", "buttons"), ["send", "send", "send"])
    assert len(api.texts) == 2


@pytest.mark.parametrize("gone", [False, True])
def test_a_deleted_thinking_is_no_message_after_the_token_has_expired(gone: bool) -> None:
    """The answer finds "thinking..." deleted. Then the token expires, and the first message is refused."""
    interaction = InteractionToken(token="t", thinking=True)
    result, out, api = discord(LATER, Text(text="w4w"), interaction=interaction, expires=NOW + 1, step=1, gone=gone)
    assert result.state is ReplyState.SENT
    assert set(api.count().values()) == {1}
    assert len(api.count()) == 3
    assert out.form == "rich"


def test_private_messages_before_the_token_expired_are_not_said_again() -> None:
    """The next message goes to the direct chat and is refused. A part less would repeat the messages before."""
    interaction = InteractionToken(token="t", thinking=True, private=True)
    result, _, api = discord(CARD, LATER, interaction=interaction, expires=NOW + 1, step=1)
    assert api.names == ["answer", "follow_up", "open", "send"]
    assert (result.state, api.count()) == (ReplyState.FAILED, Counter(["w0w", "w1w"]))


def test_a_long_text_before_a_refused_card_is_said_once() -> None:
    """The last part of the text and the card are one message."""
    words = Words()
    text = Text(text=words.take(900))
    card = Card(title=words.take(), buttons=(Button(id="bad", label="B"),))
    result, _, api = discord(text, card, interaction=None)
    assert result.state is ReplyState.SENT
    assert set(api.count().values()) == {1}
    assert len(api.count()) == 901
