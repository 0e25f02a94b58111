"""The state machine of a session with Discord's Gateway: every frame, every close code, every deadline."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.discord import frames
from connectors.discord.closing import FATAL, FRESH
from connectors.discord.frames import Identity
from connectors.discord.session import (
    HELLO_WITHIN,
    Close,
    Connect,
    Dispatch,
    Permit,
    Phase,
    Saved,
    Send,
    Session,
    Stopped,
)

WHO = Identity(token="the-bot-token", intents=4609, shard=(0, 1))
SAVED = Saved(session_id="sess0", resume_url="wss://r.discord.gg", seq=5, user_id="1")
BASE = "wss://gateway.discord.gg"
NOW = 1000.0


def session(saved: Saved = SAVED, draw: float = 0.5) -> Session:
    return Session(WHO, saved, lambda: draw)


def frame(op: int, d: Any = None, **more: Any) -> str:
    return json.dumps({"op": op, "d": d, "s": None, "t": None, **more})


def hello(interval: Any = 40_000) -> str:
    return frame(10, {"heartbeat_interval": interval})


def event(seq: int, name: str = "MESSAGE_CREATE", **data: Any) -> str:
    return frame(0, data, s=seq, t=name)


def ready(seq: int = 1, url: str = "wss://r2.discord.gg", session_id: str = "sess1") -> str:
    return event(seq, "READY", session_id=session_id, resume_gateway_url=url, user={"id": "7"})


def identified(draw: float = 0.5) -> Session:
    """A session that has just begun."""
    made = session(Saved(), draw)
    assert made.start(NOW) == [Permit()]
    assert made.permitted(BASE, NOW) == [Connect(f"{BASE}/?v=10&encoding=json")]
    made.opened(NOW)
    (sent,) = made.received(hello(), NOW)
    assert isinstance(sent, Send)
    assert sent.frame["op"] == frames.IDENTIFY
    made.received(ready(), NOW)
    return made


def resuming() -> Session:
    """A session that has sent its resume."""
    made = session()
    made.start(NOW)
    made.opened(NOW)
    made.received(hello(), NOW)
    return made


def live() -> Session:
    made = resuming()
    made.received(event(6, "RESUMED"), NOW)
    assert made.phase is Phase.LIVE
    return made


# --- start ------------------------------------------------------------------------------------------------------------


def test_a_new_session_asks_before_it_identifies_and_saves_what_ready_says() -> None:
    made = identified()
    assert made.phase is Phase.LIVE
    assert made.saved == Saved(session_id="sess1", resume_url="wss://r2.discord.gg", seq=1, user_id="7")


def test_identify_has_the_token_the_intents_and_the_shard() -> None:
    assert frames.identify(Identity(token="t", intents=1, shard=(2, 4)))["d"] == {
        "token": "t",
        "intents": 1,
        "shard": [2, 4],
        "properties": {"os": "linux", "browser": "parley", "device": "parley"},
    }


def test_a_saved_session_is_resumed_at_its_own_address_without_a_permission() -> None:
    made = session()
    assert made.start(NOW) == [Connect("wss://r.discord.gg/?v=10&encoding=json")]
    made.opened(NOW)
    (sent,) = made.received(hello(), NOW)
    assert isinstance(sent, Send)
    assert sent.frame == {"op": 6, "d": {"token": "the-bot-token", "session_id": "sess0", "seq": 5}}


def test_a_refused_identify_is_asked_for_again_later() -> None:
    made = session(Saved())
    made.start(NOW)
    assert made.refused(30, NOW) == []
    assert made.tick(NOW + 29) == []
    assert made.tick(NOW + 30) == [Permit()]


def test_a_permission_that_does_not_come_is_asked_for_again() -> None:
    made = session(Saved())
    made.start(NOW)
    assert made.tick(made.wake_at) == []
    assert made.tick(made.wake_at) == [Permit()]
    assert made.permitted(BASE, NOW) != []
    assert made.permitted(BASE, NOW) == []


def test_a_token_that_the_api_refuses_ends_the_session() -> None:
    made = session(Saved())
    made.start(NOW)
    assert made.forbidden(4004) == [Stopped(4004, FATAL[4004])]
    assert made.wake_at == math.inf


@pytest.mark.parametrize("url", ["ws://r.discord.gg", "http://x", "", "//x"])
def test_a_session_never_moves_to_an_address_without_tls(url: str) -> None:
    made = session(Saved())
    made.start(NOW)
    made.permitted(BASE, NOW)
    made.opened(NOW)
    made.received(hello(), NOW)
    assert [type(action) for action in made.received(ready(url=url), NOW)] == [Close]
    assert made.saved.session_id == ""


def test_failures_of_an_earlier_process_delay_the_first_identify() -> None:
    made = session(Saved(failures=5))
    assert made.start(NOW) == []
    assert made.wake_at - NOW >= 15


# --- heartbeats -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("draw", [0.0, 0.25, 0.999])
def test_the_first_heartbeat_comes_at_a_random_time_and_the_next_ones_after_each_interval(draw: float) -> None:
    made = identified(draw)
    assert made.wake_at == NOW + 40 * draw
    assert made.tick(made.wake_at) == [Send({"op": 1, "d": 1})]
    assert made.wake_at == NOW + 40 * draw + 40


def test_a_heartbeat_has_the_number_of_the_last_event_also_if_it_is_not_stored() -> None:
    made = live()
    made.received(event(9), NOW)
    assert made.received(frame(1), NOW) == [Send({"op": 1, "d": 9})]
    assert made.saved.seq == 5


def test_a_heartbeat_that_discord_asks_for_does_not_move_the_next_one() -> None:
    made = live()
    before = made.wake_at
    assert made.received(frame(1), NOW) == [Send({"op": 1, "d": 6})]
    assert made.wake_at == before


def test_a_connection_whose_heartbeat_is_not_answered_is_closed_and_resumed() -> None:
    made = live()
    made.tick(made.wake_at)
    (closing,) = made.tick(made.wake_at)
    assert isinstance(closing, Close)
    assert closing.code not in (1000, 1001)
    assert made.closed(closing.code, NOW + 80)[0] == Connect("wss://r.discord.gg/?v=10&encoding=json")


def test_an_answered_heartbeat_keeps_the_connection() -> None:
    made = live()
    for _ in range(10):
        at = made.wake_at
        assert made.tick(at) == [Send({"op": 1, "d": 6})]
        made.received(frame(11), at + 0.1)
        assert made.acked_at == at + 0.1


def test_requests_for_heartbeats_do_not_exceed_the_limit_for_frames() -> None:
    made = live()
    sent = sum(len(made.received(frame(1), NOW + number / 100)) for number in range(500))
    assert sent <= 110
    assert made.received(frame(1), NOW + 61) != []


@pytest.mark.parametrize("interval", [None, "x", 0, -5, True, [], {}])
def test_an_interval_that_makes_no_sense_is_the_usual_one(interval: Any) -> None:
    made = session()
    made.start(NOW)
    made.opened(NOW)
    made.received(hello(interval), NOW)
    assert 0 < made.wake_at - NOW <= 41.25


# --- events -----------------------------------------------------------------------------------------------------------


def test_an_event_counts_only_when_it_is_stored() -> None:
    made = live()
    (found,) = made.received(event(7, content="hi"), NOW)
    assert found == Dispatch("sess0", 7, "MESSAGE_CREATE", {"content": "hi"})
    assert (made.seq, made.saved.seq) == (7, 5)
    assert isinstance(found, Dispatch)
    made.stored(found)
    assert made.saved.seq == 7


def test_an_event_of_an_earlier_session_does_not_count_for_the_new_one() -> None:
    made = live()
    (old,) = made.received(event(500), NOW)
    assert isinstance(old, Dispatch)
    made.received(frame(9, d=False), NOW)
    made.closed(4000, NOW)
    made.tick(made.wake_at)
    made.permitted(BASE, NOW)
    made.opened(NOW)
    made.received(hello(), NOW)
    made.received(ready(), NOW)
    made.stored(old)
    assert made.saved.seq == 1


def test_a_repeated_event_is_passed_on_and_does_not_lower_the_number() -> None:
    made = live()
    for seq in (8, 7, 8):
        (found,) = made.received(event(seq), NOW)
        assert isinstance(found, Dispatch)
        made.stored(found)
    assert made.saved.seq == 8


def test_missed_events_come_before_resumed() -> None:
    made = resuming()
    found = [action for seq in (6, 7) for action in made.received(event(seq), NOW)]
    assert [one.seq for one in found if isinstance(one, Dispatch)] == [6, 7]
    assert made.phase is Phase.STARTING


@pytest.mark.parametrize("raw", ["", "x", "[]", "1", "{}", '{"op":"0"}', '{"op":0}', '{"op":0,"s":"7","t":1}', b"\xff"])
def test_a_malformed_frame_raises_nothing_and_is_no_event(raw: str | bytes) -> None:
    assert not [action for action in live().received(raw, NOW) if isinstance(action, Dispatch)]


def test_a_frame_that_is_no_json_is_asked_for_again() -> None:
    made = live()
    assert [type(action) for action in made.received("{", NOW)] == [Close]
    assert made.saved == SAVED


def test_too_many_events_close_the_connection_and_keep_the_session() -> None:
    made = live()
    assert [type(action) for action in made.overflow(NOW)] == [Close]
    assert made.saved == SAVED
    assert made.overflow(NOW) == []


# --- the end of a connection ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [*range(4000, 4020), 1000, 1001, 1006, 1011, 1012, None, 3000])
def test_a_close_code_resumes_identifies_or_stops(code: int | None) -> None:
    made = live()
    actions = made.closed(code, NOW + 5)
    if code is not None and code in FATAL:
        assert actions == [Stopped(code, FATAL[code])]
        return
    if code in FRESH:
        assert made.saved.session_id == ""
        actions = actions or made.tick(made.wake_at)
        assert actions == [Permit()]
        return
    assert made.saved.session_id == "sess0"
    assert made.saved.seq == 5
    actions = actions or made.tick(made.wake_at)
    assert actions == [Connect("wss://r.discord.gg/?v=10&encoding=json")]


def test_too_many_sent_frames_slow_the_next_try_down() -> None:
    made = live()
    assert made.closed(4008, NOW + 5) == []
    assert made.wake_at - NOW - 5 >= 7


@pytest.mark.parametrize("phase", [Phase.HELLO, Phase.STARTING, Phase.LIVE])
def test_discord_may_ask_for_a_new_connection_at_any_time(phase: Phase) -> None:
    made = {Phase.HELLO: session(), Phase.STARTING: resuming(), Phase.LIVE: live()}[phase]
    if phase is Phase.HELLO:
        made.start(NOW)
        made.opened(NOW)
    (closing,) = made.received(frame(7), NOW)
    assert closing == Close(4000, "Discord asks for a new connection")
    assert made.saved == SAVED


@pytest.mark.parametrize("resumable", [True, False])
@pytest.mark.parametrize("draw", [0.0, 1.0])
def test_an_invalid_session_waits_one_to_five_seconds(resumable: bool, draw: float) -> None:
    made = resuming()
    made.draw = lambda: draw
    made.received(frame(9, d=resumable), NOW)
    assert (made.saved.session_id == "sess0") is resumable
    assert made.closed(4000, NOW) == []
    assert 1 <= made.wake_at - NOW <= 5
    expected = Connect("wss://r.discord.gg/?v=10&encoding=json") if resumable else Permit()
    assert made.tick(made.wake_at) == [expected]


def test_a_connection_that_says_nothing_is_given_up() -> None:
    made = session()
    made.start(NOW)
    assert [type(action) for action in made.tick(NOW + HELLO_WITHIN)] == [Close]
    made = session()
    made.start(NOW)
    made.opened(NOW)
    assert [type(action) for action in made.tick(NOW + HELLO_WITHIN)] == [Close]
    made = resuming()
    closes: list[Close] = []
    while not closes:
        made.received(frame(11), NOW)
        closes = [action for action in made.tick(made.wake_at) if isinstance(action, Close)]
    assert closes[0].reason == "no READY or RESUMED in time"


def test_a_socket_that_does_not_close_is_given_up() -> None:
    made = live()
    made.received(frame(7), NOW)
    assert made.phase is Phase.CLOSING
    actions = made.tick(made.wake_at)
    assert actions == [Connect("wss://r.discord.gg/?v=10&encoding=json")] or made.phase is Phase.WAITING


def test_a_session_is_kept_for_five_minutes_of_failures_and_then_given_up() -> None:
    """A new one would miss what people write meanwhile."""
    made = live()
    now = ended = NOW + 1000
    failures = 0
    while made.saved.session_id:
        made.closed(None, now)
        failures += 1
        assert bool(made.saved.session_id) is (now < ended + 300)
        now = made.wake_at
        made.tick(now)
    assert 6 < failures < 20


def test_a_program_that_starts_with_a_saved_session_tries_it_for_five_minutes() -> None:
    made = session(Saved(session_id="sess0", resume_url="wss://r.discord.gg", seq=5, failures=40))
    made.start(NOW)
    for now, is_kept in ((NOW + 1, True), (NOW + 299, True), (NOW + 301, False)):
        made.tick(made.wake_at)
        made.closed(None, now)
        assert bool(made.saved.session_id) is is_kept


def test_the_pauses_grow_until_a_connection_lasts() -> None:
    made, now, pauses = identified(1.0), NOW, []
    for _ in range(5):
        made.closed(4009, now)
        pauses.append(made.wake_at - now)
        now = made.wake_at
        assert made.tick(now) == [Permit()]
        made.permitted(BASE, now)
        made.opened(now)
    assert pauses == sorted(pauses)
    assert pauses[-1] > 10
    made.received(hello(), now)
    made.received(ready(), now)
    made.closed(1006, now + 61)
    assert made.saved.failures == 0


def test_a_resume_that_breaks_at_once_is_no_loop_without_pauses() -> None:
    made, now, pauses = live(), NOW, 0.0
    for _ in range(20):
        made.closed(1006, now)
        pauses += made.wake_at - now if made.phase is Phase.WAITING else 0
        now = made.wake_at if made.phase is Phase.WAITING else now
        made.tick(now)
        made.opened(now)
        made.received(hello(), now)
        made.received(event(6, "RESUMED"), now)
    assert pauses >= 5
    assert made.saved.session_id == "sess0"


def test_a_program_that_ends_leaves_the_session_resumable() -> None:
    made = live()
    closing, stopped = made.stop(NOW)
    assert closing == Close(4000, "the program ends")
    assert isinstance(stopped, Stopped)
    assert made.saved == SAVED
    assert made.stop(NOW) == []


# --- any order of anything --------------------------------------------------------------------------------------------

_FRAMES = st.one_of(
    st.just(hello()),
    st.just(hello(100)),
    st.just(frame(1)),
    st.just(frame(7)),
    st.just(frame(11)),
    st.just(frame(99, d={})),
    st.booleans().map(lambda d: frame(9, d)),
    st.integers(1, 20).map(event),
    st.integers(1, 20).map(ready),
    st.integers(1, 20).map(lambda seq: event(seq, "RESUMED")),
    st.sampled_from(["", "{", "[]", '{"op":0}', '{"op":10}', '{"op":9}', '{"op":null,"s":1,"t":[]}']),
)
_STEPS = st.one_of(
    st.tuples(st.just("received"), _FRAMES),
    st.tuples(st.just("closed"), st.sampled_from([None, 1000, 1001, 1006, *range(4000, 4015)])),
    st.tuples(st.just("opened"), st.none()),
    st.tuples(st.just("permitted"), st.none()),
    st.tuples(st.just("refused"), st.floats(0, 100)),
    st.tuples(st.just("tick"), st.floats(0, 100)),
    st.tuples(st.just("wake"), st.none()),
    st.tuples(st.just("overflow"), st.none()),
    st.tuples(st.just("stored"), st.none()),
)


class _Run:
    """A session to which anything happens, and what must hold after each step."""

    def __init__(self, saved: Saved) -> None:
        self.made, self.now = Session(WHO, saved, lambda: 0.5), NOW
        self.waiting: list[Dispatch] = []
        self.done: set[tuple[str, int]] = {(saved.session_id, saved.seq or 0)}
        self.identifies, self.permits = 0, 0
        self.take(self.made.start(self.now))

    def step(self, name: str, value: Any) -> None:
        made, before = self.made, self.made.phase
        if name == "tick":
            self.now += value
        if name == "wake":
            self.now = max(self.now, made.wake_at) if made.wake_at < math.inf else self.now
        self.permits += name == "permitted" and before is Phase.PERMISSION
        happens = {
            "received": lambda: made.received(value, self.now),
            "closed": lambda: made.closed(value, self.now),
            "opened": lambda: made.opened(self.now),
            "permitted": lambda: made.permitted(BASE, self.now),
            "refused": lambda: made.refused(value, self.now),
            "overflow": lambda: made.overflow(self.now),
            "stored": self.store,
        }
        actions = happens.get(name, lambda: made.tick(self.now))()
        if before is Phase.STOPPED:
            assert actions == []
        self.take(actions)

    def store(self) -> list[Any]:
        if self.waiting:
            found = self.waiting.pop(0)
            self.done.add((found.session_id, found.seq))
            self.made.stored(found)
        return []

    def take(self, actions: list[Any]) -> None:
        for action in actions:
            if isinstance(action, Dispatch):
                self.waiting.append(action)
                if action.name == "READY":
                    self.done.add((action.session_id, action.seq))
            if isinstance(action, Send):
                frames.encoded(action.frame)
                self.identifies += action.frame["op"] == frames.IDENTIFY
            if isinstance(action, Close):
                assert action.code not in (1000, 1001)

    def check(self) -> None:
        made = self.made
        assert self.identifies <= self.permits
        if made.saved.session_id:
            assert (made.saved.session_id, made.saved.seq or 0) in self.done
        if made.phase is not Phase.STOPPED and made.phase is not Phase.LIVE:
            assert made.wake_at < math.inf


@given(st.sampled_from([Saved(), SAVED]), st.lists(_STEPS, max_size=60))
def test_in_any_order_no_event_counts_before_it_is_stored_and_no_identify_goes_without_permission(
    saved: Saved, steps: list[tuple[str, Any]]
) -> None:
    run = _Run(saved)
    for name, value in steps:
        run.step(name, value)
        run.check()
