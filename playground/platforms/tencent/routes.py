"""The routes that WeCom and WeChat share."""

from playground.platforms.exchange import Request, Response
from playground.platforms.routing import route
from playground.platforms.tencent import media
from playground.platforms.tencent.accounts import Account
from playground.platforms.tencent.errors import ok


def _callback_ips(_tencent: object, _account: Account, _request: Request) -> Response:
    """`GET /cgi-bin/getcallbackip`."""
    return ok(ip_list=["127.0.0.1"])


COMMON_ROUTES = (
    route("POST", "/cgi-bin/media/upload", media.upload),
    route("GET", "/cgi-bin/media/get", media.download),
    route("GET", "/cgi-bin/getcallbackip", _callback_ips),
    route("GET", "/media/{key}", media.download_url, authenticated=False),
)
