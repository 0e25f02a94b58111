"""The bucket for the media of clients: addresses that AWS signs in advance (Signature Version 4), for one request each.

An address holds no credential, and nobody can change what it allows. S3 compares the headers of an upload with those
that are signed: the size, the media type, and that there is no object with the key.
"""

import os
from typing import TypeVar
from urllib.parse import quote

import boto3
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError
from msgspec.structs import replace

from parley.adapter import NewMedia, Read, SupportsUploads, UploadAddress
from parley.engine.aws import setting
from parley.model import AnySegment, Card, Media, Outgoing

M = TypeVar("M", bound=Media)
UPLOADABLE = 300
"""Seconds for which an address to upload to is valid."""
READABLE = 900
"""Seconds for which an address to read from is valid: a page shows what it has just read."""


def upload_address(media: NewMedia) -> UploadAddress:
    """Where `media` are uploaded, once. S3 answers 412 if they are there already."""
    headers = {"Content-Type": media.mime, "Content-Length": str(media.size), "If-None-Match": "*"}
    return UploadAddress(_signed("PUT", media.key, headers, UPLOADABLE), headers, UPLOADABLE)


def read_address(key: str) -> str:
    """Where the object with that key is read. It need not exist."""
    return _signed("GET", key, {}, READABLE)


def with_addresses(found: Read, platform: SupportsUploads) -> Read:
    """`found`, whose media of the bucket have an address."""
    return replace(found, replies=tuple(_addressed(out, platform) for out in found.replies))


def _addressed(out: Outgoing, platform: SupportsUploads) -> Outgoing:
    segments = tuple(_with_address(segment, platform) for segment in out.reply.segments)
    return out if segments == out.reply.segments else replace(out, reply=replace(out.reply, segments=segments))


def _with_address(segment: AnySegment, platform: SupportsUploads) -> AnySegment:
    if isinstance(segment, Card) and segment.images:
        return replace(segment, images=tuple(_readable(image, platform) for image in segment.images))
    return _readable(segment, platform) if isinstance(segment, Media) else segment


def _readable(media: M, platform: SupportsUploads) -> M:
    key = platform.stored(media.source) if media.source and not media.data else ""
    return replace(media, url=read_address(key)) if key else media


def _signed(method: str, key: str, headers: dict[str, str], seconds: int) -> str:
    credentials = (boto3.DEFAULT_SESSION or boto3.Session()).get_credentials()
    if credentials is None:
        raise NoCredentialsError
    request = AWSRequest(method, f"{_bucket()}/{quote(key)}", headers=headers)
    signer = S3SigV4QueryAuth(credentials, "s3", os.environ["AWS_REGION"], expires=seconds)
    signer.add_auth(request)
    return str(request.url)


def _bucket() -> str:
    """The address of the bucket, also where the SDK has another endpoint."""
    host, endpoint = setting("MEDIA_HOST"), os.environ.get("AWS_ENDPOINT_URL", "")
    return f"{endpoint}/{host.partition('.')[0]}" if endpoint else f"https://{host}"
