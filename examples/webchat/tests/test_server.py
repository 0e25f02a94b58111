"""The server of the demo: who gets a token, for whom, and what it serves."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from server import COOKIE, TOKEN_SECONDS, Site, local, serving

SECRET = "a shared secret of at least 32 bytes"


class Parley(BaseHTTPRequestHandler):
    """An API that notes its requests."""

    seen: list[tuple[str, str, str]]
    bodies: list[bytes]
    keys: list[str]
    status = 201
    address = ""

    def answer(self) -> None:
        self.seen.append((self.command, self.path, self.headers["Authorization"]))
        self.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        self.keys.append(self.headers.get("Idempotency-Key", ""))
        body = json.dumps({"ticket": "t", "url": "wss://example.com", "expires_in": 60, "replies": []}).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name that http.server wants
        pass


def started(server: ThreadingHTTPServer) -> str:
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def api() -> Iterator[type[Parley]]:
    handler = type("Noting", (Parley,), {"seen": [], "bodies": [], "keys": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.address = started(server)
        yield handler
        server.shutdown()


@pytest.fixture
def client(api: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    monkeypatch.setattr("server.Handler.log_message", Parley.log_message)
    site = Site(api.address, "web", "https://www.example.com", "parley", SECRET)
    with serving(site, 0) as server, httpx.Client(base_url=started(server)) as client:
        yield client
        server.shutdown()


def claims(authorization: str) -> dict[str, Any]:
    token = jwt.decode(authorization.removeprefix("Bearer "), OctKey.import_key(SECRET), algorithms=["HS256"])
    return dict(token.claims)


def test_each_browser_gets_tickets_as_a_person_of_its_own(client: httpx.Client, api: Any) -> None:
    persons: set[str] = set()
    for _ in range(2):
        client.cookies.clear()
        assert client.get("/").status_code == 200
        for _ in range(2):
            answer = client.post("/chat/ticket")
            assert (answer.status_code, answer.json()["ticket"]) == (201, "t")
            persons.add(claims(api.seen[-1][2])["sub"])
    assert len(persons) == 2
    found = claims(api.seen[-1][2])
    assert (found["iss"], found["aud"]) == ("https://www.example.com", "parley")
    assert abs(found["exp"] - time.time() - TOKEN_SECONDS) < 10
    assert {seen[:2] for seen in api.seen} == {("POST", "/v1/web/tickets")}


@pytest.mark.parametrize("headers", [{}, {"Cookie": f"{COOKIE}=a", "Sec-Fetch-Site": "cross-site"}])
def test_nobody_else_gets_a_ticket_or_replies(client: httpx.Client, api: Any, headers: dict[str, str]) -> None:
    assert client.post("/chat/ticket", headers=headers).status_code == 401
    assert client.get("/chat/replies?after=1", headers=headers).status_code == 401
    assert api.seen == []


def test_replies_are_read_as_the_person_and_nothing_of_the_query_gets_into_the_path(
    client: httpx.Client, api: Any
) -> None:
    client.get("/")
    assert client.get("/chat/replies", params={"room": "../x?y", "after": "4&wait=25"}).json()["replies"] == []
    assert api.seen[-1][1] == "/v1/web/conversations/..%2Fx%3Fy/replies?after=4%26wait%3D25"
    assert claims(api.seen[-1][2])["sub"].startswith("visitor-")


def test_an_error_of_the_api_is_passed_on_and_no_answer_is_502(client: httpx.Client, api: Any) -> None:
    client.get("/")
    api.status = 429
    assert client.post("/chat/ticket").status_code == 429
    with serving(Site("http://127.0.0.1:9", "web", "i", "a", SECRET), 0) as server:
        assert httpx.post(f"{started(server)}/chat/ticket", headers={"Cookie": f"{COOKIE}=a"}).status_code == 502
        server.shutdown()


@pytest.mark.parametrize("path", ["/chat/parley-chat.js", "/chat/parley.js", "/chat/parley-chat.css", "/"])
def test_the_files_of_the_chat_are_served(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["X-Content-Type-Options"]) == (200, "nosniff")


@pytest.mark.parametrize("path", ["/chat/../server.py", "/chat/README.md", "/server.py", "/chat/", "/chat/%2e%2e/x"])
def test_no_other_file_is_served(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_settings_of_the_local_stack_are_read_from_its_file(tmp_path: Path) -> None:
    issuer = {"issuer": "https://playground.invalid", "audience": "demo", "secrets": [SECRET]}
    api = "http://127.0.0.1:4566/restapis/a/local/_user_request_"
    address = f"{api}/v1/demo/messages"
    facts = {"apps": {"http": {"demo": {"issuers": [issuer]}}}, "callbacks": {"http": {"demo": address}}}
    (tmp_path / "stack.json").write_text(json.dumps(facts))
    site = local(tmp_path / "stack.json", "demo")
    uploads = "http://127.0.0.1:4566"
    assert site == Site(api, "demo", "https://playground.invalid", "demo", SECRET, uploads)
    assert f"connect-src 'self' ws: wss: {uploads};" in site.security["Content-Security-Policy"]


def test_a_file_is_announced_with_the_token_of_the_person_and_its_bytes_do_not_come_here(
    client: httpx.Client, api: Any
) -> None:
    wanted, headers = {"type": "image/png", "size": 4}, {"Idempotency-Key": "k1"}
    assert client.post("/chat/media", json=wanted, headers=headers).status_code == 401
    client.get("/")
    assert client.post("/chat/media", json=wanted, headers=headers).status_code == 201
    method, path, authorization = api.seen[-1]
    assert (method, path) == ("POST", "/v1/web/media")
    assert claims(authorization)["sub"].startswith("visitor-")
    assert json.loads(api.bodies[-1]) == wanted
    assert api.keys[-1] == "k1"
    seen = len(api.seen)
    assert client.post("/chat/media", content=b"x" * 5000, headers=headers).status_code == 413
    assert len(api.seen) == seen
