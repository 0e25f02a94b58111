"""The message model of `parley.model`, written with pydantic. It exists only to be measured by `tools.bench.models`."""
# ruff: noqa: D101  (parley.model describes each class)

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class Text(_Model):
    type: Literal["text"] = "text"
    text: str


class Markdown(_Model):
    type: Literal["markdown"] = "markdown"
    text: str


class Mention(_Model):
    type: Literal["mention"] = "mention"
    id: str
    name: str = ""
    bot: bool = False


class _Media(_Model):
    key: str = ""
    url: str = ""
    data: str = ""
    name: str = ""
    mime: str = ""
    size: int | None = None


class Image(_Media):
    type: Literal["image"] = "image"


class File(_Media):
    type: Literal["file"] = "file"


class Audio(_Media):
    type: Literal["audio"] = "audio"
    seconds: float | None = None
    text: str = ""


class Video(_Media):
    type: Literal["video"] = "video"
    seconds: float | None = None
    cover: str = ""


class Location(_Model):
    type: Literal["location"] = "location"
    latitude: float
    longitude: float
    name: str = ""


class Link(_Model):
    type: Literal["link"] = "link"
    url: str
    title: str = ""
    description: str = ""
    image: str = ""


class Quote(_Model):
    type: Literal["quote"] = "quote"
    message_id: str
    text: str = ""


class Button(_Model):
    id: str
    label: str
    value: str = ""
    url: str = ""
    style: Literal["default", "primary", "danger"] = "default"


class Card(_Model):
    type: Literal["card"] = "card"
    title: str = ""
    text: str = ""
    image: str = ""
    buttons: tuple[Button, ...] = ()
    mentions: "tuple[Mention, ...]" = ()


class Other(_Model):
    type: Literal["other"] = "other"
    name: str
    text: str = ""
    data: dict[str, str] = {}


AnyMedia = Annotated[Image | File | Audio | Video, Field(discriminator="type")]
AnySegment = Annotated[
    Text | Markdown | Mention | Image | File | Audio | Video | Location | Link | Quote | Card | Other,
    Field(discriminator="type"),
]


class Sender(_Model):
    id: str
    name: str = ""
    kind: Literal["user", "bot", "system"] = "user"


class Content(_Model):
    text: str = ""
    attachments: tuple[AnyMedia, ...] = ()


class Context(_Model):
    room_id: str = ""
    thread_id: str = ""
    tenant: str = ""
    private: bool = False
    locale: str = ""
    reply_token: str = ""
    reply_token_expires: int = 0
    awaits_reply: bool = False


class Command(_Model):
    name: str
    options: dict[str, str | int | float | bool] = {}
    menu: Literal["", "user", "message"] = ""
    focused: str = ""


class Action(_Model):
    id: str
    value: str = ""
    message_id: str = ""
    form: dict[str, str] = {}
    options: tuple[str, ...] = ()


class Message(_Model):
    id: str
    platform: str
    app: str
    kind: Literal["message", "command", "action", "event"]
    sender: Sender
    content: Content
    timestamp: int
    context: Context
    segments: tuple[AnySegment, ...] = ()
    mentions: tuple[Mention, ...] = ()
    reply_to: str = ""
    event: str = ""
    command: Command | None = None
    action: Action | None = None
    raw: Any = None
    version: int = 1


decode_message = Message.model_validate_json


def encode(message: Message) -> bytes:
    """UTF-8 JSON of `message`."""
    return message.model_dump_json().encode()
