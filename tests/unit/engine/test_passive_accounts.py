"""Accounts that reply within the callback and cannot call the API: no reply is lost or waits for an hour, and words say
what is missing. With the platforms' own code."""

import json
from typing import Any

import msgspec
import pytest

from parley.adapter import Answer, App, Call
from parley.crypto import seal
from parley.engine import delivery
from parley.engine.aws import dynamodb
from parley.engine.calls import Calls
from parley.engine.delivery import Deliverer
from parley.engine.rate_limiter import RateLimiter
from parley.engine.tokens import Tokens
from parley.errors import RetryAfter
from parley.journal.inbox import Inbox
from parley.journal.outbox import Outbox
from parley.journal.passive import DeferredReplies, rules
from parley.journal.rows import row_of
from parley.journal.states import FINAL, ReplyState, Row
from parley.journal.table import get, reply_pk
from parley.model import (
    AnySegment,
    Audio,
    Button,
    Card,
    Destination,
    File,
    Image,
    Link,
    Other,
    Outgoing,
    Reply,
    Text,
    Video,
    reply_id,
)
from parley.model.codec import encode
from parley.platforms import outbound
from parley.platforms.tencent.passive import WECHAT, WECOM, plan
from tests.conformance.adapters import wechat, wecom
from tests.unit.conftest import Clock

pytestmark = pytest.mark.usefixtures("aws")
PASSIVE = {
    "wecom": wecom.make_app(reply_mode="passive"),
    "wechat": wechat.make_app(reply_mode="passive"),
}
RULES = {"wecom": WECOM, "wechat": WECHAT}
PLATFORMS = pytest.mark.parametrize("platform", PASSIVE)
REFUSALS = [("wecom", 60020), ("wecom", 48002), ("wecom", 301002), ("wecom", 40056)]
REFUSALS += [("wechat", code) for code in (40164, 89501, 89503, 89506, 89507, 45035, 61004, 48001, 48004)]
TOKEN_REFUSALS = [("wecom", code) for code in (60020, 40001, 40013, 50003)]
TOKEN_REFUSALS += [("wechat", code) for code in (40164, 89503, 40125, 40243, 50004, 48001)]
DATA = "aGVsbG8="
CARD = Card(
    title="Deploy?",
    text="**prod**",
    buttons=(Button(id="ok", label="OK"), Button(id="see", label="Log", url="https://e.com/log")),
)


class World:
    """A deliverer whose calls are answered by `answers`: the code of each call's name, 0 by default."""

    def __init__(self, platform: str, app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch, **answers: Any) -> None:
        self.platform, self.app, self.clock, self.answers = platform, app, clock, answers
        self.made: list[str] = []
        limiter = RateLimiter(dynamodb(), "parley", clock, clock.sleep)
        tokens = Tokens(dynamodb(), "parley", clock, clock.sleep)
        calls = Calls(self, tokens, limiter, dynamodb(), "parley", clock)  # type: ignore[arg-type]
        self.deferred = DeferredReplies(dynamodb(), "parley", 86_400)
        outbox = Outbox(dynamodb(), "parley", 2)
        self.deliverer = Deliverer(outbox, self.deferred, calls, self, clock)  # type: ignore[arg-type]
        monkeypatch.setattr(delivery, "outbound", outbound)

    def get(self, _platform: str, _name: str) -> App:
        """The app, as `Apps` gives it."""
        return self.app

    def perform(self, call: Call, token: str = "") -> Answer:
        """The platform's answer."""
        self.made.append(call.name)
        answer = self.answers.get(call.name, 0)
        body = answer if isinstance(answer, dict) else {"errcode": answer, "errmsg": "x"}
        if body.get("errcode") == 0 or "errcode" not in body:
            body = {"access_token": "T", "expires_in": 7200, "media_id": "M", "msgid": "m"} | body
        return Answer(200, json.dumps(body).encode())

    def deliver(self, reply: Reply, *, to: Destination | None = None, number: int = 0) -> tuple[Row, float]:
        """The row of the reply when it is final or deferred, and the seconds until then."""
        person = Destination(platform=self.platform, app="demo", user_id="lin")
        out = Outgoing(
            id=reply_id("key", number),
            message_key="key",
            ordinal=number,
            to=to or person,
            reply=reply,
            created=self.clock.now,
        )
        Inbox(dynamodb(), "parley", 86_400).add(out, self.clock.now)
        started = self.clock.now
        record = {"body": encode(out).decode(), "messageId": "r", "attributes": {"ApproximateReceiveCount": "1"}}
        for _ in range(300):
            try:
                self.deliverer(record)
                break
            except RetryAfter as later:
                self.clock.now += max(later.seconds, 0.1)
        return row_of(get(dynamodb(), "parley", reply_pk(out.id))), self.clock.now - started

    def carried(self, row: Row) -> dict[str, Any] | None:
        """The fields of the passive reply that carries a deferred reply, in one response."""
        assert rules.can_be_taken(row)
        found = plan((msgspec.structs.replace(row.out.reply, to=None),), RULES[self.platform].format)
        assert (found.sent, found.rest) == (1, None)
        return found.body


