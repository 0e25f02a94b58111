"""Replies on Feishu and Lark: send, reply, edit, recall and push (Feishu docs: Messaging > Message)."""

from typing import NamedTuple
from urllib.parse import quote

from parley.adapter import IDEMPOTENT, Answer, App, Bucket, Call, Pause, Profile, Steps, UndeliverableError
from parley.errors import RetryAfter
from parley.model import AnyMedia, AnySegment, Destination, Outgoing, Quote, Reply, digest
from parley.platforms.feishu import media, push
from parley.platforms.feishu.config import Config
from parley.platforms.feishu.errors import CHAT_LIMITED, outcome
from parley.platforms.feishu.media import BEARER
from parley.platforms.feishu.render import CARDS, CHAT, Rendered, parts
from parley.platforms.feishu.tokens import token, token_key
from parley.platforms.feishu.values import Object, json_text

__all__ = ["PROFILE", "deliver", "download", "limit_feedback", "limits", "outcome", "token", "token_key"]

PROFILE = Profile(retry_for=3600, pushed_credentials=("app_ticket",))

_COVERED = 3500
"""Seconds. Feishu drops a repeated `uuid` for an hour from when it first saw it; the rest is for the way there."""
_ID_TYPES = {"ou_": "open_id", "on_": "union_id", "oc_": "chat_id"}


class _Place(NamedTuple):
    """Where the next message goes."""

    name: str
    url: str
    query: dict[str, str]
    body: Object


def deliver(out: Outgoing, app: App, now: float) -> Steps:
    """The calls that say `out`. Raises UndeliverableError."""
    if out.to.webhook:
        return push.steps(out, app, now)
    match out.reply.op:
        case "recall":
            return _recall(out.reply, app.config)
        case "edit":
            return _edit(out, app.config)
        case "send":
            return _send(out, app.config)


def download(what: AnyMedia, message_id: str, app: App) -> Call:
    """The call that fetches `what`, at most 100 MB; refused unless the bot is in the chat."""
    return media.download(what, message_id, app.config)


def limits(call: Call, out: Outgoing, app: App) -> tuple[Bucket, ...]:
    """Feishu docs: Frequency control. 1000 a minute and 50 a second for each API, 5 a second for each chat or person
    (shared by all bots in a chat) and each edited message; a webhook 100 a minute and 5 a second."""
    config: Config = app.config
    if call.name == "push":
        hook = f"feishu#webhook#{digest(call.url)[:32]}"
        return Bucket(f"{hook}#s", 5, 1), Bucket(f"{hook}#m", 100, 60)
    api = f"feishu#{config.app_id}#{call.name}"
    # 30 at once and 968 a minute behind them are at most 48 in any second: one bucket, one write, keeps both limits.
    whole_app = Bucket(api, 1000, 60, burst=30)
    match call.name:
        case "send" | "reply":
            return Bucket(f"feishu#chat#{out.to.room_id or out.to.user_id or out.to.message_id}", 5, 1), whole_app
        case "edit" | "update":
            return Bucket(f"feishu#message#{out.reply.target}", 5, 1), whole_app
        case _:
            return (whole_app,)


def limit_feedback(call: Call, answer: Answer, out: Outgoing, app: App) -> tuple[Pause, ...]:
    """A refusal for its rate tells how long nobody should call: 230020 for that chat or person, others for the API."""
    told = outcome(call, answer)
    buckets = limits(call, out, app)
    if not isinstance(told, RetryAfter):
        return ()
    bucket = buckets[0] if answer.json().get("code") == CHAT_LIMITED else buckets[-1]
    return (Pause(bucket, told.seconds),)


# --- send -------------------------------------------------------------------------------------------------------------


def _send(out: Outgoing, config: Config) -> Steps:
    quoted, segments = _quoted(out.reply)
    number = 0
    for part in parts(segments):
        said = part if isinstance(part, Rendered) else (yield from media.uploaded(part, config))
        yield _message(said, _place(out, quoted, config, first=not number), out, number)
        number += 1
    if not number:
        raise UndeliverableError("the reply is empty")


