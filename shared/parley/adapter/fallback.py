"""The next form of a reply of which the platform refused a part."""

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby

from msgspec.structs import replace

from parley.adapter.calls import Part
from parley.model import AnyMedia, AnySegment, Card, Media, Mention, Outgoing, Quote, Text, button_links, plain_text

_CONTENT: frozenset[Part] = frozenset({"mention", "buttons", "media"})


def fallback(out: Outgoing, part: Part, media: AnyMedia | None = None) -> Outgoing | None:
    """`out` without the refused `part`. None if there is no further form.

    `quote` is the message that the reply refers to: without a quote, it is the thread under that message. An edit
    without its `target` is a new message. A part of the content (`mention`, `buttons`, `media`) that the reply does not
    have is followed by plain text.

    `media`: the media of the refused upload. They are replaced by their name and address. `dropped` of the result
    names the part, so that its calls get idempotency keys of their own.
    """
    if not part:
        return None
    if part == "form":
        return _plain(out)
    changed = _WITHOUT[part](out, media)
    if changed is None and part == "quote":
        return fallback(out, "thread")
    if changed is not None:
        return replace(changed, dropped=(*out.dropped, part))
    return _plain(out) if part in _CONTENT else None


def _plain(out: Outgoing) -> Outgoing | None:
    text = _words(out.reply.segments) or _labels(out.reply.segments)
    if out.form == "plain" or not text or all(isinstance(segment, Text) for segment in out.reply.segments):
        return None
    return replace(out, reply=replace(out.reply, segments=(Text(text=text),)), form="plain")


def _words(segments: tuple[AnySegment, ...]) -> str:
    """The text of `segments`. Cards and media are lines of their own, with the addresses of media."""
    blocks = groupby(segments, lambda segment: id(segment) if isinstance(segment, Card | Media) else 0)
    words = (plain_text(tuple(map(_with_address, block))) for _, block in blocks)
    return "\n".join(filter(None, words))


def _labels(segments: tuple[AnySegment, ...]) -> str:
    """The labels of buttons, menus and forms, for a reply that has no other words. An empty message cannot be sent."""
    cards = [segment for segment in segments if isinstance(segment, Card)]
    return "\n".join(f"[{label}]" for card in cards for label in _labels_of(card))


def _labels_of(card: Card) -> list[str]:
    forms = [card.form.title] if card.form else []
    return [*(select.label for select in card.selects), *forms, *(button.label for button in card.buttons)]


def _without_quote(out: Outgoing, _media: AnyMedia | None) -> Outgoing | None:
    """A quote with words keeps them as text. Without `quote`, the answer to a press may quote the card (Feishu), and
    the answer to words in a room the message (Discord).
    """

    def unquoted(segment: AnySegment) -> AnySegment:
        return replace(segment, message_id="") if isinstance(segment, Quote) else segment

    changed = _changed(replace(out, reply=replace(out.reply, quote=False)), out, unquoted)
    refers = out.to.kind == "action" or (out.to.kind == "message" and not out.to.thread_id)
    if changed is None and refers and "quote" not in out.dropped:
        return out
    return changed


def _without_thread(out: Outgoing, _media: AnyMedia | None) -> Outgoing | None:
    if not out.reply.thread and not out.to.thread_id:
        return None
    return replace(out, reply=replace(out.reply, thread=False), to=replace(out.to, thread_id=""))


def _without_private(out: Outgoing, _media: AnyMedia | None) -> Outgoing | None:
    if not out.reply.private or not out.to.room_id:
        return None
    return replace(out, reply=replace(out.reply, private=False))


def _without_target(out: Outgoing, _media: AnyMedia | None) -> Outgoing | None:
    """An edit, or the end of a draft, as a new message. A recall has nothing to say without its target."""
    if out.reply.op == "send" and out.draft_ids and "target" not in out.dropped:
        return out
    if out.reply.op != "edit":
        return None
    return replace(out, reply=replace(out.reply, op="send", target=""))


def _without_mentions(out: Outgoing, _media: AnyMedia | None) -> Outgoing | None:
    def as_text(segment: AnySegment) -> AnySegment:
        match segment:
            case Mention():
                return Text(text=plain_text((segment,)))
            case Card(mentions=mentions):
                return replace(segment, mentions=tuple(replace(mention, id="") for mention in mentions))
            case _:
                return segment

    return _changed(out, out, as_text)


def _without_buttons(out: Outgoing, _media: AnyMedia | None) -> Outgoing | None:
    def bare(segment: AnySegment) -> AnySegment:
        if not isinstance(segment, Card) or not (segment.buttons or segment.is_pressable):
            return segment
        text = "\n".join(filter(None, (segment.text, *button_links(segment))))
        return replace(segment, text=text, buttons=(), selects=(), form=None)

    return _changed(out, out, bare)


def _without_media(out: Outgoing, media: AnyMedia | None) -> Outgoing | None:
    """Without the media of the refused upload; without the pictures of cards if it was no upload."""

    def bare(segment: AnySegment) -> AnySegment:
        if isinstance(segment, Card):
            return _without_pictures(segment, media)
        if media is None:
            return segment
        return _with_address(segment) if segment == media else segment

    return _changed(out, out, bare)


def _without_pictures(card: Card, media: AnyMedia | None) -> Card:
    """`card` without all of its pictures, or with the address of one of them in its text."""
    if media is None:
        return replace(card, image="", images=())
    if media not in card.images:
        return card
    images = tuple(image for image in card.images if image != media)
    return replace(card, images=images, text="\n".join(filter(None, (media.url, card.text))))


def _with_address(segment: AnySegment) -> AnySegment:
    """Media as a line of text: their name, and the address. Without an address the text says that they are missing.

    Other segments are returned unchanged.
    """
    if not isinstance(segment, Media):
        return segment
    name = plain_text((segment,))
    is_missing = not segment.url and segment.has_content and name.endswith("]")
    return Text(text=f"{name[:-1]}: could not be sent]\n" if is_missing else f"{name} {segment.url}".strip() + "\n")


def _changed(out: Outgoing, before: Outgoing, change: Callable[[AnySegment], AnySegment]) -> Outgoing | None:
    """`out` with each segment changed; None if that is `before`, or if nothing would be left of the reply."""
    segments = tuple(map(change, out.reply.segments))
    after = replace(out, reply=replace(out.reply, segments=segments))
    return None if after == before or not _has_content(segments) else after


def _has_content(segments: Iterable[AnySegment]) -> bool:
    return any(
        isinstance(segment, Media | Mention)
        or (
            isinstance(segment, Card)
            and (segment.buttons or segment.mentions or segment.images or segment.is_pressable)
        )
        or plain_text((segment,))
        for segment in segments
    )


_WITHOUT: Mapping[Part, Callable[[Outgoing, AnyMedia | None], Outgoing | None]] = {
    "quote": _without_quote,
    "thread": _without_thread,
    "private": _without_private,
    "target": _without_target,
    "mention": _without_mentions,
    "buttons": _without_buttons,
    "media": _without_media,
}