@pytest.mark.parametrize(("platform", "code"), REFUSALS)
def test_a_refusal_of_every_call_defers_the_reply(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str, code: int
) -> None:
    world = World(platform, PASSIVE[platform], clock, monkeypatch, send=code)
    row, seconds = world.deliver(Reply.of("hello"))
    assert (row.state, world.made.count("send")) == (ReplyState.PENDING, 1)
    assert seconds < 10
    assert world.carried(row) == {"MsgType": "text", "Content": "hello"}
    assert world.deferred.of(row.out.to.key)


@pytest.mark.parametrize("platform", sorted(PASSIVE))
def test_a_defect_in_the_form_for_a_passive_reply_ends_the_reply_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str
) -> None:
    code = next(code for name, code in REFUSALS if name == platform)
    world = World(platform, PASSIVE[platform], clock, monkeypatch, send=code)

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(outbound(platform), "passive_form", broken)
    row, _ = world.deliver(Reply.of("hello"))
    assert row.state is ReplyState.FAILED
    assert "ZeroDivisionError at test_passive_accounts.py" in row.reason


@pytest.mark.parametrize(("platform", "code"), TOKEN_REFUSALS)
def test_a_token_that_is_refused_for_good_defers_the_reply(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str, code: int
) -> None:
    world = World(platform, PASSIVE[platform], clock, monkeypatch, token=code)
    row, seconds = world.deliver(Reply.of("hello"))
    assert row.state is ReplyState.PENDING
    assert seconds < 10
    assert set(world.made) == {"token"}
    assert world.carried(row) == {"MsgType": "text", "Content": "hello"}


@pytest.mark.parametrize(("platform", "code"), [("wecom", 99999), ("wechat", 99999), ("wechat", -1)])
def test_a_token_that_is_refused_for_an_unknown_reason_fails_at_the_deadline(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str, code: int
) -> None:
    world = World(platform, PASSIVE[platform], clock, monkeypatch, token=code)
    row, seconds = world.deliver(Reply.of("hello"))
    assert row.state is ReplyState.FAILED
    assert str(code) in row.reason
    assert 3600 <= seconds < 4000
    assert len(world.made) < 150


@pytest.mark.parametrize("answers", [{"token": 40164}, {"upload": 40164, "send": 40164}])
@pytest.mark.parametrize(
    ("segment", "content"),
    [
        (Image(data=DATA, name="chart.png"), "[chart.png: cannot be sent here]"),
        (Audio(data=DATA, name="a.mp3"), "[a.mp3: cannot be sent here]"),
        (File(data=DATA, name="a.pdf"), "[a.pdf: cannot be sent here]"),
        (Image(url="https://e.com/p.png", name="p.png"), '<a href="https://e.com/p.png">[p.png]</a>'),
    ],
)
def test_wechat_says_which_media_are_missing(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, answers: dict[str, int], segment: AnySegment, content: str
) -> None:
    world = World("wechat", PASSIVE["wechat"], clock, monkeypatch, **answers)
    row, seconds = world.deliver(Reply.of(segment))
    assert row.state is ReplyState.PENDING
    assert seconds < 10
    body = world.carried(row)
    assert body is not None
    assert body["Content"] == content


@pytest.mark.parametrize(
    ("segment", "content"),
    [
        (Image(data=DATA, name="chart.png"), "[chart.png: cannot be sent here]"),
        (File(url="https://e.com/a.pdf", name="a.pdf"), '<a href="https://e.com/a.pdf">[a.pdf]</a>'),
        (File(key="F1", name="a.pdf"), "[a.pdf: cannot be sent here]"),
        (CARD, 'Deploy?\nprod\n<a href="https://e.com/log">Log</a>'),
    ],
)
@pytest.mark.parametrize("answers", [{"token": 60020}, {"upload": 60020, "send": 60020}])
def test_wecom_defers_cards_and_media_as_words(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, answers: dict[str, int], segment: AnySegment, content: str
) -> None:
    world = World("wecom", PASSIVE["wecom"], clock, monkeypatch, **answers)
    row, seconds = world.deliver(Reply.of(segment))
    assert row.state is ReplyState.PENDING
    assert seconds < 10
    assert world.carried(row) == {"MsgType": "text", "Content": content}


IN_A_RESPONSE = {
    "image": {"MsgType": "image", "Image": {"MediaId": "m"}},
    "voice": {"MsgType": "voice", "Voice": {"MediaId": "m"}},
    "video": {"MsgType": "video", "Video": {"MediaId": "m", "Title": "v.mp4", "Description": ""}},
}


