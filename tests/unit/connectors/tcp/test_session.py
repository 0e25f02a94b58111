"""The state machine of one connection: frames however they arrive, every deadline, every limit."""

import json
import math
import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.tcp.framing import MAX_FIRST, Framer, TooLongError, framed
from connectors.tcp.limits import Limits
from connectors.tcp.session import Action, Check, Close, Phase, Send, Session
from parley.adapter import Acknowledge, App, Client, Rejected, Store, Tell, Watch
from parley.issuers import Issuer
from parley.platforms.http import sockets
from parley.platforms.http.config import Config
from parley.platforms.http.frames import MAX_FRAME

NOW, WALL, UNTIL = 1000.0, 1_800_000_000, 1_800_003_600
LIMITS = Limits()
LIN = Client(platform="http", app="web", person="lin", name="Lin", rooms=frozenset({"team"}), until=UNTIL)
ISSUER = Issuer(issuer="https://www.example.com", audience="parley", algorithm="HS256", secrets=("x" * 32,))
APP = App("http", "web", Config(issuers=(ISSUER,), sockets=True))


def frame(**fields: Any) -> bytes:
    return framed(json.dumps(fields).encode())


def hello(**fields: Any) -> bytes:
    return frame(**{"type": "hello", "version": 1, "token": "t", "app": "web", **fields})


def message(key: str = "k1", **fields: Any) -> bytes:
    return frame(type="message", key=key, **({"text": "hi"} | fields))


PING = frame(type="ping")


def begun(limits: Limits = LIMITS) -> Session:
    return Session(limits, NOW)


def checked(session: Session) -> list[Action]:
    return session.checked(LIN, lambda data: sockets.action(data, LIN, APP, WALL), 3600, NOW)


def live(limits: Limits = LIMITS) -> Session:
    session = begun(limits)
    (check,) = session.received(hello(), NOW)
    assert isinstance(check, Check)
    (ready,) = checked(session)
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


def key(action: Action) -> str:
    assert isinstance(action, Store)
    return action.key


def stored(session: Session, store: Action, now: float = NOW) -> list[Action]:
    assert isinstance(store, Store)
    return session.answered(Tell(store.done), now)


def opened(session: Session, room: str = "", cursor: int = 7) -> str:
    """Open a conversation. Returns its key."""
    (watch,) = session.received(frame(type="open", room=room), NOW)
    assert isinstance(watch, Watch)
    assert session.watching(watch, cursor, b"opened", NOW) == [Send(b"opened")]
    return watch.conversation


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


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
    assert [action.key for action in actions if isinstance(action, Store)] == ["a", "b"]


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


def test_a_second_hello_makes_nobody_somebody_else() -> None:
    (ready,) = sent(live().received(hello(token="of somebody else"), NOW))
    assert ready == {"type": "ready", "version": 1, "person": "lin", "until": UNTIL}


def test_a_token_that_is_refused_closes_the_connection() -> None:
    session = begun()
    session.received(hello(), NOW)
    assert ended(session.rejected(Rejected(401, "forged", "never shown"))) == (401, "forged")
    assert checked(session) == []


def test_what_follows_hello_at_once_is_read_once_the_client_is_known() -> None:
    session = begun()
    (check,) = session.received(hello() + message("a") + PING, NOW)
    assert isinstance(check, Check)
    assert not session.is_reading
    ready, store, pong = checked(session)
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
    first, second = session.received(message("a") + message("a"), NOW)
    assert isinstance(second, Store)
    (accepted,) = sent(stored(session, first))
    assert accepted == {"type": "accepted", "key": "a", "id": accepted["id"]}
    assert len(accepted["id"]) == 48
    (refused,) = sent(session.failed(second, Rejected(503, "unavailable"), NOW))
    assert (refused["status"], refused["key"], refused["retry_after"]) == (503, "a", 1)


def test_a_room_that_the_token_does_not_name_is_refused() -> None:
    session = live()
    found = sent(session.received(message("a", room="board") + frame(type="open", room="board"), NOW))
    assert [(one["status"], one.get("key", one.get("room"))) for one in found] == [(403, "a"), (403, "board")]


