"""What the bot says: `Reply`, where it goes: `Destination`, and the row that carries it: `Outgoing`."""

from typing import Literal

import msgspec

from parley.model.conversation import conversation_key
from parley.model.message import Message
from parley.model.segments import AnySegment, Text


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a reply goes. Made from the message it answers by `Destination.answering`, or by hand for a push."""

    platform: str
    app: str
    tenant: str = ""
    room_id: str = ""
    thread_id: str = ""
    user_id: str = ""
    message_id: str = ""
    """The platform's id of the message being answered; empty for a push."""
    kind: str = ""
    """`Message.kind` of what is answered: some platforms answer a command otherwise than a message."""
    webhook: str = ""
    """Name of a group webhook in the app's configuration; everything else but platform and app is then ignored."""
    reply_token: str = ""
    reply_token_expires: int = 0

    @classmethod
    def answering(cls, message: Message) -> "Destination":
        """The place that `message` came from."""
        context = message.context
        return cls(
            platform=message.platform,
            app=message.app,
            tenant=context.tenant,
            room_id=context.room_id,
            thread_id=context.thread_id,
            user_id=message.sender.id,
            message_id=_native_id(message),
            kind=message.kind,
            reply_token=context.reply_token,
            reply_token_expires=context.reply_token_expires,
        )

    @property
    def key(self) -> str:
        """The order group of the outbound queue: what goes to one key stays in order."""
        return conversation_key(self.platform, self.app, self.tenant, self.webhook or self.room_id or self.user_id)


def _native_id(message: Message) -> str:
    """The platform's id of the message that a reply to `message` can quote; empty where there is none."""
    if message.action is not None:
        return message.action.message_id
    return message.id if message.kind == "message" else ""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. `op` `edit` and `recall` act on `target`, the platform's id of an earlier message of this bot."""

    segments: tuple[AnySegment, ...] = ()
    op: Literal["send", "edit", "recall"] = "send"
    target: str = ""
    quote: bool = False
    """Shown as an answer to the message it answers, where the platform can."""
    thread: bool = False
    """Opens or continues a thread under the message it answers, where the platform can."""
    private: bool = False
    """Seen by the person alone, where the platform can."""
    to: Destination | None = None
    """Elsewhere than the place of the message; None answers there."""

    @classmethod
    def of(cls, what: "str | AnySegment | Reply") -> "Reply":
        """A reply from the short forms that handlers return: a string, one segment, or a reply itself."""
        if isinstance(what, Reply):
            return what
        return cls(segments=(Text(text=what) if isinstance(what, str) else what,))


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A reply on its way: what the outbound queue carries and the outbox row holds.

    `id` = hash(inbound id, ordinal): the deduplication id and the source of the platform's idempotency key.
    """

    id: str
    message_key: str
    """The journal key of the message being answered."""
    ordinal: int
    to: Destination
    reply: Reply
    created: float
    """Unix seconds; retry deadlines count from here."""
    form: Literal["rich", "plain"] = "rich"
    """`plain` once the platform has refused the rich form for good."""
