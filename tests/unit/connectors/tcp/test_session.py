"""The state machine of one connection: frames however they arrive, every deadline, every limit."""

import json
import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.tcp.framing import MAX_FIRST, Framer, TooLongError, framed
from connectors.tcp.limits import Limits, Persons
from connectors.tcp.session import Acknowledge, Action, Check, Close, Phase, Send, Session, Store, Watch
from parley.adapter import Rejected
from parley.platforms.http.frames import MAX_FRAME, Opened
from parley.platforms.http.persons import Person

NOW, UNTIL = 1000.0, 1_800_003_600
LIMITS = Limits()
LIN = Person("lin", "Lin", frozenset({"team"}))


def frame(**fields: Any) -> bytes:
    return framed(json.dumps(fields).encode())


def hello(**fields: Any) -> bytes:
    return frame(**{"type": "hello", "version": 1, "token": "t", "app": "web", **fields})


def message(key: str = "k1", **fields: Any) -> bytes:
    return frame(type="message", key=key, **({"text": "hi"} | fields))


PING = frame(type="ping")


def begun(limits: Limits = LIMITS) -> Session:
    return Session(limits, Persons(limits).take, NOW)


def live(limits: Limits = LIMITS) -> Session:
    session = begun(limits)
    (check,) = session.received(hello(), NOW)
    assert isinstance(check, Check)
    (ready,) = session.checked("web", LIN, 3600, UNTIL, NOW)
    assert read(ready) == {"type": "ready", "version": 1, "person": "lin", "until": UNTIL}
    return session


def read(action: Action) -> dict[str, Any]:
    assert isinstance(action, Send)
    return json.loads(action.frame)


def sent(actions: list[Action]) -> list[dict[str, Any]]:
    return [read(action) for action in actions if isinstance(action, Send)]


def ended(actions: list[Action]) -> tuple[int, str]:
    """The status and the word of the error with which the session has closed the connection."""
    error, close = actions
    assert isinstance(close, Close)
    found = read(error)
    assert found["type"] == "error"
    return found["status"], found["error"]


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in zip(edges, edges[1:], strict=False)]


# --- the stream -------------------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=300), max_size=8), st.lists(st.integers(min_value=0), max_size=30))
def test_frames_are_the_same_however_the_stream_is_cut(contents: list[bytes], cuts: list[int]) -> None:
    framer, found = Framer(), list[bytes]()
    for piece in pieces(b"".join(map(framed, contents)), cuts):
        framer.feed(piece)
        while (one := framer.next()) is not None:
            found.append(one)
    assert found == contents
    assert framer.held == 0


def test_a_length_above_the_limit_is_refused_before_its_bytes_come() -> None:
    for length in (MAX_FIRST + 1, 2**32 - 1):
        framer = Framer()
        framer.feed(length.to_bytes(4))
        with pytest.raises(TooLongError):
            framer.next()
    framer = Framer()
    framer.feed(framed(b"x" * MAX_FIRST))
    assert framer.next() == b"x" * MAX_FIRST


@given(st.lists(st.integers(min_value=0), max_size=20))
def test_a_conversation_is_the_same_however_its_bytes_arrive(cuts: list[int]) -> None:
    session, actions = live(), list[Action]()
    stream = PING + message("a") + frame(type="open", room="team") + message("b", text="ü" * 50) + PING
    for piece in pieces(stream, cuts):
        actions += session.received(piece, NOW)
    kinds = [type(action) for action in actions]
    assert kinds == [Send, Store, Watch, Store, Send]
    assert [action.post.key for action in actions if isinstance(action, Store)] == ["a", "b"]


@given(st.binary(max_size=400))
def test_no_bytes_break_a_session(data: bytes) -> None:
    for session in (begun(), live()):
        actions = session.received(data, NOW) + session.received(framed(data), NOW)
        assert not any(isinstance(action, Store | Check | Watch) for action in actions)
        assert session.held <= len(data) * 2 + 4


