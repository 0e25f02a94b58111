"""Only the refused part of a reply is replaced or left out, and the words of the reply stay."""

import re
from typing import Any

import pytest
from msgspec.structs import replace

from parley.adapter import App, Call, Config, Part, Permanent, Profile, Sent, fallback
from parley.engine.attempt import Attempt, Fallback, fallback_of
from parley.engine.calls import CallContext
from parley.model import (
    AnySegment,
    Audio,
    Button,
    Card,
    Destination,
    File,
    Image,
    Link,
    Markdown,
    Mention,
    Outgoing,
    Quote,
    Reply,
    Text,
    plain_text,
)
from parley.platforms import outbound
from tests.conformance.feishu import make_app

CARD = Card(
    title="T",
    text="body",
    image="img_1",
    buttons=(Button(id="a", label="A"), Button(id="u", label="U", url="https://example.com")),
)
CHART = Image(url="https://example.com/chart.png", name="chart.png")
ALL = Reply(
    segments=(Quote(message_id="m0", text="earlier"), Text(text="hi "), Mention(id="u1", name="Li"), CHART, CARD),
    quote=True,
    thread=True,
    private=True,
)
PARTS: tuple[Part, ...] = ("quote", "thread", "private", "mention", "buttons", "media")


def outgoing(reply: Reply = ALL, thread_id: str = "t1") -> Outgoing:
    to = Destination(platform="feishu", app="demo", room_id="r", user_id="u1", thread_id=thread_id, message_id="m0")
    return Outgoing(id="0" * 32, message_key="k", ordinal=0, to=to, reply=reply, created=0)


def without(part: Part, reply: Reply = ALL, media: Any = None) -> Outgoing:
    found = fallback(outgoing(reply), part, media)
    assert found is not None
    return found


def segments(*changed: AnySegment) -> tuple[AnySegment, ...]:
    """The segments of `ALL` with those of the types of `changed` replaced."""
    by_type = {type(segment): segment for segment in changed}
    return tuple(by_type.get(type(segment), segment) for segment in ALL.segments)


def test_a_refused_quote_becomes_its_text_and_all_other_parts_stay():
    found = without("quote")
    assert found.reply == replace(ALL, quote=False, segments=segments(Quote(message_id="", text="earlier")))
    assert (found.to, found.form, found.dropped) == (outgoing().to, "rich", ("quote",))


def test_a_refused_thread_is_removed_and_all_other_parts_stay():
    found = without("thread")
    assert found.reply == replace(ALL, thread=False)
    assert found.to == replace(outgoing().to, thread_id="")


def test_a_refused_private_reply_goes_to_the_room():
    assert without("private").reply == replace(ALL, private=False)


def test_an_edit_without_its_target_is_a_new_message_with_all_other_parts():
    found = without("target", replace(ALL, op="edit", target="om_7"))
    assert (found.reply, found.to, found.dropped) == (ALL, outgoing().to, ("target",))


@pytest.mark.parametrize("op", ["send", "recall"])
def test_only_an_edit_has_a_form_without_its_target(op: Any):
    assert fallback(outgoing(replace(ALL, op=op, target="om_7")), "target") is None


def test_a_refused_mention_becomes_the_name():
    found = fallback(outgoing(), "mention")
    assert found is not None
    assert found.reply.segments[2] == Text(text="@Li")
    assert found.reply.segments[3:] == ALL.segments[3:]


def test_the_urls_of_refused_buttons_become_text():
    card = replace(CARD, buttons=(), text="body\nU https://example.com")
    assert without("buttons").reply == replace(ALL, segments=segments(card))


def test_a_refused_upload_becomes_its_name_and_url():
    found = without("media", media=CHART)
    assert found.reply.segments[3] == Text(text="[chart.png] https://example.com/chart.png\n")
    assert found.reply.segments[4] == CARD


def test_only_the_refused_one_of_two_uploads_is_replaced():
    other = File(url="https://example.com/plan.pdf")
    found = without("media", Reply(segments=(CHART, other)), other)
    assert found.reply.segments == (CHART, Text(text="[file] https://example.com/plan.pdf\n"))


def test_refused_pictures_of_cards_are_left_out():
    assert without("media").reply == replace(ALL, segments=segments(replace(CARD, image="")))


