"""The intake stores events in order, and one that cannot be stored does not stop the others."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from connectors.discord import intake as intakes
from connectors.discord.api import Api, ApiUnavailableError, TokenRefusedError, may_identify
from connectors.discord.intake import MOST, Intake
from connectors.discord.session import Dispatch
from parley.bot.addressing import is_addressed
from parley.engine import queues, telemetry
from parley.model import Message
from tests.conformance.adapters.discord import APP, CHANNEL, GUILD, MEI, THREAD


def event(seq: int, content: str = "hi", channel: str = CHANNEL, **more: Any) -> Dispatch:
    data = {"id": str(seq), "channel_id": channel, "guild_id": GUILD, "author": MEI, "content": content, "type": 0}
    return Dispatch("s", seq, "MESSAGE_CREATE", {**data, "channel_type": 0, **more})


class Stored:
    """What the intake has stored and acknowledged."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.messages: list[Message] = []
        self.done: list[int] = []
        self.api = Api(APP.config, httpx.MockTransport(answer))
        self.intake = Intake(
            APP,
            self.api,
            is_safe=lambda: True,
            stored=lambda event: self.done.append(event.seq),
            bot_id=lambda: "1",
        )
        monkeypatch.setattr(queues, "send_messages", self.messages.extend)

    async def of(self, *events: Dispatch) -> None:
        for one in events:
            self.intake.add(one)
        task = asyncio.create_task(self.intake.run())
        async with asyncio.timeout(10):
            waiting = asyncio.create_task(self.intake.below(0))
            await asyncio.wait({waiting, task}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        task.cancel()


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intakes, "_PAUSES", (0.01,))


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def nothing(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(404)


def test_an_event_that_cannot_be_read_or_is_too_large_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Stored(monkeypatch, nothing)
    read = intakes.messages_of

    def unreliable(event: Any, *more: Any) -> tuple[Message, ...]:
        if event.data["content"] == "broken":
            raise RuntimeError
        return read(event, *more)

    def full(messages: list[Message]) -> None:
        if messages[0].content.text == "large":
            raise queues.TooLargeError("1 bytes")
        stored.messages.extend(messages)

    monkeypatch.setattr(intakes, "messages_of", unreliable)
    monkeypatch.setattr(queues, "send_messages", full)
    run(stored.of(event(1), event(2, "broken"), event(3, "large"), event(4, "end")))
    assert [message.id for message in stored.messages] == ["1", "4"]
    assert stored.done == [1, 2, 3, 4]


def test_the_channel_of_a_thread_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.path)
        assert request.headers["Authorization"] == f"Bot {APP.config.bot_token}"
        if len(calls) == 1:
            return httpx.Response(500)
        return httpx.Response(200, json={"id": THREAD, "type": 11, "parent_id": CHANNEL})

    monkeypatch.setattr("connectors.discord.api._PAUSE", 0.01)
    stored = Stored(monkeypatch, answer)
    run(stored.of(*(event(number, channel=THREAD, channel_type=11) for number in (1, 2, 3))))
    assert calls == [f"/api/v10/channels/{THREAD}"] * 2
    assert {(one.context.room_id, one.context.thread_id) for one in stored.messages} == {(CHANNEL, THREAD)}


def test_an_event_goes_on_without_what_the_api_does_not_say_and_the_next_ones_do_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.path)
        return httpx.Response(500) if now.away else httpx.Response(200, json={"type": 11, "parent_id": CHANNEL})

    now = SimpleNamespace(away=True)
    counted = Counter[str]()
    monkeypatch.setattr(telemetry, "count", lambda name, *_, **__: counted.update([name]))
    monkeypatch.setattr("connectors.discord.api._PAUSE", 0.01)
    monkeypatch.setattr(intakes, "_ASK_FOR", 0.1)
    stored = Stored(monkeypatch, answer)
    thread = {"channel": THREAD, "channel_type": 11}

    async def test() -> None:
        await stored.of(*(event(number, **thread) for number in (1, 2, 3)))
        asked = len(calls)
        assert 2 <= asked <= 11
        assert counted["GatewayLookupsFailed"] == 3
        assert counted["GatewayEventsDelayed"] == asked
        now.away = False
        stored.intake._ask_from = 0  # the minute is over
        await stored.of(event(4, **thread))

    run(test())
    assert stored.done == [1, 2, 3, 4]
    assert [one.context.room_id for one in stored.messages] == [THREAD, THREAD, THREAD, CHANNEL]


