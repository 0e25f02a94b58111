"""Replies on Discord: to an interaction with its token, all others with the bot's token.

Discord docs: Receiving and Responding › Followup Messages; Webhook › Edit Webhook Message; Message › Create Message.
"""

import math
import re
from collections.abc import Generator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from parley.adapter import (
    IDEMPOTENT,
    NOTHING,
    App,
    Bucket,
    Call,
    Profile,
    Sent,
    Steps,
    Token,
    TokenSteps,
    UndeliverableError,
    Upload,
)
from parley.model import AnyMedia, Message, Outgoing, Reply, Text, digest, plain_text
from parley.platforms.discord.api import BOT, api_call, headers
from parley.platforms.discord.config import Config
from parley.platforms.discord.content_limits import LIMITS
from parley.platforms.discord.interaction_token import InteractionToken, is_usable, received, unseal
from parley.platforms.discord.limits import buckets, limit_feedback
from parley.platforms.discord.outcome import (
    ANSWER,
    CONTINUED,
    DOWNLOAD,
    EDIT,
    OPEN,
    REACT,
    RECALL,
    SEND,
    THREAD,
    outcome,
)
from parley.platforms.discord.protocol import COMPONENT, EPHEMERAL
from parley.platforms.discord.render import Part, filename, render
from parley.platforms.discord.snowflake import snowflake
from parley.platforms.discord.split import shorten
from parley.untrusted import mapping

__all__ = [
    "DRAFT_INTERVAL",
    "PROFILE",
    "deliver",
    "download",
    "grow_draft",
    "limit_feedback",
    "limits",
    "open_draft",
    "outcome",
    "silence",
    "token",
    "token_key",
]

PROFILE = Profile(retry_for=3600, continues=True, reacts=True, fixed_token=True)
DRAFT_INTERVAL = 1.5
"""Seconds between two edits. Discord docs: Rate Limits; five calls in five seconds, until an answer says more."""
_DRAFT_TIMEOUT = 2.0
ORIGINAL = "@original"
"""Stands for the id of the first reply to an interaction, to edit or recall it with the interaction token."""
_NONCE_VALIDITY = 120
"""Seconds for which Discord is assumed to remember a nonce. Discord docs, Create Message: it "will be checked for
uniqueness in the past few minutes". No number is documented, so this is the shortest reading of "few". A repeat has to
reach Discord within them: the engine subtracts the time for which a worker may stall."""
_UPLOAD_LIMIT = LIMITS.file.most
"""Bytes of a file if the interaction has no limit of its own."""
_UPLOAD_TIMEOUT = 30
_OWN_EMOJI = re.compile(r"\w{2,32}:\d{1,20}", re.ASCII)
"""An emoji of a server or of the application. Discord docs: Message › Create Reaction."""
_THREAD_NAME = LIMITS.thread_name.most
_WITHOUT_MESSAGE = 2
"""Calls of an earlier run with the interaction token that sent no message: "thinking..." deleted, or found deleted. A
receipt without a message's id is of one of them, and the message is sent again with the same nonce."""