@pytest.mark.parametrize("part", ["quote", "thread", "private"])
def test_a_new_message_in_a_room_has_no_fallback_for_its_place(part: Part):
    assert fallback(outgoing(Reply.of(CARD), thread_id=""), part) is None


def test_a_refused_quote_of_a_reply_without_a_quote_drops_the_thread():
    found = fallback(outgoing(Reply.of("words")), "quote")
    assert found is not None
    assert (found.to.thread_id, found.dropped) == ("", ("thread",))


def test_the_implicit_quote_of_a_reply_to_a_button_is_dropped_once():
    press = replace(outgoing(Reply.of("words"), thread_id=""), to=replace(outgoing().to, kind="action", thread_id=""))
    found = fallback(press, "quote")
    assert found is not None
    assert found == replace(press, dropped=("quote",))
    assert fallback(found, "quote") is None


@pytest.mark.parametrize("part", ["mention", "buttons", "media"])
def test_a_refused_part_that_the_reply_lacks_leads_to_plain_text(part: Part):
    bare = outgoing(Reply(segments=(Text(text="words "), Audio(url="https://example.com/a.opus"))), thread_id="")
    found = fallback(bare, part)
    assert found is not None
    assert (found.form, plain_text(found.reply.segments)) == ("plain", "words\n[audio] https://example.com/a.opus")
    assert fallback(found, part) is None


@pytest.mark.parametrize("part", ["", "form", *PARTS])
def test_plain_text_has_no_fallback(part: Part):
    assert fallback(outgoing(Reply.of("words"), thread_id=""), part) is None


@pytest.mark.parametrize("part", ["buttons", "form"])
def test_a_reply_of_buttons_only_keeps_their_labels(part: Part):
    """There is nothing else to say, and an empty message cannot be sent."""
    buttons = Card(buttons=(Button(id="a", label="A"), Button(id="b", label="B")))
    found = fallback(outgoing(Reply.of(buttons), thread_id=""), part)
    assert found is not None
    assert plain_text(found.reply.segments) == "[A]\n[B]"


def test_a_plain_form_shows_no_button_that_cannot_be_pressed():
    found = fallback(outgoing(Reply.of(CARD), thread_id=""), "form")
    assert found is not None
    assert plain_text(found.reply.segments) == "T\nbody\nU https://example.com"


def test_a_plain_form_keeps_the_description_of_a_link():
    link = Link(url="https://example.com", title="Title", description="All about it")
    found = fallback(outgoing(Reply(segments=(link, Text(text="end"))), thread_id=""), "form")
    assert found is not None
    assert plain_text(found.reply.segments) == "Title https://example.com\nAll about it\nend"


def test_a_card_that_loses_its_picture_keeps_its_buttons():
    card = Card(image="img_1", buttons=(Button(id="a", label="A"),))
    found = fallback(outgoing(Reply.of(card), thread_id=""), "media")
    assert found is not None
    assert found.reply == Reply.of(replace(card, image=""))


def test_repeated_refusals_of_every_part_end_in_plain_text_with_all_words():
    out = outgoing()
    for _ in range(3):
        for part in PARTS:
            media = next((segment for segment in out.reply.segments if isinstance(segment, Image)), None)
            form = fallback(out, part, media)
            assert form is None or form != out
            out = form or out
    words = plain_text(out.reply.segments)
    assert all(word in words for word in ("earlier", "hi", "@Li", "chart.png", "body", "T"))
    assert fallback(out, "form") is None


class NoContinuation:
    """A platform on which the rest of a reply is no reply of its own."""

    PROFILE = Profile(retry_for=1)


def attempt(out: Outgoing, *, visible: bool) -> Attempt:
    platform: Any = NoContinuation
    context = CallContext(out, App("feishu", "demo", Config()), platform)
    return Attempt(context, "me", 1, (Sent("1"),), None, 0, "", visible)


def test_receipts_of_invisible_calls_are_dropped_with_the_form():
    found = fallback_of(attempt(outgoing(), visible=False), Permanent("no", part="quote"), None)
    assert isinstance(found, Fallback)
    assert (found.receipts, found.out.reply.quote) == ((), False)