# --- hello ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (PING, 400),
        (message(), 400),
        (framed(b""), 400),
        (framed(b"not JSON"), 400),
        (framed(b"[]"), 400),
        (framed(b"\xff\xfe"), 400),
        (framed(b"[" * 5000), 400),
        (hello(version=2), 400),
        (hello(version="1"), 400),
        (hello(person="somebody else"), 400),
        (hello(token="x" * MAX_FIRST), 413),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 413),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 413),
    ],
)
def test_a_connection_that_begins_with_anything_but_hello_is_closed(first: bytes, status: int) -> None:
    session = begun()
    assert ended(session.received(first, NOW))[0] == status
    assert session.phase is Phase.CLOSED
    assert session.received(hello(), NOW) == []
    assert session.held == 0


def test_a_second_hello_closes_the_connection() -> None:
    assert ended(live().received(hello(), NOW)) == (400, "malformed")


def test_a_token_that_is_refused_closes_the_connection() -> None:
    session = begun()
    session.received(hello(), NOW)
    assert ended(session.rejected(Rejected(401, "forged", "never shown"))) == (401, "forged")
    assert session.checked("web", LIN, 60, UNTIL, NOW) == []


def test_what_follows_hello_at_once_is_read_once_the_client_is_known() -> None:
    session = begun()
    (check,) = session.received(hello() + message("a") + PING, NOW)
    assert isinstance(check, Check)
    assert not session.is_reading
    ready, store, pong = session.checked("web", LIN, 60, UNTIL, NOW)
    assert (read(ready)["type"], read(pong)["type"]) == ("ready", "pong")
    assert isinstance(store, Store)


def test_a_client_that_dribbles_its_hello_is_closed_in_time() -> None:
    session, now = begun(), NOW
    for byte in hello()[:-1]:
        now += LIMITS.hello_within / 200
        session.received(bytes([byte]), now)
        if session.wake_at <= now:
            break
    assert session.wake_at == NOW + LIMITS.hello_within
    assert ended(session.tick(NOW + LIMITS.hello_within)) == (408, "too_slow")


def test_a_check_that_takes_too_long_closes_the_connection() -> None:
    session = begun()
    session.received(hello(), NOW)
    assert ended(session.tick(session.wake_at)) == (408, "too_slow")


# --- frames -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        framed(b""),
        framed(b"{"),
        framed(b'{"type": "reply"}'),
        framed(b'{"type": ["ping"]}'),
        frame(type="ping", more=1),
        frame(type="ack", room="", cursor="-1"),
        frame(type="ack", room="", cursor=12),
        frame(type="open", room="", after="1e9"),
        frame(type="message", text="no key"),
        frame(type="message", key="ü", text="x"),
    ],
)
def test_a_bad_frame_is_refused_and_the_next_one_is_read(bad: bytes) -> None:
    session = live()
    error, pong = sent(session.received(bad + PING, NOW))
    assert (error["type"], error["status"], error["error"]) == ("error", 400, "malformed")
    assert error["detail"]
    assert pong == {"type": "pong"}


def test_a_frame_that_is_too_long_closes_the_connection() -> None:
    session = live()
    assert ended(session.received((MAX_FRAME + 1).to_bytes(4), NOW)) == (413, "too_large")
    session = live()
    (store,) = session.received(message(text="x" * (MAX_FRAME - 100)), NOW)
    assert isinstance(store, Store)


def test_a_message_is_accepted_only_once_it_is_stored() -> None:
    session = live()
    assert sent(session.received(message("a") + message("a"), NOW)) == []
    assert sent(session.stored("a", "id1", NOW)) == [{"type": "accepted", "key": "a", "id": "id1"}]
    (refused,) = sent(session.refused("a", Rejected(503, "unavailable"), NOW))
    assert (refused["status"], refused["key"], refused["retry_after"]) == (503, "a", 1)


def test_a_reply_is_sent_once_and_in_order() -> None:
    session = live()
    (watch,) = session.received(frame(type="open"), NOW)
    assert isinstance(watch, Watch)
    assert session.reply("", 8, b"early") == []
    session.watching(Opened(room="", cursor="7", last="9"), NOW)
    assert session.reply("", 7, b"7") == []
    assert session.reply("", 8, b"8") == [Send(b"8")]
    assert session.reply("", 8, b"8") == []
    assert session.reply("team", 9, b"9") == []
    assert session.reply("", 9, b"9") == [Send(b"9")]


