"""The key sets of issuers: read once an hour, and again for an unknown key, at most once a minute."""

from typing import Any

import httpx
import pytest

from parley.adapter import KeySet
from parley.engine import key_sets as module
from parley.engine.key_sets import KeySets, KeySetUnavailableError, fetch
from tests.unit.conftest import Clock

URL = "https://login.example.com/keys"


class Issuer:
    """Publishes keys, and counts the reads."""

    def __init__(self, *kids: str) -> None:
        self.kids = kids
        self.reads = 0
        self.is_down = False

    def __call__(self, url: str) -> Any:
        self.reads += 1
        if self.is_down:
            raise KeySetUnavailableError("down")
        return {"keys": [{"kid": kid, "kty": "EC"} for kid in self.kids]}


def kids(held: Any) -> list[str]:
    return [key["kid"] for key in held["keys"]]


def test_a_key_set_is_read_once_an_hour(clock: Clock) -> None:
    issuer = Issuer("k1")
    sets = KeySets(issuer, clock)
    for _ in range(5):
        assert kids(sets.get(KeySet(URL, "k1"))) == ["k1"]
        clock.now += 700
    assert issuer.reads == 1
    clock.now += 700
    sets.get(KeySet(URL, "k1"))
    assert issuer.reads == 2


def test_an_unknown_key_causes_a_read_at_most_once_a_minute(clock: Clock) -> None:
    issuer = Issuer("k1")
    sets = KeySets(issuer, clock)
    sets.get(KeySet(URL, "k1"))
    issuer.kids = ("k1", "k2")
    assert kids(sets.get(KeySet(URL, "k2"))) == ["k1"]
    clock.now += 61
    assert kids(sets.get(KeySet(URL, "k2"))) == ["k1", "k2"]
    for number in range(50):
        sets.get(KeySet(URL, f"invented-{number}"))
    assert issuer.reads == 2


def test_the_last_keys_count_while_the_issuer_is_down(clock: Clock) -> None:
    issuer = Issuer("k1")
    sets = KeySets(issuer, clock)
    sets.get(KeySet(URL, "k1"))
    issuer.is_down = True
    clock.now += 4000
    assert kids(sets.get(KeySet(URL, "k1"))) == ["k1"]
    sets.get(KeySet(URL, "k1"))
    assert issuer.reads == 2


def test_without_any_keys_there_is_an_error_and_another_try_a_minute_later(clock: Clock) -> None:
    issuer = Issuer("k1")
    issuer.is_down = True
    sets = KeySets(issuer, clock)
    for _ in range(3):
        with pytest.raises(KeySetUnavailableError):
            sets.get(KeySet(URL, "k1"))
    assert issuer.reads == 1
    issuer.is_down = False
    clock.now += 61
    assert kids(sets.get(KeySet(URL, "k1"))) == ["k1"]


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b"{}"), (500, b""), (302, b""), (200, b"<html>"), (200, b"[]"), (200, b"{}"), (200, b'{"keys": []}')],
)
def test_what_is_no_key_set_is_an_error(status: int, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    transport = httpx.MockTransport(lambda _request: httpx.Response(status, content=body))
    monkeypatch.setattr(module, "client", lambda: httpx.Client(transport=transport))
    with pytest.raises(KeySetUnavailableError):
        fetch(URL)


def test_a_key_set_is_fetched_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, content=b'{"keys": [{"kid": "k1"}]}'))
    monkeypatch.setattr(module, "client", lambda: httpx.Client(transport=transport))
    assert kids(fetch(URL)) == ["k1"]