@pytest.mark.parametrize(
    ("platform", "code"), [("wechat", 45047), ("wechat", 45015), ("wechat", 48001), ("wecom", 48002), ("wecom", 40056)]
)
@pytest.mark.parametrize(
    ("media", "kind"),
    [
        (Image(data=DATA, name="chart.png"), "image"),
        (Image(url="https://e.com/p.png"), "image"),
        (Audio(data=DATA, name="a.amr"), "voice"),
        (Video(data=DATA, name="v.mp4"), "video"),
    ],
)
@pytest.mark.parametrize("op", ["send", "edit"])
def test_a_deferred_reply_keeps_the_media_that_can_be_uploaded(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str, code: int, media: AnySegment, kind: str, op: Any
) -> None:
    """Seed 863550 of the faults suite: only the messages were refused, and the picture became words."""
    world = World(platform, PASSIVE[platform], clock, monkeypatch, send=code)
    row, _ = world.deliver(Reply(op=op, target="m1" if op == "edit" else "", segments=(Text(text="see"), media)))
    assert row.state is ReplyState.PENDING
    assert world.made.count("upload") == 1
    first = plan((row.out.reply,), RULES[platform].format)
    assert first.body == {"MsgType": "text", "Content": "see"}
    assert first.rest is not None
    assert plan((first.rest,), RULES[platform].format) == (IN_A_RESPONSE[kind], 1, None)


@PLATFORMS
def test_only_media_that_cannot_be_uploaded_become_words(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str
) -> None:
    sound = Audio(data=DATA, name="a.amr")
    reply = Reply(segments=(Image(data=DATA, name="chart.png"), sound))
    world = World(platform, PASSIVE[platform], clock, monkeypatch, send=45015 if platform == "wechat" else 48002)
    perform = world.perform

    def without_images(call: Call, token: str = "") -> Answer:
        world.answers["upload"] = 45001 if call.upload and isinstance(call.upload.media, Image) else 0
        return perform(call, token)

    monkeypatch.setattr(world, "perform", without_images)
    row, _ = world.deliver(reply)
    words = Text(text="[chart.png: could not be sent]\n")
    assert row.out.reply.segments == (words, msgspec.structs.replace(sound, key="m"))


@PLATFORMS
def test_the_rest_of_a_reply_is_deferred_when_its_beginning_has_been_sent(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str
) -> None:
    """WeChat allows a few messages after each message of the person: the limit may lie within a reply."""
    world = World(platform, PASSIVE[platform], clock, monkeypatch)
    perform = world.perform
    code = 45047 if platform == "wechat" else 48002

    def one_message(call: Call, token: str = "") -> Answer:
        world.answers["send"] = code if "send" in world.made else 0
        return perform(call, token)

    monkeypatch.setattr(world, "perform", one_message)
    row, seconds = world.deliver(Reply(segments=(Text(text="see"), Image(data=DATA, name="chart.png"))))
    assert (row.state, seconds < 10) == (ReplyState.PENDING, True)
    assert world.carried(row) == {"MsgType": "image", "Image": {"MediaId": "m"}}


@PLATFORMS
def test_media_by_bytes_are_uploaded_and_sent_where_the_account_may(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str
) -> None:
    image = Reply.of(Image(data=DATA, name="chart.png"))
    assert plan((image,), RULES[platform].format).body is None
    world = World(platform, PASSIVE[platform], clock, monkeypatch)
    assert world.deliver(image)[0].state is ReplyState.SENT
    assert world.made == ["token", "upload", "send"]


@PLATFORMS
def test_a_refused_upload_costs_the_media_and_not_the_words(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str
) -> None:
    for app in (PASSIVE[platform], wecom.APP if platform == "wecom" else wechat.APP):
        world = World(platform, app, clock, monkeypatch, upload=40006)
        number = int(app is PASSIVE[platform])
        row, _ = world.deliver(Reply(segments=(Image(data=DATA, name="chart.png"), Text(text="see"))), number=number)
        assert row.state is ReplyState.SENT
        assert row.out.reply.segments == (Text(text="[chart.png: could not be sent]\n"), Text(text="see"))


@PLATFORMS
def test_an_edit_becomes_a_new_message_and_can_be_deferred(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str
) -> None:
    edit = Reply(op="edit", target="m1", segments=(Text(text="done"),))
    assert plan((edit,), RULES[platform].format).sent == 1
    for number, app in enumerate((wecom.APP if platform == "wecom" else wechat.APP, PASSIVE[platform])):
        world = World(platform, app, clock, monkeypatch)
        assert world.deliver(edit, number=number)[0].state is ReplyState.SENT
    world = World(platform, PASSIVE[platform], clock, monkeypatch, send=60020 if platform == "wecom" else 48001)
    row, seconds = world.deliver(edit, number=2)
    assert (row.state, seconds < 10) == (ReplyState.PENDING, True)
    assert world.carried(row) == {"MsgType": "text", "Content": "done"}