def test_a_client_that_opens_again_gets_the_replies_again() -> None:
    session = live()
    for _ in range(2):
        session.received(frame(type="open", after="7"), NOW)
        session.watching(Opened(room="", cursor="7", last="8"), NOW)
        assert session.reply("", 8, b"8") == [Send(b"8")]


def test_an_acknowledgement_of_a_room_that_is_not_open_is_left_out() -> None:
    session = live()
    assert session.received(frame(type="ack", room="team", cursor="5"), NOW) == []
    session.received(frame(type="open", room="team"), NOW)
    session.watching(Opened(room="team", cursor="5", last="5"), NOW)
    assert session.received(frame(type="ack", room="team", cursor="5"), NOW) == [Acknowledge("team", 5)]
    assert session.acknowledged(NOW) == []


def test_typing_goes_to_an_open_conversation() -> None:
    session = live()
    assert session.typing("") == []
    session.received(frame(type="open"), NOW)
    session.watching(Opened(room="", cursor="7", last="7"), NOW)
    assert sent(session.typing("")) == [{"type": "typing", "room": ""}]


# --- limits -----------------------------------------------------------------------------------------------------------


def test_a_connection_is_not_read_while_too_many_of_its_messages_wait() -> None:
    limits = Limits(unstored=3, messages_burst=100, frames_burst=100)
    session = live(limits)
    stores = session.received(b"".join(message(str(number)) for number in range(10)), NOW)
    assert len(stores) == 3
    assert not session.is_reading
    assert session.tick(NOW + 1000) == []  # it cannot send a ping: it is not silent
    order = [action.post.key for action in stores if isinstance(action, Store)]
    for number in range(10):
        accepted, *more = session.stored(str(number), "id", NOW)
        assert read(accepted)["key"] == str(number)
        order += [action.post.key for action in more if isinstance(action, Store)]
    assert order == [str(number) for number in range(10)]
    assert session.is_reading


def test_a_flood_of_frames_is_read_at_its_rate_and_loses_nothing() -> None:
    limits = Limits(frames=10, frames_burst=5)
    session, now = live(limits), NOW
    pongs = len(session.received(PING * 40, now))
    assert pongs == 5
    while not session.is_reading:
        assert session.throttled_until == session.wake_at
        now = session.wake_at
        pongs += len(session.tick(now))
    assert pongs == 40
    assert now - NOW == pytest.approx((40 - 5) / 10, abs=0.2)


def test_a_person_who_writes_too_much_on_several_connections_is_told_when_to_go_on() -> None:
    limits = Limits(messages=1, messages_burst=3, unstored=100)
    take = Persons(limits).take
    found: list[Action] = []
    for _ in range(2):
        session = Session(limits, take, NOW)
        session.received(hello(), NOW)
        session.checked("web", LIN, 60, UNTIL, NOW)
        found += session.received(message("a") + message("b"), NOW)
    assert sum(isinstance(action, Store) for action in found) == 3
    (refused,) = sent(found)
    assert refused == refused | {"status": 429, "error": "too_many", "key": "b", "retry_after": 1}
    assert take("web\0lin", NOW + 1.01) == 0
    assert take("web\0kim", NOW) == 0


def test_the_number_of_open_conversations_is_limited() -> None:
    session = live(Limits(rooms=1))
    session.received(frame(type="open"), NOW)
    session.watching(Opened(room="", cursor="7", last="7"), NOW)
    (refused,) = sent(session.received(frame(type="open", room="team"), NOW))
    assert (refused["status"], refused["room"]) == (429, "team")
    (again,) = session.received(frame(type="open"), NOW)
    assert isinstance(again, Watch)


# --- time -------------------------------------------------------------------------------------------------------------


def test_a_client_that_is_silent_is_closed_and_one_that_pings_is_not() -> None:
    session, now = live(), NOW
    for _ in range(10):
        now += LIMITS.silent_for * 0.9
        assert session.tick(now) == []
        assert sent(session.received(PING, now)) == [{"type": "pong"}]
    assert session.wake_at == now + LIMITS.silent_for
    assert ended(session.tick(session.wake_at)) == (408, "too_slow")


