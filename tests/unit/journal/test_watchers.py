"""Watchers of a conversation, connections, acknowledgements and tickets."""

import pytest

from parley.engine.aws import dynamodb
from parley.journal import watchers as module
from parley.journal.forget import Forget
from parley.journal.table import connection_pk, get, seen_pk, ticket_pk, watch_pk
from parley.journal.watchers import Client, Connection, TooManyWatchersError, Watcher, Watchers
from parley.model import person_key

pytestmark = pytest.mark.usefixtures("aws")
NOW = 1_800_000_000.0
UNTIL = int(NOW) + 600
LIN = Client(platform="http", app="web", person="lin", name="Lin", rooms=frozenset({"team"}), until=UNTIL)


@pytest.fixture
def watchers() -> Watchers:
    return Watchers(dynamodb(), "parley", 86_400)


def connected(watchers: Watchers, id_: str, client: Client = LIN) -> Connection:
    watchers.connect(id_, client, NOW)
    connection = watchers.connection(id_)
    assert connection is not None
    return connection


def test_several_connections_watch_a_conversation_until_each_ends(watchers: Watchers) -> None:
    for id_ in ("c1", "c2"):
        connection = connected(watchers, id_)
        watchers.open(connection, "room", NOW)
        watchers.open(connection, "room", NOW)
        watchers.open(connection, "direct", NOW)
    assert watchers.watching("room", NOW) == [Watcher(f"ws/{id_}", UNTIL, LIN.key) for id_ in ("c1", "c2")]
    ended = watchers.disconnect("c1")
    assert ended is not None
    assert ended.watched == {"room", "direct"}
    assert [watcher.address for watcher in watchers.watching("room", NOW)] == ["ws/c2"]
    assert watchers.connection("c1") is watchers.disconnect("c1") is None
    watchers.disconnect("c2")
    assert watchers.watching("room", NOW) == []


def test_a_connection_that_has_ended_watches_nothing(watchers: Watchers) -> None:
    connection = connected(watchers, "c1")
    watchers.disconnect("c1")
    watchers.open(connection, "room", NOW)
    assert watchers.watching("room", NOW) == []
    assert get(dynamodb(), "parley", connection_pk("c1")) == get(dynamodb(), "parley", watch_pk("room")) == {}


def test_the_end_of_a_watcher_that_is_gone_adds_no_row(watchers: Watchers) -> None:
    watchers.forget("room", [Watcher("ws/c1", UNTIL)])
    assert get(dynamodb(), "parley", watch_pk("room")) == {}


def test_a_watcher_whose_time_is_up_gets_nothing_and_is_removed_by_the_next_one(watchers: Watchers) -> None:
    watchers.watch("room", Watcher("tcp/q1", int(NOW) + 60), NOW)
    assert watchers.watching("room", NOW + 60) == []
    watchers.watch("room", Watcher("tcp/q2", int(NOW) + 120), NOW + 60)
    assert watchers.watching("room", NOW) == [Watcher("tcp/q2", int(NOW) + 120)]


def test_a_watcher_is_renewed(watchers: Watchers) -> None:
    first, second = Watcher("tcp/q1", int(NOW) + 60), Watcher("tcp/q1", int(NOW) + 80)
    watchers.watch("room", first, NOW)
    watchers.renew("room", first, second, NOW + 20)
    watchers.renew("room", second, second, NOW + 20)
    assert watchers.watching("room", NOW) == [second]


def test_a_conversation_has_a_limited_number_of_watchers(watchers: Watchers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WATCHERS", 2)
    for name in "ab":
        watchers.watch("room", Watcher(f"tcp/{name}", UNTIL), NOW)
    with pytest.raises(TooManyWatchersError):
        watchers.watch("room", Watcher("tcp/c", UNTIL + 60), NOW)
    watchers.watch("room", Watcher("tcp/a", UNTIL), NOW)
    watchers.watch("room", Watcher("tcp/c", UNTIL + 60), UNTIL)
    assert [watcher.address for watcher in watchers.watching("room", UNTIL)] == ["tcp/c"]


def test_one_person_does_not_take_the_places_of_all_others(watchers: Watchers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_OF_PERSON", 2)
    for address, until in (("ws/c1", int(NOW) + 60), ("ws/c2", UNTIL)):
        watchers.watch("room", Watcher(address, until, "lin"), NOW)
    with pytest.raises(TooManyWatchersError):
        watchers.watch("room", Watcher("ws/c3", UNTIL, "lin"), NOW)
    watchers.watch("room", Watcher("ws/c2", UNTIL, "lin"), NOW)
    for queue in ("tcp/q1", "tcp/q2", "tcp/q3"):
        watchers.watch("room", Watcher(queue, UNTIL), NOW)
    watchers.watch("room", Watcher("ws/c4", UNTIL, "sam"), NOW)
    assert {each.person for each in watchers.watching("room", NOW)} == {"", "lin", "sam"}
    watchers.watch("room", Watcher("ws/c3", UNTIL, "lin"), NOW + 61)
    assert len(watchers.watching("room", NOW + 61)) == 6


def test_an_acknowledgement_never_goes_back(watchers: Watchers) -> None:
    assert watchers.acknowledged("room", LIN.key) is None
    for cursor, expected in ((7, 7), (5, 7), (9, 9), (9, 9)):
        watchers.acknowledge("room", LIN.key, cursor, NOW)
        assert watchers.acknowledged("room", LIN.key) == expected
    assert watchers.acknowledged("direct", LIN.key) is None
    assert watchers.acknowledged("room", person_key("http", "web", "bob")) is None


def test_a_ticket_is_good_once_and_for_a_minute(watchers: Watchers) -> None:
    for name in ("t1", "t2"):
        watchers.add_ticket(name, LIN, int(NOW) + 60)
    assert watchers.take_ticket("t1", NOW + 59) == LIN
    assert watchers.take_ticket("t1", NOW + 59) is None
    assert watchers.take_ticket("t2", NOW + 60) is None
    assert watchers.take_ticket("", NOW) is watchers.take_ticket("\ud800", NOW) is None


def test_a_ticket_itself_is_not_stored(watchers: Watchers) -> None:
    watchers.add_ticket("secret", LIN, int(NOW) + 60)
    assert "secret" not in str(dynamodb().scan(TableName="parley")["Items"])


def test_a_person_is_forgotten_with_connections_tickets_and_acknowledgements(watchers: Watchers) -> None:
    bob = Client(platform="http", app="web", person="bob", name="Bob", rooms=frozenset(), until=UNTIL)
    for client in (LIN, bob):
        watchers.open(connected(watchers, client.person, client), "room", NOW)
        watchers.acknowledge("room", client.key, 7, NOW)
        watchers.add_ticket(client.person, client, int(NOW) + 60)
    Forget(dynamodb(), "parley", lambda: NOW, lambda _seconds: None)("http", "web", "lin")
    kept = {item["pk"].get("S", "") for item in dynamodb().scan(TableName="parley")["Items"]}
    assert {pk for pk in kept if not pk.startswith(ticket_pk(""))} == {
        watch_pk("room"),
        connection_pk("bob"),
        seen_pk("room", bob.key),
    }
    assert len(kept) == 4
    assert watchers.take_ticket("lin", NOW) is None
    assert watchers.take_ticket("bob", NOW) == bob
