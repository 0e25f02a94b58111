"""Upload, display and download of media (Feishu docs: Upload image, Upload file, Get resources in message)."""

import mimetypes
from collections.abc import Generator, Iterable
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

from msgspec.structs import replace

from parley.adapter import IDEMPOTENT, Auth, Call, Sent, Upload
from parley.model import AnyMedia, AnySegment, Audio, Card, Image, Video
from parley.platforms.feishu.config import Config
from parley.platforms.feishu.content_limits import LIMITS
from parley.platforms.feishu.render import Rendered
from parley.platforms.feishu.values import Object

BEARER = Auth("header", "Authorization", "Bearer ")
_IMAGE_LIMIT, _FILE_LIMIT = LIMITS.image.most, LIMITS.file.most
"""Bytes."""
_TIMEOUT = 60.0
"""Seconds to transfer a file of the largest size."""
_FILE_TYPES = {
    ".opus": "opus",
    ".mp4": "mp4",
    ".pdf": "pdf",
    ".doc": "doc",
    ".docx": "doc",
    ".xls": "xls",
    ".xlsx": "xls",
    ".ppt": "ppt",
    ".pptx": "ppt",
}
_OPUS = ("audio/opus", "audio/ogg")


def all_uploaded(parts: Iterable[Rendered | AnyMedia], config: Config) -> Generator[Call, Sent, list[Rendered]]:
    """The messages for `parts` (`render.parts`). Media without a key are uploaded, with one call each.

    All uploads precede the first message. If one is refused, nobody has seen a part of the reply yet, and the reply is
    sent with the address in the place of those media.
    """
    messages: list[Rendered] = []
    for part in parts:
        message = yield from _uploaded(part, config)
        messages.append(message)
    return messages


def with_pictures(segments: Iterable[AnySegment], config: Config) -> Generator[Call, Sent, tuple[AnySegment, ...]]:
    """`segments` with the keys of the pictures in their cards. Pictures without a key are uploaded."""
    done: list[AnySegment] = []
    for segment in segments:
        if isinstance(segment, Card) and segment.images:
            images: list[Image] = []
            for image in segment.images:
                receipt = (yield _upload(image, config)) if not image.key and image.is_uploadable else None
                images.append(replace(image, key=receipt.data.get("key", "")) if receipt else image)
            segment = replace(segment, images=tuple(images))  # noqa: PLW2901
        done.append(segment)
    return tuple(done)


def _uploaded(part: Rendered | AnyMedia, config: Config) -> Generator[Call, Sent, Rendered]:
    if isinstance(part, Rendered):
        return part
    if part.key:
        return _message(part, part.key)
    receipt = yield _upload(part, config)
    return _message(part, receipt.data.get("key", ""))


def _upload(media: AnyMedia, config: Config) -> Call:
    if isinstance(media, Image):
        form = Upload(
            field="image", media=media, limit=_IMAGE_LIMIT, fields={"image_type": "message"}, filename="image"
        )
        return _upload_call("upload_image", f"{config.api}/open-apis/im/v1/images", form)
    fields = {"file_type": _file_type(media), "file_name": _name(media)}
    if isinstance(media, Audio | Video) and media.seconds:
        fields["duration"] = str(round(media.seconds * 1000))
    form = Upload(field="file", media=media, limit=_FILE_LIMIT, fields=fields, filename=_name(media))
    return _upload_call("upload_file", f"{config.api}/open-apis/im/v1/files", form)


def _message(media: AnyMedia, key: str) -> Rendered:
    """The message that shows `media` by its `key`."""
    if isinstance(media, Image):
        return Rendered("image", {"image_key": key})
    content: Object = {"file_key": key}
    # The format of media that came with a key is unknown. The segment's type decides.
    if isinstance(media, Audio) and (media.key or _file_type(media) == "opus"):
        return Rendered("audio", content)
    if isinstance(media, Video) and (media.key or _file_type(media) == "mp4"):
        return Rendered("media", content | ({"image_key": media.cover} if media.cover else {}))
    return Rendered("file", content)


def download(media: AnyMedia, message_id: str, config: Config) -> Call:
    """The call that fetches `media` of the message `message_id`, or media that this bot uploaded if that is empty."""
    kind = "image" if isinstance(media, Image) else "file"
    base = f"{config.api}/open-apis/im/v1"
    key = quote(media.key, safe="")
    if message_id:
        url, query = f"{base}/messages/{quote(message_id, safe='')}/resources/{key}", {"type": kind}
    else:
        url, query = f"{base}/{kind}s/{key}", {}
    return Call(
        name="download", method="GET", url=url, auth=BEARER, query=query, idempotent_for=IDEMPOTENT, timeout=_TIMEOUT
    )


def _upload_call(name: str, url: str, form: Upload) -> Call:
    return Call(
        name=name, method="POST", url=url, auth=BEARER, upload=form, idempotent_for=IDEMPOTENT, timeout=_TIMEOUT
    )


def _name(media: AnyMedia) -> str:
    """The file's name, with the suffix of its type if it has none: clients take the type from it."""
    name = media.name or PurePosixPath(urlsplit(media.url).path).name or "file"
    return name if PurePosixPath(name).suffix else name + (mimetypes.guess_extension(media.mime) or "")


def _file_type(media: AnyMedia) -> str:
    if isinstance(media, Audio) and media.mime in _OPUS:
        return "opus"
    if isinstance(media, Video) and media.mime == "video/mp4":
        return "mp4"
    return _FILE_TYPES.get(PurePosixPath(_name(media)).suffix.lower(), "stream")