class _Sender:
    """Builds the calls for one reply."""

    def __init__(self, out: Outgoing, app: App, now: float) -> None:
        self.out = out
        self.config: Config = app.config
        interaction = unseal(out.to, self.config)
        self.interaction = interaction if is_usable(out.to, interaction, now) else None
        """The interaction token; None if there is none or it has expired."""
        self.private = out.reply.private or (interaction is not None and interaction.private)
        self.droppable_privacy = "private" if out.reply.private and not (interaction and interaction.private) else ""
        """The note of calls to a direct channel: "private" if everyone may see the reply when they are refused. That is
        so if only the reply asks for privacy, and the configuration of the app does not."""
        self._sent = 0

    def with_bot_token(self, name: str, method: str, path: str, **more: Any) -> Call:
        """A call with the bot token."""
        return api_call(self.config, name, method, path, auth=BOT, **more)

    def with_interaction_token(
        self, interaction: InteractionToken, name: str, method: str, path: str = "", **more: Any
    ) -> Call:
        """A call with the interaction token. `note` is the time of the deferred response, which `outcome` needs."""
        path = f"/webhooks/{self.config.application_id}/{interaction.token}{path}"
        return api_call(self.config, name, method, path, note=str(received(self.out.to)), **more)

    def payload(self, part: Part, body: dict[str, Any]) -> dict[str, Any]:
        """The fields of a call that send `body`: JSON, or a form with the file of `part`."""
        if part.media is None:
            return {"json": body}
        limit = (self.interaction.upload_limit if self.interaction else 0) or _UPLOAD_LIMIT
        form = {"payload_json": msgspec.json.encode(body).decode()}
        upload = Upload(field="files[0]", media=part.media, limit=limit, fields=form, filename=filename(part.media))
        return {"upload": upload, "timeout": _UPLOAD_TIMEOUT}

    def nonce(self) -> dict[str, Any]:
        """The idempotency key of the next message. Discord answers a repetition with the first message."""
        self._sent += 1
        return {"nonce": digest(self.out.id, *self.out.dropped, str(self._sent))[:25], "enforce_nonce": True}


def deliver(out: Outgoing, app: App, now: float) -> Steps:
    """See `parley.adapter.Outbound.deliver`.

    The interaction token may expire between two runs. The later run then uses the bot token, and reads each recorded
    receipt of the earlier run as one part that is already sent.
    """
    sender = _Sender(out, app, now)
    if out.reply.op == "react":
        yield from _react(sender)
        return
    if out.reply.op == "recall":
        yield _change(sender, RECALL, "DELETE")
        return
    parts = _parts(out, app.config)
    if out.reply.op == "edit":
        body = parts[0].body(whole=True)
        yield _change(sender, EDIT, "PATCH", edits=True, **sender.payload(parts[0], body))
        parts = parts[1:]
    elif _replaces_draft(sender):
        yield _change(sender, EDIT, "PATCH", edits=True, **sender.payload(parts[0], parts[0].body(whole=True)))
        parts = parts[1:]
    if parts and sender.interaction is not None and (sender.private or not _wants_thread(out)):
        yield from _answer(sender, sender.interaction, parts)
    elif parts:
        yield from _post(sender, parts)


def _replaces_draft(sender: _Sender) -> bool:
    """Whether the reply has to replace a draft without the interaction token, which has expired since. What only one
    person sees cannot be changed without it.
    """
    out = sender.out
    return sender.interaction is None and bool(out.draft_ids) and "target" not in out.dropped and not sender.private


def _parts(out: Outgoing, config: Config) -> tuple[Part, ...]:
    segments = out.reply.segments
    if out.form == "plain":
        segments = (Text(text=plain_text(segments)),)
    parts = render(segments, allow_everyone=config.allow_everyone)
    if not parts:
        raise UndeliverableError("the reply is empty: it has no text, card or file")
    return parts


def _change(sender: _Sender, name: str, method: str, **more: Any) -> Call:
    """A call on the message `reply.target`, or on the draft: with the interaction token if the message belongs to the
    interaction. The bot token may change the first reply to an interaction, too (unverified), by its id.
    """
    out, interaction = sender.out, sender.interaction
    target = out.reply.target or (ORIGINAL if interaction else out.draft_ids[-1] if out.draft_ids else "")
    own = target == ORIGINAL or (out.to.kind == "action" and target == out.to.message_id)
    # A form shows "thinking...", which is then the original, and not the message that the form was opened from.
    if interaction and own and not (interaction.thinking and target != ORIGINAL):
        path = f"/messages/{ORIGINAL}"
        return sender.with_interaction_token(interaction, name, method, path, idempotent_for=IDEMPOTENT, **more)
    if target == ORIGINAL:
        raise UndeliverableError(f"{out.reply.op}: {ORIGINAL} can no longer be reached", part="target")
    if not snowflake(target):
        part = "target" if out.reply.op == "edit" and target else ""
        raise UndeliverableError(f"{out.reply.op}: {target[:40]!r} is not the id of a message", part=part)
    path = f"/channels/{_channel(out)}/messages/{target}"
    return sender.with_bot_token(name, method, path, idempotent_for=IDEMPOTENT, **more)


