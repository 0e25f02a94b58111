"""The web chat of the example on the playground."""

import json

import httpx
import pytest

from tests.tokens import SECRET


@pytest.fixture
def chat(running, receiver):
    """A client of the playground, whose stack has an app of the HTTP channel. Its API is the scripted callback URL."""
    world, http = running
    facts = json.loads(world.stack.path.read_text())
    issuer = {"issuer": "https://playground.invalid", "audience": "demo", "algorithm": "HS256", "secrets": [SECRET]}
    facts["apps"]["http"] = {"demo": {"issuers": [issuer], "webhook_secrets": ["whsec_AAAA"]}}
    facts["callbacks"]["http"] = {"demo": f"{receiver.url}/v1/demo/messages"}
    world.stack.path.write_text(json.dumps(facts))
    return http


def test_the_page_and_the_files_of_the_chat_are_served(chat: httpx.Client) -> None:
    page = chat.get("/webchat")
    assert page.status_code == 200
    assert "parley-chat.js" in page.text
    assert page.headers.get_list("content-security-policy")[1:] == []
    assert "connect-src 'self' ws:" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    for name in ("parley-chat.js", "parley-chat.css", "parley.js", "room.js"):
        assert chat.get(f"/chat/{name}").status_code == 200
    assert chat.get("/chat/server.py").status_code == 404


def test_a_visitor_gets_a_ticket_of_the_stack(chat: httpx.Client, receiver) -> None:
    assert chat.post("/chat/ticket").status_code == 401
    chat.get("/webchat")
    receiver.make_body = lambda _body: b'{"ticket": "t"}'
    assert chat.post("/chat/ticket").json() == {"ticket": "t"}
    assert chat.post("/chat/ticket", headers={"Origin": "https://evil.example"}).status_code == 403


def test_without_a_stack_the_chat_says_what_to_do(http: httpx.Client) -> None:
    answer = http.get("/webchat")
    assert (answer.status_code, "make run" in answer.json()["error"]) == (503, True)
