"""Temporary media: uploaded by apps and sent by persons. Facts: WeCom docs and WeChat docs, Temporary media."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from playground.multipart import parse_multipart
from playground.platforms.exchange import Request, Response
from playground.platforms.media import Blob, image_type
from playground.platforms.tencent.accounts import Account
from playground.platforms.tencent.errors import MEDIA_INVALID, TencentError, ok

if TYPE_CHECKING:
    from playground.platforms.tencent import Tencent

LIFETIME = 3 * 86_400
MIN_BYTES = 5
"""A file has to be larger than this."""
MEGABYTE = 1024 * 1024
_MIMES = {"image": "image/png", "thumb": "image/jpeg", "voice": "audio/amr", "video": "video/mp4"}


class MediaType(NamedTuple):
    """The limits of one type of media."""

    max_bytes: int
    formats: tuple[str, ...] = ()
    """Suffixes of file names, or subtypes of images; empty: any."""


def store(tencent: "Tencent", kind: str, data: bytes, name: str = "") -> Blob:
    """Store a file for three days."""
    mime = image_type(data) if kind in ("image", "thumb") else ""
    key = f"media-{tencent.hex(40)}"
    mime = mime or _MIMES.get(kind, "application/octet-stream")
    return tencent.put_blob(Blob(key, kind, data, mime, name or kind, expires=tencent.clock() + LIFETIME))


def find(tencent: "Tencent", key: object, *kinds: str) -> Blob:
    """The file with that id and one of those types. Raises TencentError."""
    blob = tencent.blobs.get(str(key))
    if blob is None or blob.expires <= tencent.clock() or (kinds and blob.kind not in kinds):
        raise TencentError(*MEDIA_INVALID)
    return blob


def store_upload(tencent: "Tencent", request: Request, types: Mapping[str, MediaType]) -> Blob:
    """Validate and store the file of a form. Raises TencentError."""
    kind = request.query.get("type", "")
    if kind not in types:
        raise TencentError(40004, "invalid media type")
    form = parse_multipart(request.headers.get("content-type", ""), request.body) or []
    part = next((part for part in form if part.name == "media"), None)
    if part is None or not part.filename:
        raise TencentError(41005, "media data missing")
    limits = types[kind]
    if not MIN_BYTES < len(part.data) <= limits.max_bytes:
        raise TencentError(40006, "invalid media size")
    suffix = part.filename.rsplit(".", 1)[-1].lower()
    file_format = image_type(part.data).rpartition("/")[2] if kind in ("image", "thumb") else suffix
    if limits.formats and file_format not in limits.formats:
        raise TencentError(40005, "invalid file type")
    return store(tencent, kind, part.data, part.filename)


def upload(tencent: "Tencent", _account: Account, request: Request) -> Response:
    """`POST /cgi-bin/media/upload?type=`."""
    blob = store_upload(tencent, request, tencent.media_types)
    handle = "thumb_media_id" if blob.kind == "thumb" else "media_id"
    return ok(**{"type": blob.kind, handle: blob.key, "created_at": int(tencent.clock())})


def download(tencent: "Tencent", account: Account, request: Request) -> Response:
    """`GET /cgi-bin/media/get?media_id=`."""
    blob = find(tencent, request.query.get("media_id"))
    if blob.kind == "video" and tencent.video_by_url:
        return Response.of({"video_url": url(account, blob)})
    return Response.file(blob.data, blob.mime, blob.name)


def download_url(tencent: "Tencent", _request: Request, key: str) -> Response:
    """The target of a `PicUrl` or `video_url`."""
    blob = tencent.blobs.get(key)
    return Response.file(blob.data, blob.mime, blob.name) if blob else tencent.unknown_path


def url(account: Account, blob: Blob) -> str:
    """The public URL of `blob`."""
    return f"{account.host}/media/{blob.key}"