def _quoted(reply: Reply) -> tuple[str, tuple[AnySegment, ...]]:
    """The message that `reply` begins by quoting, shown by Feishu itself, and the rest."""
    match reply.segments:
        case (Quote(message_id=message_id), *rest) if message_id:
            return message_id, tuple(rest)
        case segments:
            return "", segments


def _place(out: Outgoing, quoted: str, config: Config, *, first: bool) -> _Place:
    """Only the first message of a reply quotes; in a thread all of them have to."""
    to, reply = out.to, out.reply
    thread = reply.thread or bool(to.thread_id)
    answered = quoted or to.message_id
    if not reply.private and answered and (thread or (first and (quoted or reply.quote)) or not _receiver(to, reply)):
        url = f"{_messages(config)}/{quote(answered, safe='')}/reply"
        return _Place("reply", url, {}, {"reply_in_thread": True} if thread else {})
    receiver = _receiver(to, reply)
    if not receiver:
        raise UndeliverableError("the destination has neither a room nor a person")
    query = {"receive_id_type": _id_type(receiver, "user_id" if receiver == to.user_id else "chat_id")}
    return _Place("send", _messages(config), query, {"receive_id": receiver})


def _receiver(to: Destination, reply: Reply) -> str:
    """A reply for one person's eyes goes to the direct chat: a group has no message that one person alone can see."""
    return to.user_id if reply.private else to.room_id or to.user_id


def _id_type(receiver: str, otherwise: str) -> str:
    if "@" in receiver:
        return "email"
    return _ID_TYPES.get(receiver[:3], otherwise)


def _message(said: Rendered, place: _Place, out: Outgoing, number: int) -> Call:
    body = {
        **place.body,
        "msg_type": said.kind,
        "content": json_text(said.content),
        # Another form of the same reply is another message: the first was refused and must not count as a repetition.
        "uuid": digest(out.id, out.form, str(number))[:48],
    }
    return Call(
        name=place.name,
        method="POST",
        url=place.url,
        auth=BEARER,
        query=place.query,
        json=body,
        idempotent_for=_COVERED,
    )


# --- edit and recall --------------------------------------------------------------------------------------------------


def _edit(out: Outgoing, config: Config) -> Steps:
    """One message becomes another. What is left over is sent after it.

    Feishu makes no card into words: words in the place of the card whose button was just pressed become a card.
    """
    reply = out.reply
    url = _target(reply, config)
    pressed = out.to.kind == "action" and out.to.message_id == reply.target
    match [*parts(reply.segments, CARDS if pressed else CHAT)]:
        case [Rendered("interactive", content), *rest]:
            yield _change("update", "PATCH", url, {"content": json_text(content)})
        case [Rendered(kind, content), *rest]:
            yield _change("edit", "PUT", url, {"msg_type": kind, "content": json_text(content)})
        case []:
            raise UndeliverableError("the reply is empty")
        case _:
            raise UndeliverableError("Feishu edits text, posts and cards, no media")
    for number, part in enumerate(rest, 1):
        more = part if isinstance(part, Rendered) else (yield from media.uploaded(part, config))
        yield _message(more, _place(out, "", config, first=False), out, number)


def _recall(reply: Reply, config: Config) -> Steps:
    yield _change("recall", "DELETE", _target(reply, config), None)


def _change(name: str, method: str, url: str, body: Object | None) -> Call:
    return Call(name=name, method=method, url=url, auth=BEARER, json=body, idempotent_for=IDEMPOTENT)


def _target(reply: Reply, config: Config) -> str:
    if not reply.target:
        raise UndeliverableError(f"{reply.op} needs the target's message id")
    return f"{_messages(config)}/{quote(reply.target, safe='')}"


def _messages(config: Config) -> str:
    return f"{config.api}/open-apis/im/v1/messages"
