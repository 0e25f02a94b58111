"""The bucket for the media of clients: addresses that AWS signs in advance (Signature Version 4), for one request each.

An address holds no credential, and nobody can change what it allows. S3 compares the headers of an upload with those
that are signed: the size, the media type, and that there is no object with the key.
"""

import os
from urllib.parse import quote

import boto3
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError

from parley.adapter import NewMedia, UploadAddress
from parley.engine.aws import setting

UPLOADABLE = 300
"""Seconds for which an address to upload to is valid."""
READABLE = 900
"""Seconds for which an address to read from is valid: a page shows what it has just read."""


def upload_address(media: NewMedia) -> UploadAddress:
    """Where `media` are uploaded, once. S3 answers 412 if they are there already."""
    headers = {"Content-Type": media.mime, "Content-Length": str(media.size), "If-None-Match": "*"}
    return UploadAddress(_signed("PUT", media.key, headers, UPLOADABLE), headers, UPLOADABLE)


def write_address(key: str, headers: dict[str, str]) -> str:
    """Where the object with that key is written with these headers, also if it is there already."""
    return _signed("PUT", key, headers, UPLOADABLE)


def read_address(key: str, name: str = "") -> str:
    """Where the object with that key is read. It need not exist. A browser that opens it saves a file with that name.

    So an uploaded page is no page of the bucket's host. Pictures, sounds and films in a page are shown all the same.
    """
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}" if name else "attachment"
    return _signed("GET", key, {}, READABLE, f"?response-content-disposition={quote(disposition, safe='')}")


def _signed(method: str, key: str, headers: dict[str, str], seconds: int, query: str = "") -> str:
    credentials = (boto3.DEFAULT_SESSION or boto3.Session()).get_credentials()
    if credentials is None:
        raise NoCredentialsError
    request = AWSRequest(method, f"{_bucket()}/{quote(key)}{query}", headers=headers)
    region = os.environ.get("AWS_REGION") or os.environ["AWS_DEFAULT_REGION"]
    signer = S3SigV4QueryAuth(credentials, "s3", region, expires=seconds)
    signer.add_auth(request)
    return str(request.url)


def _bucket() -> str:
    """The address of the bucket, also where the SDK has another endpoint."""
    host, endpoint = setting("MEDIA_HOST"), os.environ.get("AWS_ENDPOINT_URL", "")
    return f"{endpoint}/{host.partition('.')[0]}" if endpoint else f"https://{host}"