def test_a_refused_update_of_a_card_is_sent_as_a_new_message(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """The code of a press works once: the second edit of a press is a message."""
    press = Destination(
        platform="wecom",
        app="demo",
        user_id="lin",
        kind="action",
        message_id="task-42",
        reply_token=seal(wecom.SECRET, "RESP-CODE"),
        reply_token_expires=int(clock.now) + 1000,
    )
    world = World("wecom", wecom.APP, clock, monkeypatch, update=40058)
    row, _ = world.deliver(Reply(op="edit", segments=(Text(text="done"),)), to=press)
    assert row.state is ReplyState.SENT
    assert world.made == ["token", "update", "send"]


UNDELIVERABLE = {
    "a recall": (Reply(op="recall", target="m1"), {}),
    "a form of the API": (Reply.of(Other(name="template", data={"template_id": "T"})), {}),
    "several persons": (Reply.of("hi"), {"user_id": "lin|wang"}),
    "a department": (Reply.of("hi"), {"user_id": "party:2"}),
    "everybody": (Reply.of("hi"), {"user_id": "@all"}),
    "a group chat": (Reply.of("hi"), {"room_id": "wr1"}),
}


@pytest.mark.parametrize(("reply", "to"), UNDELIVERABLE.values(), ids=UNDELIVERABLE)
def test_what_no_passive_reply_carries_fails_at_once(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, reply: Reply, to: dict[str, str]
) -> None:
    world = World("wecom", PASSIVE["wecom"], clock, monkeypatch, token=60020)
    fields: dict[str, Any] = {"platform": "wecom", "app": "demo", "user_id": "lin"} | to
    destination = Destination(**fields)
    row, seconds = world.deliver(reply, to=destination)
    assert row.state is ReplyState.FAILED
    assert row.reason
    assert seconds < 10


def test_an_active_account_that_cannot_call_fails_with_the_hint(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    row, seconds = World("wecom", wecom.APP, clock, monkeypatch, send=60020).deliver(Reply.of("hi"))
    assert (row.state, seconds < 10) == (ReplyState.FAILED, True)
    assert "Trusted IP" in row.reason
    row, seconds = World("wechat", wechat.APP, clock, monkeypatch, token=40164).deliver(Reply.of("hi"), number=1)
    assert row.state in FINAL
    assert "40164" in row.reason


def test_receivers_that_were_not_reached_are_reported(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, logged: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    several = Destination(platform="wecom", app="demo", user_id="lin|wang")
    world = World("wecom", wecom.APP, clock, monkeypatch, send={"errcode": 0, "unlicenseduser": "wang"})
    row, _ = world.deliver(Reply.of("hi"), to=several)
    assert (row.state, row.reason) == (ReplyState.SENT, "not reached: unlicenseduser wang")
    assert "not reached: unlicenseduser wang" in logged()
    assert "RepliesPartial" in capsys.readouterr().out
    world = World("wecom", wecom.APP, clock, monkeypatch, send={"errcode": 0, "unlicenseduser": "wang|lin"})
    row, _ = world.deliver(Reply.of("hi"), to=several, number=1)
    assert row.state is ReplyState.FAILED
    assert row.reason.startswith("reached nobody: unlicenseduser")


@PLATFORMS
def test_every_reply_has_a_passive_form_that_is_its_own_passive_form(platform: str) -> None:
    """Otherwise a deferred reply would never be carried, and every later one would wait for it."""
    segments: list[AnySegment] = [
        Image(data=DATA),
        File(key="F"),
        CARD,
        Link(url="https://e.com", title="t", image="i"),
    ]
    segments += [
        Text(text="x"),
        Image(key="M"),
        Other(name="typing"),
        Other(name="miniprogram", data={"title": "Shop"}),
    ]
    app, module = PASSIVE[platform], outbound(platform)
    for segment in segments:
        to = Destination(platform=platform, app="demo", user_id="lin")
        reply = Reply(op="edit", segments=(segment, Text(text="y")))
        out = Outgoing(id="0" * 32, message_key="k", ordinal=0, to=to, reply=reply, created=0)
        form = module.passive_form(out, app, ())  # type: ignore[attr-defined]
        assert form is not None
        assert module.passive_form(form, app, ()) == form  # type: ignore[attr-defined]
        left = (form.reply,)
        while left:  # a response carries one message
            found = plan(left, RULES[platform].format)
            assert found.body is not None
            left = () if found.rest is None else (found.rest,)