def test_half_a_frame_is_not_waited_for_although_bytes_come() -> None:
    session, now = live(), NOW
    actions: list[Action] = []
    for byte in message(text="x" * 500):
        now += 1
        actions = session.tick(now) or session.received(bytes([byte]), now)
        if actions:
            break
    assert ended(actions) == (408, "too_slow")
    assert now - NOW == LIMITS.frame_within + 1


def test_a_whole_frame_ends_the_time_of_the_half_one() -> None:
    session, now = live(), NOW
    for _ in range(50):
        now += LIMITS.frame_within * 0.6
        session.received(PING[:3], now)
        now += LIMITS.frame_within * 0.6
        assert session.tick(now) == []
        assert sent(session.received(PING[3:], now)) == [{"type": "pong"}]
    assert session.wake_at == now + LIMITS.silent_for


def test_a_client_that_does_not_read_is_closed_without_another_frame() -> None:
    session = live()
    session.blocked(NOW)
    assert not session.is_reading
    (close,) = session.tick(session.wake_at)
    assert session.wake_at == math.inf
    assert isinstance(close, Close)


def test_a_client_that_reads_again_is_read_again() -> None:
    session = live()
    session.blocked(NOW)
    assert session.received(PING, NOW) == []
    assert sent(session.unblocked(NOW + 5)) == [{"type": "pong"}]
    assert session.tick(NOW + LIMITS.send_within + 6) == []


def test_a_connection_ends_with_its_token() -> None:
    session, now = live(), NOW
    while now < NOW + 3600 - 30:
        now += 30
        assert [action for action in session.received(PING, now) if isinstance(action, Close)] == []
    assert ended(session.tick(NOW + 3600)) == (401, "stale")


# --- the end ----------------------------------------------------------------------------------------------------------


def test_a_program_that_ends_answers_what_is_in_flight_and_reads_nothing_more() -> None:
    session = live()
    session.received(message("a") + message("b") + message("c")[:9], NOW)
    assert session.drain() == []
    assert session.received(message("c")[9:], NOW) == []
    assert not session.is_reading
    assert sent(session.stored("a", "1", NOW)) == [{"type": "accepted", "key": "a", "id": "1"}]
    accepted, *end = session.stored("b", "2", NOW)
    assert read(accepted)["key"] == "b"
    assert ended(end) == (503, "restarting")
    assert session.drain() == []


@pytest.mark.parametrize("checking", [False, True])
def test_a_program_that_ends_closes_an_idle_connection_at_once(checking: bool) -> None:
    session = begun()
    if checking:
        session.received(hello(), NOW)
    assert ended(session.drain()) == (503, "restarting")
    assert session.checked("web", LIN, 60, UNTIL, NOW) == []


def test_an_answer_after_the_end_changes_nothing() -> None:
    session = live()
    session.received(message("a") + frame(type="open"), NOW)
    session.ended()
    assert session.stored("a", "1", NOW) == []
    assert session.watching(Opened(room="", cursor="1", last="1"), NOW) == []
    assert session.wake_at == math.inf


@given(st.integers(min_value=0))
def test_whatever_happens_every_message_gets_one_answer_and_memory_stays_bounded(seed: int) -> None:
    draw = random.Random(seed)
    limits = Limits(unstored=2, frames=50, frames_burst=5, messages_burst=10_000)
    session, now, waiting, answered = live(limits), NOW, list[str](), list[str]()
    stream = b"".join(message(str(number)) + PING for number in range(30))
    while stream or not session.is_reading:
        now += draw.random() / 10
        actions = session.tick(now)
        if waiting and draw.random() < 0.5:
            actions += session.stored(waiting.pop(0), "id", now)
        if session.is_reading and draw.random() < 0.7:
            size = draw.randrange(1, 200)
            actions += session.received(stream[:size], now)
            stream = stream[size:]
        waiting += [action.post.key for action in actions if isinstance(action, Store)]
        answered += [found["key"] for found in sent(actions) if found["type"] == "accepted"]
        assert session.in_flight <= 2
        assert session.held <= 400
    while waiting:
        answered += [found["key"] for found in sent(session.stored(waiting.pop(0), "id", now)) if "key" in found]
    assert answered == [str(number) for number in range(30)]