@pytest.mark.parametrize(
    ("known", "error"), [(200, ApiUnavailableError), (500, ApiUnavailableError), (401, TokenRefusedError)]
)
def test_a_single_401_does_not_mean_that_the_token_is_wrong(known: int, error: type[Exception]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(known if request.url.path.endswith("/users/@me") else 401, json={})

    async def test() -> None:
        with pytest.raises(error):
            await Api(APP.config, httpx.MockTransport(answer)).gateway()

    run(test())


def test_a_channel_that_the_bot_may_not_see_is_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Stored(monkeypatch, nothing)
    run(stored.of(event(1, channel=THREAD, channel_type=11)))
    assert stored.messages[0].context.room_id == THREAD


def test_a_refused_token_ends_the_intake(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Stored(monkeypatch, lambda _: httpx.Response(401))
    with pytest.raises(TokenRefusedError):
        run(stored.of(event(1, channel=THREAD, channel_type=11)))
    assert stored.done == []


def test_more_events_than_can_wait_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Stored(monkeypatch, nothing)
    assert all(stored.intake.add(event(number)) for number in range(MOST))
    assert not stored.intake.add(event(MOST))


@pytest.mark.parametrize(
    ("remaining", "wait", "is_low"), [(1000, 0, False), (99, 0, True), (20, 5400, True), (0, 5400, True)]
)
def test_the_last_identifies_of_the_day_are_kept(remaining: int, wait: float, is_low: bool) -> None:
    found = may_identify({"total": 1000, "remaining": remaining, "reset_after": 5_400_000, "max_concurrency": 1})
    assert (found.wait, found.is_low) == (wait, is_low)


@pytest.mark.parametrize("answer", [{}, {"session_start_limit": 1}, {"url": "ws://x"}, {"url": 1}, []])
def test_an_answer_without_a_safe_address_is_not_used(answer: Any) -> None:
    async def test() -> None:
        async with Api(APP.config, httpx.MockTransport(lambda _: httpx.Response(200, json=answer))) as api:
            with pytest.raises(ApiUnavailableError):
                await api.gateway()

    run(test())


@pytest.mark.parametrize(
    ("status", "body", "headers", "seconds"),
    [(429, {"retry_after": 7.5}, {}, 7.5), (429, None, {"Retry-After": "9"}, 9), (500, None, {}, 5), (429, 1, {}, 5)],
)
def test_a_refusal_says_when_to_ask_again(status: int, body: Any, headers: dict[str, str], seconds: float) -> None:
    answer = httpx.Response(status, json=body, headers=headers)

    async def test() -> None:
        async with Api(APP.config, httpx.MockTransport(lambda _: answer)) as api:
            with pytest.raises(ApiUnavailableError) as refused:
                await api.gateway()
            assert refused.value.seconds == seconds

    run(test())


def test_the_role_of_the_bot_is_looked_up_once_for_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that another instance has begun brings no GUILD_CREATE."""
    calls: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.path)
        return httpx.Response(200, json={"roles": [{"id": "7", "tags": {"bot_id": "1"}}, {"id": "8"}]})

    stored = Stored(monkeypatch, answer)
    texts = enumerate(("<@&7> hi", "<@&7> ho"), 1)
    run(stored.of(*(event(seq, text, mention_roles=["7"]) for seq, text in texts), event(3)))
    assert calls == [f"/api/v10/guilds/{GUILD}"]
    assert [message.content.text for message in stored.messages] == ["hi", "ho", "hi"]
    assert [is_addressed(message) for message in stored.messages] == [True, True, False]


def test_an_event_that_names_the_role_saves_the_look(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise AssertionError

    stored = Stored(monkeypatch, answer)
    roles = [{"id": "7", "tags": {"bot_id": "1"}}]
    guild = Dispatch("s", 1, "GUILD_CREATE", {"id": GUILD, "roles": roles, "joined_at": "2020-01-01T00:00:00+00:00"})
    run(stored.of(guild, event(2, "<@&7> hi", mention_roles=["7"])))
    (message,) = stored.messages
    assert is_addressed(message)


def test_a_server_that_the_bot_has_left_meanwhile_does_not_stop_its_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Stored(monkeypatch, nothing)
    run(stored.of(event(1, "<@&7> hi", mention_roles=["7"])))
    assert stored.done == [1]