def _react(sender: _Sender) -> Steps:
    """Add a reaction with the bot token: an interaction token cannot. None without a message to react to: a command.

    Discord docs: Message › Create Reaction. A repeat changes nothing.
    """
    message, emoji = sender.out.reply.target or sender.out.to.message_id, sender.out.reply.emoji or ""
    if not message:
        return
    if not snowflake(message):
        raise UndeliverableError(f"react: {message[:40]!r} is not the id of a message")
    if emoji.isascii() and not _OWN_EMOJI.fullmatch(emoji):
        raise UndeliverableError(f"react: {emoji[:40]!r} is neither a Unicode emoji nor `name:id`")
    path = f"/channels/{_channel(sender.out)}/messages/{message}/reactions/{quote(emoji, safe='')}/@me"
    yield sender.with_bot_token(REACT, "PUT", path, idempotent_for=IDEMPOTENT)


def _answer(sender: _Sender, interaction: InteractionToken, parts: tuple[Part, ...]) -> Steps:
    """Reply to the interaction: the first part replaces "thinking...", the others are follow-up messages.

    The rest of a reply is follow-up messages only: its beginning has replaced "thinking...".
    """
    out = sender.out
    original = f"/messages/{ORIGINAL}"
    first = interaction.thinking and out.ordinal <= 0 and out.reply.op == "send" and "sent" not in out.dropped
    if first and sender.private and not interaction.private:
        # A public "thinking..." cannot become a private message. Without it, a follow-up can be private.
        yield sender.with_interaction_token(interaction, RECALL, "DELETE", original, idempotent_for=IDEMPOTENT)
        first = False
    for part in parts:
        body = part.body()
        if first:
            first = False
            payload = sender.payload(part, body)
            receipt = yield sender.with_interaction_token(
                interaction, ANSWER, "PATCH", original, idempotent_for=IDEMPOTENT, edits=True, **payload
            )
            if receipt.data != NOTHING:
                continue
        body |= {"flags": EPHEMERAL} if sender.private else {}
        yield sender.with_interaction_token(interaction, "follow_up", "POST", **sender.payload(part, body))


def open_draft(out: Outgoing, app: App, now: float) -> Steps:
    """See `parley.adapter.SupportsDrafts`. The draft is in place of "thinking...", as the reply will be."""
    interaction = _Sender(out, app, now).interaction
    if interaction is not None and interaction.thinking:
        yield grow_draft(out, app, now)


def grow_draft(out: Outgoing, app: App, now: float) -> Call:
    """See `parley.adapter.SupportsDrafts`. Raises UndeliverableError if the interaction token has expired."""
    sender, part = _Sender(out, app, now), _parts(out, app.config)[0]
    if sender.interaction is None or part.media is not None:
        raise UndeliverableError("a draft is a text in place of the first reply to an interaction")
    return sender.with_interaction_token(
        sender.interaction,
        "draft",
        "PATCH",
        f"/messages/{ORIGINAL}",
        json=part.body(),
        idempotent_for=IDEMPOTENT,
        timeout=_DRAFT_TIMEOUT,
    )


def _post(sender: _Sender, parts: tuple[Part, ...]) -> Steps:
    """Send messages to a channel, a thread or a direct channel."""
    out = sender.out
    channel, sent, place = _channel(out), 0, "thread" if out.to.thread_id else ""
    if not channel or (sender.private and out.to.tenant):
        channel, sent = yield from _direct(sender)
        place = sender.droppable_privacy
    elif _wants_thread(out):
        channel, place = (yield from _thread(sender, channel)), "thread"
    for number, part in enumerate(parts[sent:]):
        body = part.body() | sender.nonce()
        refers = (out.reply.quote or _answers_words(out)) and part is parts[0]
        quoted = part.quoted or (out.to.message_id if refers else "")
        if snowflake(quoted) and channel == _channel(out):
            body["message_reference"] = {"message_id": quoted, "fail_if_not_exists": False}
        path = f"/channels/{channel}/messages"
        # Only before the first message can the reply go to another place (`parley.adapter.Permanent`).
        note = "" if number else CONTINUED if sent else place
        more = sender.payload(part, body) | {"note": note}
        for _ in range(_WITHOUT_MESSAGE + 1):
            receipt = yield sender.with_bot_token(SEND, "POST", path, idempotent_for=_NONCE_VALIDITY, **more)
            if receipt.id:
                break


