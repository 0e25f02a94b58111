"""What the server of a site does for the web chat: it gets a ticket for the person who is signed in.

`python examples/webchat/server.py` serves a page with the chat, for the stack of `make run`. It needs the standard
library only.
"""

import argparse
import base64
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qs, quote, urlsplit
from urllib.request import Request, urlopen

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDERS = (HERE / "static", ROOT / "clients" / "web")
"""The files of the chat, and those of the client that it imports."""
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
TOKEN_SECONDS = 3600
"""A connection ends when the token of its ticket does."""
MAX_BODY = 4096
"""Bytes of a request. A file goes to the bucket, and not through this server."""
COOKIE = "visitor"
_SECURITY = {
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self' ws: wss: {uploads}; "
        "img-src http: https: data: blob:; media-src https: blob:"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
Answer = tuple[int, bytes]
"""A status and a JSON document."""
SIGNED_OUT: Answer = (401, b'{"error": "signed_out", "detail": "Nobody is signed in."}')


class Site(NamedTuple):
    """Where Parley is, and the issuer whose secret this server has."""

    api: str
    """The address of the REST API, without `/v1`."""
    app: str
    issuer: str
    audience: str
    secret: str
    uploads: str = ""
    """Where browsers upload files: the address of the bucket, such as `https://BUCKET.s3.REGION.amazonaws.com`."""

    @property
    def security(self) -> dict[str, str]:
        """The headers of all responses: the page connects to this site, to WebSockets, and to the bucket only."""
        return {name: value.format(uploads=self.uploads) for name, value in _SECURITY.items()}

    def token(self, person: str, name: str, now: float) -> str:
        """A JWT that says who the person is (RFC 7519, HS256)."""
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": person,
            "name": name,
            "exp": int(now) + TOKEN_SECONDS,
        }
        signed = f"{_segment({'alg': 'HS256', 'typ': 'JWT'})}.{_segment(claims)}"
        return f"{signed}.{_base64url(hmac.digest(self.secret.encode(), signed.encode(), 'sha256'))}"

    def ticket(self, token: str) -> Answer:
        """A ticket with which the person's browser connects once, within a minute."""
        return self._call("POST", "tickets", token)

    def replies(self, token: str, room: str, after: str) -> Answer:
        """The replies after a number. The browser asks for one that is too large for its connection."""
        place = f"conversations/{quote(room or 'me', safe='')}/replies?after={quote(after, safe='')}"
        return self._call("GET", place, token)

    def media(self, token: str, key: str, wanted: bytes) -> Answer:
        """Where the browser uploads a file. `wanted`: its type and size as JSON. `key`: that of the request."""
        return self._call("POST", "media", token, wanted, {"Idempotency-Key": key, "Content-Type": "application/json"})

    def _call(
        self, method: str, path: str, token: str, body: bytes | None = None, more: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer of Parley as it is. 502 without one."""
        address = f"{self.api}/v1/{quote(self.app, safe='')}/{path}"
        headers = {"Authorization": f"Bearer {token}", **(more or {})}
        request = Request(address, body, headers, method=method)  # noqa: S310  # the address is that of the settings
        try:
            with urlopen(request, timeout=10) as response:  # noqa: S310
                return response.status, response.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()
        except (URLError, TimeoutError, OSError):
            return 502, b'{"error": "unavailable", "detail": "Parley does not answer."}'


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _segment(document: Mapping[str, object]) -> str:
    return _base64url(json.dumps(document).encode())


class Served(NamedTuple):
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes


def respond(site: Site, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Served:
    """The response to a request: the page, a file of the chat at `/chat/FILE`, `/chat/ticket`, `/chat/replies` or
    `/chat/media`.

    `headers`: with names in lower case.
    """
    url, person = urlsplit(target), visitor(headers)
    if method == "POST" and url.path == "/chat/ticket":
        return _as_person(site, person, site.ticket)
    if method == "POST" and url.path == "/chat/media":
        key = headers.get("idempotency-key", "")
        return _as_person(site, person, lambda token: site.media(token, key, body))
    if method == "GET" and url.path == "/chat/replies":
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        return _as_person(
            site, person, lambda token: site.replies(token, query.get("room", ""), query.get("after", ""))
        )
    name = "index.html" if url.path == "/" else url.path.removeprefix("/chat/")
    files = {path.name: path for folder in FOLDERS for path in folder.iterdir() if path.suffix in TYPES}
    if method != "GET" or name not in files:
        return Served(404, {}, b"")
    more = {"Content-Type": f"{TYPES[files[name].suffix]}; charset=utf-8"}
    if url.path == "/" and not person:
        more["Set-Cookie"] = f"{COOKIE}={secrets.token_urlsafe(16)}; HttpOnly; SameSite=Lax; Path=/"
    return Served(200, {**site.security, **more}, files[name].read_bytes())


def visitor(headers: Mapping[str, str]) -> str:
    """Who asks. A real site takes the person of its own session. Here, each browser is another person.

    Empty if nobody is signed in, and for a request that another site has made.
    """
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return ""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return f"visitor-{cookie.value}" if cookie else ""


def _as_person(site: Site, person: str, call: Callable[[str], Answer]) -> Served:
    """What `call` returns for a token of the person."""
    status, body = call(site.token(person, "Visitor", time.time())) if person else SIGNED_OUT
    return Served(status, {**site.security, "Content-Type": "application/json"}, body)


class Handler(BaseHTTPRequestHandler):
    """Requests of browsers."""

    site: Site

    def do_GET(self) -> None:
        """Respond to a request."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True
            served = Served(413, {}, b"")
        else:
            served = respond(self.site, self.command, self.path, headers, self.rfile.read(int(length)))
        self.send_response(HTTPStatus(served.status))
        for name, value in {**served.headers, "Content-Length": str(len(served.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(served.body)

    do_POST = do_GET  # noqa: N815  # the name that http.server wants


def local(stack: Path, app: str) -> Site:
    """The settings for the stack of `make run`. Raises OSError if it does not run."""
    facts = cast("dict[str, Any]", json.loads(stack.read_text()))
    issuer = facts["apps"]["http"][app]["issuers"][0]
    api = str(facts["callbacks"]["http"][app]).partition("/v1/")[0]
    # The emulator serves the bucket at its own address.
    uploads = "{0.scheme}://{0.netloc}".format(urlsplit(api))
    return Site(api, app, issuer["issuer"], issuer["audience"], issuer["secrets"][0], uploads)


def serving(site: Site, port: int) -> ThreadingHTTPServer:
    """The server for that site, on this machine."""
    return ThreadingHTTPServer(("127.0.0.1", port), type("SiteHandler", (Handler,), {"site": site}))


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, help="a JSON file with api, app, issuer, audience, secret, uploads")
    parser.add_argument("--stack", type=Path, default=ROOT / ".local" / "stack.json", help="the stack of `make run`")
    parser.add_argument("--app", default="demo", help="the app of that stack")
    parser.add_argument("--port", type=int, default=8410)
    options = parser.parse_args()
    try:
        site = (
            Site(**json.loads(options.settings.read_text())) if options.settings else local(options.stack, options.app)
        )
    except OSError as error:
        parser.error(f"{error.filename}: not found; start the stack with `make run`, or pass --settings")
    with serving(site, options.port) as server:
        print(f"http://localhost:{options.port}")  # noqa: T201
        server.serve_forever()


if __name__ == "__main__":
    main()
