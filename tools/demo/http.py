"""The cases of the HTTP channel. Tokens are issued by joserfc, not by Parley's code."""

import json
import time
import uuid
from dataclasses import replace
from functools import partial
from typing import Any

import httpx

from playground.platforms.digests import flip_first_digit
from playground.platforms.http import wire
from playground.platforms.model import Wire
from tools.demo import connected
from tools.demo.case import Case, Outcome
from tools.demo.client import PlatformClient, SentMessage
from tools.demo.common import CommonCases

_PERSON = "demo-client"
"""Whom the client of `waiting` and `mailbox` stands for. The page does not know this person."""


class Http(CommonCases):
    """The HTTP channel has groups. A token says who sends, and does not cover the body."""

    def open(self, client: PlatformClient, text: str, **more: Any) -> SentMessage:
        """A message to the bot in a new group."""
        return client.send(client.group(), text, **more)

    def genuine(self, client: PlatformClient, where: SentMessage, age: float = 0) -> Wire:
        """A message with a token of that time."""
        bearer = _token(client, where.sender, time.time() - age, where.room)
        return wire.posted(bearer, uuid.uuid4().hex, {"text": "/echo attack", "room": where.room})

    def resealed(self, client: PlatformClient, genuine: Wire, body: bytes) -> Wire:
        """With the same token, which does not cover the body."""
        del client
        return replace(genuine, body=body)

    def missigned(self, genuine: Wire) -> Wire:
        """With another first character of the token's signature."""
        signed, _, signature = genuine.headers[wire.AUTHORIZATION].rpartition(".")
        wrong = {wire.AUTHORIZATION: f"{signed}.{flip_first_digit(signature)}"}
        return replace(genuine, headers={**genuine.headers, **wrong})

    def foreign_room(self, client: PlatformClient) -> Outcome:
        """A message to a room that the token does not name."""

        def attack(where: SentMessage) -> Wire:
            bearer = _token(client, where.sender, time.time(), "another-room")
            return wire.posted(bearer, uuid.uuid4().hex, {"text": "/echo attack", "room": where.room})

        return self.refused(client, attack)

    def waiting(self, client: PlatformClient) -> Outcome:
        """A client that waits for the replies in the response, and sends the same message again."""
        key = uuid.uuid4().hex
        sent = wire.posted(_token(client, _PERSON, time.time()), key, {"text": "/echo at once"})
        answers = [_request(client, "POST", "?wait=25", sent) for _ in range(2)]
        texts = [reply["text"] for answer in answers for reply in answer.json()["replies"]]
        statuses = " ".join(str(answer.status_code) for answer in answers)
        is_same = answers[0].json()["id"] == answers[1].json()["id"]
        return Outcome(
            f"{statuses}, {', '.join(texts)}, {'one' if is_same else 'two'} id", answers[0].elapsed.total_seconds()
        )

    def mailbox(self, client: PlatformClient) -> Outcome:
        """A client that reads its conversation on from a cursor."""
        bearer = _token(client, f"{_PERSON}-{uuid.uuid4().hex[:8]}", time.time())
        reading = Wire(headers={wire.AUTHORIZATION: f"Bearer {bearer}"})
        found, cursor = list[str](), "0"
        for text in ("one", "two"):
            sent = wire.posted(bearer, uuid.uuid4().hex, {"text": f"/echo {text}"})
            _request(client, "POST", "", sent)
            answer = _request(client, "GET", f"/conversations/me/replies?after={cursor}&wait=25", reading)
            page = json.loads(answer.content)
            cursor, seconds = page["cursor"], answer.elapsed.total_seconds()
            found += [reply["text"] for reply in page["replies"]]
        return Outcome(f"read {', '.join(found)}", seconds)

    def connected(self, client: PlatformClient, connect: connected.Connect) -> Outcome:
        """A client whose connection breaks before the second reply: it connects again and reads on."""
        bearer, started = _token(client, f"{_PERSON}-{uuid.uuid4().hex[:8]}", time.time()), time.monotonic()
        with connect(client, bearer) as one:
            one.ask("opened", type="open")
            one.ask("accepted", type="message", key=uuid.uuid4().hex, text="/echo one")
            first, seconds = one.next("reply"), time.monotonic() - started
            one.ask("accepted", type="message", key=uuid.uuid4().hex, text="/echo two")
        with connect(client, bearer) as two:
            two.ask("opened", type="open", after=first["cursor"])
            second = two.next("reply")
        return Outcome(f"{first['reply']['text']}; after the break {second['reply']['text']}", seconds)

    def unsigned_websocket(self, client: PlatformClient) -> Outcome:
        """A handshake whose token has a wrong signature."""
        bearer, started = f"{_token(client, _PERSON, time.time())}x", time.monotonic()
        refused = connected.refusal(client, bearer)
        return Outcome("refused" if refused else "connected", time.monotonic() - started)

    def unsigned_tcp(self, client: PlatformClient) -> Outcome:
        """A first frame whose token has a wrong signature."""
        bearer, started = f"{_token(client, _PERSON, time.time())}x", time.monotonic()
        with connected.tcp(client, bearer) as made:
            answer = made.next("ready")
            closed = not made.receive()
        told = f"{answer.get('status')} {answer.get('error')}"
        return Outcome(f"{told}, {'closed' if closed else 'open'}", time.monotonic() - started)


def _token(client: PlatformClient, person: str, now: float, room: str = "") -> str:
    issuer = client.config["issuers"][0]
    claims = {"iss": issuer["issuer"], "aud": issuer["audience"], "sub": person, "rooms": [room] if room else []}
    return wire.token(issuer["secrets"][0], claims, now)


def _request(client: PlatformClient, method: str, path: str, sent: Wire) -> httpx.Response:
    """A request to the API. `path` follows the address of the messages, or with a slash that of the app."""
    messages: str = client.stack["callbacks"][client.platform][client.app]
    url = messages.removesuffix("/messages") + path if path.startswith("/") else messages + path
    return client.http.request(method, url, headers=dict(sent.headers), content=sent.body).raise_for_status()


_CASES = Http()
CASES = (
    Case("text", "'你好, Parley'", _CASES.text),
    Case("card, and a press of its button", "card, 202, 'You chose coffee.'", _CASES.card_and_button),
    Case("one message three times, then another", "202 202; replies 1 then 2", _CASES.three_times),
    Case(
        "response of a push gets lost",
        "SENT after 2 calls: once, after",
        partial(_CASES.lost_response, path="/webhooks"),
    ),
    Case("client that waits, twice with one key", "200 200, at once, at once, one id", _CASES.waiting),
    Case("client that reads on from a cursor", "read one, two", _CASES.mailbox),
    Case(
        "client with a WebSocket that breaks",
        "one; after the break two",
        partial(_CASES.connected, connect=connected.websocket),
    ),
    Case(
        "client with a TCP connection that breaks",
        "one; after the break two",
        partial(_CASES.connected, connect=connected.tcp),
    ),
    *_CASES.attacks(),
    Case("WebSocket with a token that is forged", "refused", _CASES.unsigned_websocket),
    Case("TCP connection with a token that is forged", "401 forged, closed", _CASES.unsigned_tcp),
    Case("room that the token does not name", "403 not_allowed, no reply", _CASES.foreign_room),
)
