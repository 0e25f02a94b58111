"""An inbound message in one shape for every platform: `Message`."""

from typing import Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from parley.model.segments import AnyMedia, AnySegment, Media, Mention, Source

VERSION = 1
"""Version of the JSON form. Fields are only added within a version; readers ignore what they do not know."""

Kind = Literal["message", "command", "action", "event"]
_Segment = TypeVar("_Segment", bound=AnySegment)


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """The sender. `name` is empty if it is not known. Discord sends it. It is fetched from Feishu and WeCom if the
    configuration of the app has `"names": true`. WeChat has none. The ids of the departments are fetched with it."""

    id: str
    name: str = ""
    kind: Literal["user", "bot", "system"] = "user"
    admin: bool | UnsetType = UNSET
    """Whether the sender is an administrator of the server or group. Absent, which counts as False, if the platform
    does not say it. Only Discord says it."""
    departments: tuple[str, ...] | UnsetType = UNSET
    """Absent if they are not known."""


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """The text without mentions of the bot, and the media among the segments."""

    text: str = ""
    attachments: tuple[AnyMedia, ...] = ()


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The conversation and the circumstances of a message."""

    room_id: str = ""
    """Group or direct chat; empty on platforms without rooms."""
    thread_id: str = ""
    tenant: str = ""
    """The organisation on the platform's side: tenant key, corp id, guild."""
    private: bool = False
    """True in a one-to-one chat."""
    locale: str = ""
    reply_token: str = ""
    """A short-lived right to answer that came with the message, sealed by `parley.crypto.seal`."""
    reply_token_expires: int = 0
    """Unix second at which the reply token expires."""
    awaits_reply: bool = False
    """Whether the callback that delivered the message waits for a passive reply, or the platform polls for one."""
    mentioned: bool | UnsetType = UNSET
    """False if the message is in a group and does not mention the bot. Absent in all others, also if the platform does
    not say it: the message then counts as one for the bot. Only Feishu, and Discord over its Gateway,
    deliver such messages."""
    authorisation: Literal["granted", "claimed", "changed", "withdrawn", "compared"] | UnsetType = UNSET
    """What an organisation did with an app that it can install. `claimed`: a browser says that it is `granted`, and the
    platform has not signed it. `compared`: nothing; an operator asks whether its row is still true. The engine
    handles such a message and gives the bot one of the organisation instead, except for `compared`. Absent in all
    others."""
    wants_name: bool | UnsetType = UNSET
    """Whether the sender's name is fetched before the bot runs. Absent, which counts as False, in most messages."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command whose arguments the platform has parsed. `name` includes sub-commands: `"file check"`."""

    name: str
    options: dict[str, str | int | float | bool] = {}
    menu: Literal["", "user", "message"] = ""
    """The context menu that it was called from. `options["target"]` is the id of the person or message then."""
    focused: str = ""
    """The option that is being typed and needs completions. The command has not been sent then."""

    @property
    def typed(self) -> str:
        """The text that is typed so far."""
        return str(self.options.get(self.focused, ""))


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """A press of a button, or of another element, in a card that the bot sent."""

    id: str
    """The id of the button, menu or form; the element's own name if another program made the card."""
    value: str = ""
    """`Button.value`; JSON if the card holds an object."""
    message_id: str = ""
    """The platform's id of the message that holds the card: edit it with `Reply(op="edit", target=...)`."""
    form: dict[str, str] = {}
    """The inputs of a submitted form, by id."""
    options: tuple[str, ...] = ()
    """The chosen values of a menu."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message, command, press or event of a platform, verified and normalised.

    `id` is the same in every delivery of the same thing, and unique within (platform, app): duplicates are recognised
    by it. `timestamp` is in unix seconds. `raw` is the platform's own JSON (or XML as a mapping), without credentials.
    """

    id: str
    platform: str
    app: str
    kind: Kind
    sender: Sender
    content: Content
    timestamp: int
    context: Context
    segments: tuple[AnySegment, ...] = ()
    mentions: tuple[Mention, ...] = ()
    reply_to: str = ""
    """The platform's id of the message that this one is a reply to."""
    event: str = ""
    """The platform's name of the event, for kind `event`."""
    command: Command | None = None
    action: Action | None = None
    merged: "tuple[Message, ...] | UnsetType" = UNSET
    """The messages that this one joins, in order, each as it was sent. Only with `Bot(merge=...)`, and only if there
    are several."""
    raw: Any = None
    version: int = VERSION

    @property
    def parts(self) -> "tuple[Message, ...]":
        """The messages that this one joins; itself if it joins none."""
        return (self,) if self.merged is UNSET else self.merged


def with_sources(message: Message) -> Message:
    """`message`, whose media name it as their source. Media that have a source keep it."""

    def named(segments: tuple[_Segment, ...]) -> tuple[_Segment, ...]:
        return tuple(_with_source(segment, message) for segment in segments)

    if not any(isinstance(segment, Media) for segment in (*message.segments, *message.content.attachments)):
        return message
    content = replace(message.content, attachments=named(message.content.attachments))
    return replace(message, content=content, segments=named(message.segments))


def source_of(media: AnyMedia, message: Message) -> Source:
    """The source of `media`; those without one are part of `message`."""
    return media.source or Source(
        platform=message.platform,
        app=message.app,
        tenant=message.context.tenant,
        message_id=message.id,
        key=media.key,
    )


def _with_source(segment: _Segment, message: Message) -> _Segment:
    return replace(segment, source=source_of(segment, message)) if isinstance(segment, Media) else segment