def test_a_reply_is_sent_once_and_in_order() -> None:
    session = live()
    assert session.reply("conversation", 8, b"early") == []
    key = opened(session)
    assert session.reply(key, 7, b"7") == []
    assert session.reply(key, 8, b"8") == [Send(b"8")]
    assert session.reply(key, 8, b"8") == []
    assert session.reply("another", 9, b"9") == []
    assert session.reply(key, 9, b"9") == [Send(b"9")]


def test_a_client_that_opens_again_gets_the_replies_again() -> None:
    session = live()
    for _ in range(2):
        assert session.reply(opened(session), 8, b"8") == [Send(b"8")]


def test_an_acknowledgement_gets_no_answer_unless_it_is_refused() -> None:
    session = live()
    ack = frame(type="ack", room="team", cursor="5")
    first, second = session.received(ack * 2, NOW)
    assert isinstance(first, Acknowledge)
    assert first.cursor == 5
    assert session.answered(None, NOW) == []
    assert isinstance(second, Acknowledge)
    (refused,) = sent(session.failed(second, Rejected(400, "malformed"), NOW))
    assert (refused["status"], refused["room"]) == (400, "team")


def test_typing_does_not_wait_for_a_client_that_is_blocked() -> None:
    session = live()
    assert session.typing(b"typing") == [Send(b"typing")]
    session.blocked(NOW)
    assert session.typing(b"typing") == []


# --- limits -----------------------------------------------------------------------------------------------------------


def test_a_connection_is_not_read_while_too_many_of_its_messages_wait() -> None:
    session = live(Limits(unstored=3, frames_burst=100))
    stores = session.received(b"".join(message(str(number)) for number in range(10)), NOW)
    assert len(stores) == 3
    assert not session.is_reading
    assert session.tick(NOW + 1000) == []  # it cannot send a ping: it is not silent
    waiting = list(stores)
    for number in range(10):
        store = waiting.pop(0)
        assert key(store) == str(number)
        accepted, *more = stored(session, store)
        assert read(accepted)["key"] == str(number)
        waiting += more
    assert session.is_reading
    assert session.held == 0


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


def test_the_number_of_open_conversations_is_limited() -> None:
    session = live(Limits(rooms=1))
    opened(session)
    (refused,) = sent(session.received(frame(type="open", room="team"), NOW))
    assert (refused["status"], refused["room"]) == (429, "team")
    opened(session)


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
    first, second = session.received(message("a") + message("b") + message("c")[:9], NOW)
    assert session.drain() == []
    assert session.received(message("c")[9:], NOW) == []
    assert not session.is_reading
    (accepted,) = stored(session, first)
    assert read(accepted)["key"] == "a"
    accepted, *end = stored(session, second)
    assert read(accepted)["key"] == "b"
    assert ended(end) == (503, "restarting")
    assert session.drain() == []


@pytest.mark.parametrize("checking", [False, True])
def test_a_program_that_ends_closes_an_idle_connection_at_once(checking: bool) -> None:
    session = begun()
    if checking:
        session.received(hello(), NOW)
    assert ended(session.drain()) == (503, "restarting")
    assert checked(session) == []


def test_an_answer_after_the_end_changes_nothing() -> None:
    session = live()
    store, watch = session.received(message("a") + frame(type="open"), NOW)
    session.ended()
    assert stored(session, store) == []
    assert isinstance(watch, Watch)
    assert session.watching(watch, 1, b"opened", NOW) == []
    assert session.wake_at == math.inf


@given(st.integers(min_value=0))
def test_whatever_happens_every_message_gets_one_answer_and_memory_stays_bounded(seed: int) -> None:
    draw = random.Random(seed)
    session = live(Limits(unstored=2, frames=50, frames_burst=5))
    now, waiting, answered = NOW, list[Action](), list[str]()
    stream = b"".join(message(str(number)) + PING for number in range(30))
    while stream or waiting or not session.is_reading:
        now += draw.random() / 10
        actions = session.tick(now)
        if waiting and draw.random() < 0.5:
            actions += stored(session, waiting.pop(0), now)
        if session.is_reading and draw.random() < 0.7:
            size = draw.randrange(1, 200)
            actions += session.received(stream[:size], now)
            stream = stream[size:]
        waiting += [action for action in actions if isinstance(action, Store)]
        answered += [found["key"] for found in sent(actions) if found["type"] == "accepted"]
        assert session.in_flight <= 2
        assert session.held <= 400
    assert answered == [str(number) for number in range(30)]