def _direct(sender: _Sender) -> Generator[Call, Sent, tuple[str, int]]:
    """Open the direct channel with the person. Returns it, and the number of parts that an earlier run has sent.

    Opening it again returns the same channel.
    """
    user = snowflake(sender.out.to.user_id)
    if not user:
        raise UndeliverableError("the destination has neither a channel nor a person")
    sent = 0
    while True:
        receipt = yield sender.with_bot_token(
            OPEN,
            "POST",
            "/users/@me/channels",
            json={"recipient_id": user},
            idempotent_for=IDEMPOTENT,
            note="" if sent else sender.droppable_privacy,
        )
        if "channel" in receipt.data:
            return receipt.data["channel"], sent
        # A receipt of an earlier run with the interaction token. It has no id if it is of the deleted "thinking...".
        sent += bool(receipt.id)


def _thread(sender: _Sender, channel: str) -> Generator[Call, Sent, str]:
    """Open a thread under the message that the reply answers, or find the existing one.

    The name of a new thread is the first line of the reply.
    """
    message = sender.out.to.message_id
    line = next(iter(plain_text(sender.out.reply.segments).splitlines()), "")
    path = f"/channels/{channel}/messages/{message}/threads"
    name = {"name": shorten(line.strip(), _THREAD_NAME) or "…"}
    receipt = yield sender.with_bot_token(THREAD, "POST", path, json=name, idempotent_for=IDEMPOTENT, note=message)
    return receipt.id or message


def _channel(out: Outgoing) -> str:
    """The channel to send to. A thread is a channel, too."""
    return snowflake(out.to.thread_id) or snowflake(out.to.room_id)


def _answers_words(out: Outgoing) -> bool:
    """Whether the reply is the first one to what a person wrote in a channel of a server (`parley.platforms.discord.
    gateway`). It is shown as a reply: others may have written since.
    """
    to = out.to
    return (
        to.kind == "message"
        and bool(to.tenant)
        and not to.thread_id
        and out.ordinal <= 0
        and "quote" not in out.dropped
    )


def _wants_thread(out: Outgoing) -> bool:
    return out.reply.thread and not out.to.thread_id and bool(snowflake(out.to.message_id) and out.to.room_id)


def silence(message: Message, now: float) -> Reply | None:
    """See `parley.adapter.SupportsSilence.silence`. Without it, "thinking..." stays until Discord shows a failure.

    The press of a button shows no "thinking...".
    """
    context, pressed = message.context, mapping(message.raw).get("type") == COMPONENT
    if not context.reply_token or pressed or now >= context.reply_token_expires:
        return None
    return Reply(op="recall", target=ORIGINAL)


def token_key(out: Outgoing, app: App) -> str | None:
    """See `parley.adapter.Outbound.token_key`."""
    return "bot"


def token(out: Outgoing, app: App, pushed: Mapping[str, str], now: float) -> TokenSteps:
    """The bot token of the configuration. It needs no call, does not expire, and is stored nowhere else."""
    config: Config = app.config
    return Token(config.bot_token, math.inf)
    yield


def limits(call: Call, out: Outgoing, app: App) -> tuple[Bucket, ...]:
    """See `parley.adapter.Outbound.limits`."""
    return buckets(call, app)


def download(media: AnyMedia, message_id: str, app: App) -> Call:
    """See `parley.adapter.Outbound.download`. The address is signed, and must receive no token."""
    return Call(name=DOWNLOAD, method="GET", url=media.url, headers=headers(app.config), idempotent_for=IDEMPOTENT)
