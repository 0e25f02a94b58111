"""Temporary media: uploaded by apps and sent by persons. Facts: WeCom docs and WeChat docs, Temporary media."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from playground.multipart import parse_multipart
from playground.platforms.base import Unknown
from playground.platforms.feishu.store import picture_type
from playground.platforms.http import Request, Response
from playground.platforms.tencent.accounts import Account
from playground.platforms.tencent.errors import MEDIA_INVALID, Refused, done

if TYPE_CHECKING:
    from playground.platforms.tencent import Tencent

LIFE = 3 * 86_400
LEAST = 5
"""Bytes that a file has to have more than."""
MEGABYTE = 1024 * 1024
_MIMES = {"image": "image/png", "thumb": "image/jpeg", "voice": "audio/amr", "video": "video/mp4"}


class Sort(NamedTuple):
    """A type of media: its size in bytes, the forms it may have."""

    most: int
    forms: tuple[str, ...] = ()
    """Suffixes of file names, or subtypes of pictures; none: any."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Something uploaded."""

    key: str
    kind: str
    data: bytes
    mime: str
    name: str
    until: float


def keep(tencent: "Tencent", kind: str, data: bytes, name: str = "") -> Blob:
    """Keep a file, for three days."""
    mime = picture_type(data) if kind in ("image", "thumb") else ""
    blob = Blob(
        f"media-{tencent.hex(40)}",
        kind,
        data,
        mime or _MIMES.get(kind, "application/octet-stream"),
        name or kind,
        tencent.clock() + LIFE,
    )
    tencent.blobs[blob.key] = blob
    return blob


def find(tencent: "Tencent", key: object, *kinds: str) -> Blob:
    """The file with that id, of one of those types. Raises Refused."""
    blob = tencent.blobs.get(str(key))
    if blob is None or blob.until <= tencent.clock() or (kinds and blob.kind not in kinds):
        raise Refused(*MEDIA_INVALID)
    return blob


def uploaded(tencent: "Tencent", request: Request, sorts: Mapping[str, Sort]) -> Blob:
    """The file in a form, checked and kept. Raises Refused."""
    kind = request.query.get("type", "")
    if kind not in sorts:
        raise Refused(40004, "invalid media type")
    form = parse_multipart(request.headers.get("content-type", ""), request.body) or []
    part = next((part for part in form if part.name == "media"), None)
    if part is None or not part.filename:
        raise Refused(41005, "media data missing")
    sort = sorts[kind]
    if not LEAST < len(part.data) <= sort.most:
        raise Refused(40006, "invalid media size")
    suffix = part.filename.rsplit(".", 1)[-1].lower()
    form_is = picture_type(part.data).rpartition("/")[2] if kind in ("image", "thumb") else suffix
    if sort.forms and form_is not in sort.forms:
        raise Refused(40005, "invalid file type")
    return keep(tencent, kind, part.data, part.filename)


def upload(tencent: "Tencent", _account: Account, request: Request) -> Response:
    """`POST /cgi-bin/media/upload?type=`."""
    blob = uploaded(tencent, request, tencent.sorts)
    handle = "thumb_media_id" if blob.kind == "thumb" else "media_id"
    return done(**{"type": blob.kind, handle: blob.key, "created_at": int(tencent.clock())})


def download(tencent: "Tencent", account: Account, request: Request) -> Response:
    """`GET /cgi-bin/media/get?media_id=`."""
    blob = find(tencent, request.query.get("media_id"))
    if blob.kind == "video" and tencent.films_by_address:
        return Response.of({"video_url": address(account, blob)})
    return _sent(blob)


def at_address(tencent: "Tencent", _request: Request, key: str) -> Response:
    """What a `PicUrl` or `video_url` leads to."""
    blob = tencent.blobs.get(key)
    return _sent(blob) if blob else Response(404, b"", {"content-type": "text/plain"})


def address(account: Account, blob: Blob) -> str:
    """Where anybody can fetch `blob`."""
    return f"{account.host}/media/{blob.key}"


def _sent(blob: Blob) -> Response:
    name = {"content-disposition": f'attachment; filename="{blob.name}"'}
    return Response(200, blob.data, {"content-type": blob.mime, **name})


def shown(tencent: "Tencent", key: str) -> tuple[str, bytes]:
    """Content type and bytes, for the page. Raises Unknown."""
    blob = tencent.blobs.get(key)
    if blob is None:
        raise Unknown(f"{tencent.name} has no media {key!r}")
    return blob.mime, blob.data
