"""Sending on Discord: answers to interactions with their token, everything else with the bot's.

Discord docs: Receiving and Responding › Followup Messages; Webhook › Edit Webhook Message; Message › Create Message.
"""

from collections.abc import Generator, Mapping
from typing import Any

import msgspec

from parley.adapter import (
    IDEMPOTENT,
    App,
    Auth,
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
from parley.platforms.discord import routes
from parley.platforms.discord.config import Config
from parley.platforms.discord.interaction_token import LIFE, MARGIN, Grant, is_alive, unseal
from parley.platforms.discord.outcome import DOWNLOAD, OPEN, RECALL, THREAD, outcome
from parley.platforms.discord.render import Part, filename, render
from parley.platforms.discord.routes import limit_feedback
from parley.platforms.discord.snowflake import snowflake
from parley.untrusted import mapping

__all__ = ["PROFILE", "deliver", "download", "limit_feedback", "limits", "outcome", "silence", "token", "token_key"]

PROFILE = Profile(retry_for=3600)
ORIGINAL = "@original"
"""The id of the first answer to an interaction, whatever its own; to edit or recall it with the interaction's token."""
_BOT = Auth("header", "Authorization", "Bot ")
_NONCE_COVERS = 180
"""Seconds that a nonce is taken to be remembered; Discord says "a few minutes"."""
_EPHEMERAL = 64
_UPLOAD_LIMIT = 10_485_760
"""Bytes of a file where the interaction does not tell. Discord docs: Reference › Uploading Files."""
_UPLOAD_TIMEOUT = 30
_TOKEN_LIFE = 3600.0
"""Seconds after which the bot's token, which never ends, is looked up in the configuration again."""
_THREAD_NAME = 100
_PRESS = 3
"""The type of the interaction of a button or select."""


class _Sender:
    """Makes the calls for one reply."""

    def __init__(self, out: Outgoing, app: App, now: float) -> None:
        self.out = out
        self.config: Config = app.config
        self.known = unseal(out.to, self.config)
        self.grant = self.known if is_alive(out.to, self.known, now) else None
        """The interaction, while its token works."""
        self.private = out.reply.private or (self.known is not None and self.known.private)
        self._sent = 0

    def bot(self, name: str, method: str, path: str, **more: Any) -> Call:
        """A call with the bot's token."""
        return self._call(name, method, path, auth=_BOT, **more)

    def granted(self, grant: Grant, name: str, method: str, path: str = "", **more: Any) -> Call:
        """A call with the interaction's token."""
        promised = self.out.to.reply_token_expires - LIFE + MARGIN
        where = f"/webhooks/{self.config.application_id}/{grant.token}{path}"
        return self._call(name, method, where, note=str(promised), **more)

    def _call(self, name: str, method: str, path: str, **more: Any) -> Call:
        headers = {"User-Agent": self.config.user_agent}
        return Call(name=name, method=method, url=f"{self.config.host}{path}", headers=headers, **more)

    def said(self, part: Part, body: dict[str, Any]) -> dict[str, Any]:
        """`body` as the fields of a call that say it: JSON, or a form with the file of `part`."""
        if part.media is None:
            return {"json": body}
        limit = (self.grant.upload_limit if self.grant else 0) or _UPLOAD_LIMIT
        form = {"payload_json": msgspec.json.encode(body).decode()}
        upload = Upload(field="files[0]", media=part.media, limit=limit, fields=form, filename=filename(part.media))
        return {"upload": upload, "timeout": _UPLOAD_TIMEOUT}

    def nonce(self) -> dict[str, Any]:
        """Makes a repetition of this very message return the first one instead of a second."""
        self._sent += 1
        return {"nonce": digest(self.out.id, str(self._sent))[:25], "enforce_nonce": True}


def deliver(out: Outgoing, app: App, now: float) -> Steps:
    """See `parley.adapter.Outbound.deliver`.

    A later run may find the interaction's token dead where an earlier one did not, and yields as many calls all the
    same: each receipt is of a part that has been said, whichever way.
    """
    sender = _Sender(out, app, now)
    if out.reply.op == "recall":
        yield _acted_on(sender, RECALL, "DELETE")
        return
    parts = _parts(out, app.config)
    if out.reply.op == "edit":
        body = parts[0].body(whole=True)
        yield _acted_on(sender, "edit", "PATCH", **sender.said(parts[0], body))
        parts = parts[1:]
    if parts and sender.grant is not None and (sender.private or not _wants_thread(out)):
        yield from _answer(sender, sender.grant, parts)
    elif parts:
        yield from _post(sender, parts)


def _parts(out: Outgoing, config: Config) -> tuple[Part, ...]:
    segments = out.reply.segments
    if out.form == "plain":
        segments = (Text(text=plain_text(segments)),)
    parts = render(segments, allow_everyone=config.allow_everyone)
    if not parts:
        raise UndeliverableError("nothing to say: the reply has no text, card or file")
    return parts


def _acted_on(sender: _Sender, name: str, method: str, **more: Any) -> Call:
    """A call on the message `reply.target`: with the interaction's token if it is the interaction's own."""
    out, grant = sender.out, sender.grant
    target = out.reply.target
    own = target == ORIGINAL or (out.to.kind == "action" and target == out.to.message_id)
    if grant and own and not (grant.thinking and target != ORIGINAL):
        return sender.granted(grant, name, method, f"/messages/{ORIGINAL}", idempotent_for=IDEMPOTENT, **more)
    if not snowflake(target):
        raise UndeliverableError(
            f"{out.reply.op}: {target[:40]!r} is not the id of a message, or can no longer be reached"
        )
    path = f"/channels/{_channel(out)}/messages/{target}"
    return sender.bot(name, method, path, idempotent_for=IDEMPOTENT, **more)


def _answer(sender: _Sender, grant: Grant, parts: tuple[Part, ...]) -> Steps:
    """Answer the interaction: fill in the "thinking...", then follow up."""
    out = sender.out
    first = grant.thinking and out.ordinal <= 0 and out.reply.op == "send"
    if first and sender.private and not grant.private:
        # What was promised to all cannot be filled in for one; without it a follow-up is free to be private.
        yield sender.granted(grant, RECALL, "DELETE", f"/messages/{ORIGINAL}", idempotent_for=IDEMPOTENT)
        first = False
    for part in parts:
        body = part.body()
        if first:
            path = f"/messages/{ORIGINAL}"
            yield sender.granted(grant, "answer", "PATCH", path, idempotent_for=IDEMPOTENT, **sender.said(part, body))
        else:
            body |= {"flags": _EPHEMERAL} if sender.private else {}
            yield sender.granted(grant, "follow_up", "POST", **sender.said(part, body))
        first = False


def _post(sender: _Sender, parts: tuple[Part, ...]) -> Steps:
    """Write in a channel, a thread or a direct channel."""
    out = sender.out
    channel, said = _channel(out), 0
    if not channel or (sender.private and out.to.tenant):
        channel, said = yield from _direct(sender)
    elif _wants_thread(out):
        channel = yield from _thread(sender, channel)
    for part in parts[said:]:
        body = part.body() | sender.nonce()
        quoted = part.quoted or (out.to.message_id if out.reply.quote and part is parts[0] else "")
        if snowflake(quoted) and channel == _channel(out):
            body["message_reference"] = {"message_id": quoted, "fail_if_not_exists": False}
        path = f"/channels/{channel}/messages"
        yield sender.bot("send", "POST", path, idempotent_for=_NONCE_COVERS, **sender.said(part, body))


def _direct(sender: _Sender) -> Generator[Call, Sent, tuple[str, int]]:
    """Open the direct channel with the person; opening it again gives the same. Also how many parts have been said."""
    user = snowflake(sender.out.to.user_id)
    if not user:
        raise UndeliverableError("no place to say it: the destination has neither a channel nor a person")
    said = 0
    while True:
        opened = yield sender.bot(
            OPEN, "POST", "/users/@me/channels", json={"recipient_id": user}, idempotent_for=IDEMPOTENT
        )
        if "channel" in opened.data:
            return opened.data["channel"], said
        # An earlier run went another way: the receipt of a part, or of taking back the promise, which has no id.
        said += bool(opened.id)


def _thread(sender: _Sender, channel: str) -> Generator[Call, Sent, str]:
    """Open a thread under the message that is answered; where there is one, it is that. Its name is the first line."""
    message = sender.out.to.message_id
    line = next(iter(plain_text(sender.out.reply.segments).splitlines()), "")
    path = f"/channels/{channel}/messages/{message}/threads"
    name = {"name": line[:_THREAD_NAME] or "…"}
    opened = yield sender.bot(THREAD, "POST", path, json=name, idempotent_for=IDEMPOTENT, note=message)
    return opened.id or message


def _channel(out: Outgoing) -> str:
    """Threads are channels."""
    return snowflake(out.to.thread_id) or snowflake(out.to.room_id)


def _wants_thread(out: Outgoing) -> bool:
    return out.reply.thread and not out.to.thread_id and bool(snowflake(out.to.message_id) and out.to.room_id)


def silence(message: Message, now: float) -> Reply | None:
    """See `parley.adapter.SupportsSilence.silence`. Without it, "thinking..." stays until Discord shows a failure.

    The press of a button shows no "thinking...".
    """
    context, pressed = message.context, mapping(message.raw).get("type") == _PRESS
    if not context.reply_token or pressed or now >= context.reply_token_expires:
        return None
    return Reply(op="recall", target=ORIGINAL)


def token_key(out: Outgoing, app: App) -> str | None:
    """See `parley.adapter.Outbound.token_key`."""
    return "bot"


def token(out: Outgoing, app: App, pushed: Mapping[str, str], now: float) -> TokenSteps:
    """The bot's token, which no call is needed for."""
    config: Config = app.config
    return Token(config.bot_token, now + _TOKEN_LIFE)
    yield


def limits(call: Call, out: Outgoing, app: App) -> tuple[Bucket, ...]:
    """See `parley.adapter.Outbound.limits`."""
    return routes.buckets(call, app)


def download(media: AnyMedia, message_id: str, app: App) -> Call:
    """The file at its signed address, to which no token may be shown."""
    config: Config = app.config
    headers = {"User-Agent": config.user_agent}
    return Call(name=DOWNLOAD, method="GET", url=media.url, headers=headers, idempotent_for=IDEMPOTENT)
