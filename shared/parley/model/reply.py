"""The bot's side: `Reply`, its `Destination`, and `Outgoing`, the reply on its way."""

from typing import Literal

import msgspec

from parley.model.conversation import conversation_key
from parley.model.message import Message
from parley.model.segments import AnySegment, Text


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """The destination of a reply: `Destination.answering(message)`, or written by hand for a push."""

    platform: str
    app: str
    tenant: str = ""
    room_id: str = ""
    thread_id: str = ""
    user_id: str = ""
    message_id: str = ""
    """The platform's id of the message that is answered; empty for a push."""
    kind: str = ""
    """`Message.kind` of the message that is answered. Some platforms need another call for a command."""
    webhook: str = ""
    """Name of a group webhook in the app's configuration. All fields but platform and app are ignored then."""
    reply_token: str = ""
    reply_token_expires: int = 0

    @classmethod
    def answering(cls, message: Message) -> "Destination":
        """The conversation of `message`."""
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
        """The message group of the outbound queue: replies with the same key stay in order."""
        return conversation_key(self.platform, self.app, self.tenant, self.webhook or self.room_id or self.user_id)


def _native_id(message: Message) -> str:
    """The platform's id of the message that a reply can quote; empty if there is none."""
    if message.action is not None:
        return message.action.message_id
    if message.kind == "event":
        return message.reply_to  # a reaction to a message, for example
    return message.id if message.kind == "message" else ""


_HANDLE = "reply:"


def handle_of(reply_id: str) -> str:
    """The handle of the reply with this id: a `Reply.target` while the platform's id is not known yet."""
    return f"{_HANDLE}{reply_id}"


def handled(target: str) -> str:
    """The id of the reply whose handle `target` is; empty if it is the platform's id of a message."""
    return target.removeprefix(_HANDLE) if target.startswith(_HANDLE) else ""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One reply. `op` `edit` and `recall` change `target`, an earlier message of this bot. `react` adds `emoji` to
    `target`, any message; without a target, to the message that is answered.

    `target` is the platform's id of that message, or the handle that `Turn.say` has returned. A handle stands for the
    last message of a long reply. Without `to`, the change goes to where that reply went.
    """

    segments: tuple[AnySegment, ...] = ()
    op: Literal["send", "edit", "recall", "react"] = "send"
    target: str = ""
    emoji: str | msgspec.UnsetType = msgspec.UNSET
    """Of a reaction: the Unicode emoji, or the platform's own name of it (`THUMBSUP` on Feishu, `name:id` on Discord).
    It is stored only if it is set."""
    quote: bool = False
    """Show it as a reply to the message, if the platform can."""
    thread: bool = False
    """Open or continue a thread under the message, if the platform can."""
    private: bool = False
    """Show it to the person only, if the platform can."""
    to: Destination | None = None
    """Another destination than the conversation of the message."""

    @classmethod
    def of(cls, what: "str | AnySegment | Reply") -> "Reply":
        """A reply from the short forms that handlers return: a string, a segment, or a reply."""
        if isinstance(what, Reply):
            return what
        return cls(segments=(Text(text=what) if isinstance(what, str) else what,))


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A reply on its way: the body of its outbound queue entry and of its journal row.

    `id` = hash(inbound id, ordinal): the deduplication id and the source of the platform's idempotency key.
    """

    id: str
    message_key: str
    """The journal key of the message being answered."""
    ordinal: int
    to: Destination
    reply: Reply
    created: float
    """Unix seconds of the decision."""
    form: Literal["rich", "plain"] = "rich"
    """`plain` after the platform has refused the rich form."""
    dropped: tuple[str, ...] = ()
    """The parts that were removed from the reply, in order: those that the platform refused (`quote`, `media`), and
    `sent` for segments that people already see."""
    draft: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    """The platform's ids of what shows the beginning of this reply already, and what the reply replaces. It is stored
    only if there is something."""
    lag: float | msgspec.UnsetType = msgspec.UNSET
    """Of the first reply to a message: seconds from the arrival of the message until `created`, without the bot's own
    time. Only with a known arrival."""

    @property
    def draft_ids(self) -> tuple[str, ...]:
        """`draft`; empty if there is none."""
        return () if self.draft is msgspec.UNSET else self.draft