@pytest.mark.parametrize("part", ["quote", "thread", "private"])
def test_receipts_of_visible_messages_stay_if_the_content_stays_the_same(part: Part):
    reply = replace(ALL, segments=ALL.segments[1:])
    found = fallback_of(attempt(outgoing(reply), visible=True), Permanent("no", part=part), None)
    assert isinstance(found, Fallback)
    assert found.receipts == (Sent("1"),)
    bare = outgoing(Reply.of(CARD), thread_id="")
    assert fallback_of(attempt(bare, visible=True), Permanent("no", part=part), None) is None


def test_the_receipts_of_uploads_stay_if_an_edit_becomes_a_new_message():
    edit = outgoing(replace(ALL, op="edit", target="om_7"))
    found = fallback_of(attempt(edit, visible=False), Permanent("gone", part="target"), None)
    assert isinstance(found, Fallback)
    assert (found.receipts, found.out.reply) == ((Sent("1"),), ALL)


def test_parts_with_content_have_no_fallback_after_a_message_is_visible():
    for part in ("form", "quote", "mention", "buttons", "media"):
        assert fallback_of(attempt(outgoing(), visible=True), Permanent("no", part=part), None) is None


def test_the_media_of_the_refused_upload_are_replaced():
    found = fallback_of(attempt(outgoing(), visible=False), Permanent("too large", part="media"), CHART)
    assert isinstance(found, Fallback)
    assert found.out.reply.segments[3] == Text(text="[chart.png] https://example.com/chart.png\n")


# --- after a message is visible, on a platform that can continue ------------------------------------------------------


def continued(segments: tuple[AnySegment, ...], receipts: int, part: Part = "media", **reply: Any) -> Fallback | None:
    """The fallback on Feishu after `receipts` calls were made and the next one was refused."""
    out = outgoing(Reply(segments=segments, **reply), thread_id="")
    context = CallContext(out, make_app(), outbound("feishu"))
    made = tuple(Sent(f"id-{number}", {"key": f"img_{number}"}) for number in range(receipts))
    held = Attempt(context, "me", 1, made, None, 0, "", visible=True)
    return fallback_of(held, Permanent("no", part=part), None)


def test_the_words_of_a_later_message_survive_its_picture_and_nothing_is_sent_twice():
    found = continued((Text(text="Report"), CARD), 1, quote=True)
    assert found is not None
    assert found.out.reply == Reply(segments=(replace(CARD, image=""),))
    assert (found.receipts, found.out.dropped) == ((), ("sent", "media"))


def test_a_refused_form_of_a_later_message_becomes_plain_text():
    found = continued((Text(text="a"), Text(text="b"), CARD, Text(text="end")), 1, "form")
    assert found is not None
    assert (found.out.form, plain_text(found.out.reply.segments)) == (
        "plain",
        "T\nbody\nU https://example.com\nend",
    )


def test_uploads_are_no_messages():
    found = continued((Image(url="https://example.com/a.png"), Text(text="a"), CARD), 3)
    assert found is not None
    assert found.out.reply.segments == (replace(CARD, image=""),)


@pytest.mark.parametrize("kind", [Text, Markdown])
def test_of_a_text_that_is_half_sent_the_rest_is_sent(kind: Any):
    words = [f"w{number}" for number in range(30_000)]
    segments = (kind(text=" ".join(words)), CARD)
    found = continued(segments, 1, "buttons")
    assert found is not None
    tail, card = found.out.reply.segments
    assert isinstance(tail, Text | Markdown)
    assert type(tail) is kind
    assert 1000 < len(tail.text.split()) < 29_000
    assert card == replace(CARD, buttons=(), text="body\nU https://example.com")
    whole, rest = made(Reply(segments=segments)), made(found.out.reply)
    shown = " ".join(" ".join(re.findall(r"\bw\d+", call.json["content"])) for call in (whole[0], *rest))
    assert shown.split() == words


def test_a_later_markdown_does_not_hide_which_words_are_sent():
    """It makes all of the texts posts."""
    segments = (Text(text="before "), Markdown(text=" ".join(f"w{number}" for number in range(30_000))))
    found = continued(segments, 1, "form")
    assert found is not None
    assert "before" not in plain_text(found.out.reply.segments)


def made(reply: Reply) -> list[Call]:
    """The calls that deliver `reply` on Feishu."""
    return list(outbound("feishu").deliver(outgoing(reply, thread_id=""), make_app(), 0))


def test_a_reply_whose_last_message_is_refused_has_no_rest():
    assert continued((Text(text="a"),), 1, "form") is None
