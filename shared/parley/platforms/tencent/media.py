"""Media: uploaded before they are sent, and fetched by their handle. A handle lives three days."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

from parley.adapter import IDEMPOTENT, Call, Upload
from parley.model import AnyMedia
from parley.platforms.tencent.api import AUTH

MEGABYTE = 1_048_576
_TIMEOUT = 30
"""Seconds for moving a file of the largest size."""


class MediaType(NamedTuple):
    """A type of temporary media: its name in the API, how large it may be, how its file is called by default."""

    name: str
    limit: int
    filename: str


def has_content(media: AnyMedia) -> bool:
    """Whether there is anything to show."""
    return bool(media.key or media.url or media.data)


def has_format(media: AnyMedia, *forms: str) -> bool:
    """Whether name or mime type say that it is one of `forms` (`jpg`, `mp4`); what says nothing is believed to be."""
    known = _suffix(media.name) or media.mime.rsplit("/", 1)[-1] or _suffix(_in_address(media.url))
    return not known or known.lower() in forms


def _in_address(url: str) -> str:
    """The file's name in an address, where it has one with a suffix."""
    name = url.split("?", 1)[0].split("#", 1)[0].rsplit("/", 1)[-1]
    return unquote(name) if _suffix(name) and "://" in url.removesuffix(name) else ""


def _suffix(name: str) -> str:
    suffix = name.rsplit(".", 1)[-1] if "." in name else ""
    return suffix if suffix.isalnum() else ""


def upload(
    url: str, media: AnyMedia, sort: MediaType, query: Callable[[MediaType], dict[str, str]], *, token: bool
) -> Call:
    """The call that gives `media` a handle. Repeating it makes another handle, which harms nobody."""
    return Call(
        name="upload",
        method="POST",
        url=url,
        auth=AUTH if token else None,
        query=query(sort),
        upload=Upload(field="media", media=media, limit=sort.limit, filename=_in_address(media.url) or sort.filename),
        idempotent_for=IDEMPOTENT,
        timeout=_TIMEOUT,
    )


def download(host: str, media: AnyMedia) -> Call:
    """The call that fetches the bytes of `media`. An image that has an address only is fetched there."""
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
