"""Temporary media: uploaded before they are sent, fetched by their media id, valid for three days."""

from collections.abc import Callable, Generator, Iterable
from typing import NamedTuple
from urllib.parse import unquote

from msgspec.structs import replace

from parley.adapter import IDEMPOTENT, Call, Sent, Upload
from parley.model import AnyMedia, AnySegment, Audio, Card, File, Image, Video
from parley.platforms.tencent import content_limits
from parley.platforms.tencent.api import AUTH

VALID = 259_200
"""Seconds for which a media id of an upload is valid."""
_TIMEOUT = 30
"""Seconds for a file of the largest size."""


class MediaType(NamedTuple):
    """A type of temporary media: its name in the API, its largest size in bytes, the default name of its file."""

    name: str
    limit: int
    filename: str


IMAGE = MediaType("image", content_limits.IMAGE.most, "image.png")
VOICE = MediaType("voice", content_limits.AUDIO.most, "voice.amr")
VIDEO = MediaType("video", content_limits.VIDEO.most, "video.mp4")


Formats = tuple[tuple[type[AnyMedia], MediaType, tuple[str, ...]], ...]
"""The formats that a platform shows, by type of segment."""
WECOM_FORMATS: Formats = (
    (Image, IMAGE, ("jpg", "jpeg", "png")),
    (Audio, VOICE, ("amr",)),
    (Video, VIDEO, ("mp4",)),
)
WECHAT_FORMATS: Formats = (
    (Image, IMAGE, ("png", "jpg", "jpeg", "gif")),
    (Audio, VOICE, ("amr", "mp3", "mpeg")),
    (Video, VIDEO, ("mp4",)),
)


def media_type_of(media: AnyMedia, formats: Formats) -> MediaType | None:
    """The type as which `media` is sent. None if there is none.

    A media id does not show the format; the type of the segment decides then.
    """
    for segment_type, media_type, names in formats:
        if isinstance(media, segment_type) and (media.key or has_format(media, *names)):
            return media_type
    return None


def has_format(media: AnyMedia, *formats: str) -> bool:
    """Whether the name, MIME type or address of `media` ends in one of `formats` (`jpg`, `mp4`).

    True also if none of them shows a format.
    """
    known = _suffix(media.name) or media.mime.rsplit("/", 1)[-1] or _suffix(_name_in(media.url))
    return not known or known.lower() in formats


def _name_in(url: str) -> str:
    """The file name in an address; empty if it has none with a suffix."""
    name = url.split("?", 1)[0].split("#", 1)[0].rsplit("/", 1)[-1]
    return unquote(name) if _suffix(name) and "://" in url.removesuffix(name) else ""


def _suffix(name: str) -> str:
    suffix = name.rsplit(".", 1)[-1] if "." in name else ""
    return suffix if suffix.isalnum() else ""


UploadOf = Callable[[AnyMedia], Call | None]
"""The upload of media that have no media id. None if the platform shows them in another way."""


def upload_all(segments: Iterable[AnySegment], upload_of: UploadOf) -> Generator[Call, Sent, tuple[AnySegment, ...]]:
    """Upload the media in `segments` and in their cards that have no media id. Returns the segments with media ids.

    All uploads precede the first message. So nobody has read anything yet when an upload is refused, and a reply whose
    first message is refused can be deferred with its media.
    """
    done: list[AnySegment] = []
    for segment in segments:
        if isinstance(segment, Card):
            pictures = yield from upload_all(segment.images, upload_of)
            done.append(replace(segment, images=tuple(each for each in pictures if isinstance(each, Image))))
        else:
            call = _upload(segment, upload_of)
            done.append(segment if call is None else _with_id(segment, (yield call)))
    return tuple(done)


def with_media_ids(
    segments: Iterable[AnySegment], receipts: Iterable[Sent], upload_of: UploadOf
) -> tuple[AnySegment, ...]:
    """`segments` with the media ids of the uploads that are done. `receipts`: those of the calls of `upload_all`."""
    steps, given = upload_all(segments, upload_of), iter(receipts)
    try:
        next(steps)
        while True:
            steps.send(next(given, Sent()))
    except StopIteration as end:
        return end.value


def _upload(segment: AnySegment, upload_of: UploadOf) -> Call | None:
    is_media = isinstance(segment, Image | Audio | Video | File)
    return upload_of(segment) if is_media and not segment.key and segment.is_uploadable else None


def _with_id(media: AnySegment, receipt: Sent) -> AnySegment:
    return replace(media, key=receipt.id) if isinstance(media, Image | Audio | Video | File) else media


def upload_call(url: str, media: AnyMedia, media_type: MediaType, query: dict[str, str], *, with_token: bool) -> Call:
    """The call that uploads `media` and returns its media id. A repeat creates a second media id, which is harmless."""
    filename = _name_in(media.url) or media_type.filename
    return Call(
        name="upload",
        method="POST",
        url=url,
        auth=AUTH if with_token else None,
        query={**query, "type": media_type.name},
        upload=Upload(field="media", media=media, limit=media_type.limit, filename=filename),
        idempotent_for=IDEMPOTENT,
        timeout=_TIMEOUT,
    )


def download_call(host: str, media: AnyMedia) -> Call:
    """The call that fetches the bytes of `media`, by its media id. An image without one is fetched from its address."""
    if not media.key and media.url:
        return Call(name="download", method="GET", url=media.url, idempotent_for=IDEMPOTENT, timeout=_TIMEOUT)
    return Call(
        name="download",
        method="GET",
        url=f"{host}/cgi-bin/media/get",
        auth=AUTH,
        query={"media_id": media.key},
        idempotent_for=IDEMPOTENT,
        timeout=_TIMEOUT,
    )
