"""A refresh token is good once, so one worker alone refreshes."""

from typing import Any, cast

import httpx
import msgspec
import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace

from parley.adapter import Answer, App, Call, Unknown
from parley.adapter.logins import UserToken
from parley.engine import user_tokens
from parley.engine.data_keys import DataKey
from parley.engine.http import CallError, Http
from parley.engine.user_tokens import UserTokens, grant_of
from parley.errors import LoginNeededError, RetryAfter, UserApiError
from parley.journal.grants import LEASE, Grant, GrantId, Grants
from parley.platforms import config_type, logins
from parley.testing import Chat
from parley.testing.world import World
from playground.platforms.feishu import Feishu
from playground.transport import PlatformTransport
from tests.unit.logins.bots import made_bot
from tests.workers import WORKERS, SlowHttp, Workers
from tools.faults.processes import TABLE
from tools.faults.targets.feishu import _HOST, _app

PERSON = GrantId("feishu", "demo", "ou_1")


@pytest.fixture
def chat() -> Chat:
    made = Chat(made_bot())
    made.say("/calendar")
    made.log_in()
    made.advance(hours=3)
    return made


def feishu(world: World) -> Feishu:
    assert isinstance(world.platform, Feishu)
    return world.platform


def app() -> App:
    return App("feishu", "demo", msgspec.convert(_app("demo"), config_type("feishu")))


def test_a_thousand_workers_refresh_once(chat: Chat) -> None:
    world = chat._world
    workers = Workers(world.clock())
    world.platform.clock = workers.scheduler.clock
    platform, got, later = logins("feishu"), list[str](), list[float]()
    assert platform is not None
    (person,) = [each.person for each in feishu(world).logins.sessions]
    id_ = GrantId("feishu", "demo", world.platform.accounts["demo"].open_id(person))
    with world.active():
        http = SlowHttp(httpx.Client(transport=PlatformTransport({_HOST: world.platform})), workers=workers)
        apps = world.processes.current.callbacks["feishu"].apps
        clock = workers.scheduler.clock

        def work() -> None:
            tokens = UserTokens(client(), TABLE, http, apps, clock, workers.sleep, lambda: 0.5)
            while True:
                try:
                    token = tokens.get(id_, app(), platform)[1]
                except RetryAfter as wait:
                    later.append(wait.seconds)
                    workers.sleep(wait.seconds)
                else:
                    got.append(token.access)
                    return

        workers.run(work)
    assert (len(got), len(set(got)), feishu(world).logins.refreshes) == (WORKERS, 1, 1)


def client() -> Any:
    from parley.engine.aws import dynamodb

    return dynamodb()


class Refusing(Http, kw_only=True):
    """A platform whose answers are given: `answers` are bodies, or exceptions."""

    answers: list[Any]
    asked: list[Any]

    def perform(self, call: Call, token: str = "") -> Answer:
        del token
        self.asked.append(call.json)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Answer(*answer)


NEW = {"code": 0, "access_token": "new", "expires_in": 7200, "refresh_token": "r2", "refresh_token_expires_in": 604_800}


def due(chat: Chat, answers: list[Any]) -> tuple[UserTokens, Grants, Any]:
    world = chat._world
    http = Refusing(cast("Any", None), answers=answers, asked=[])
    apps = world.processes.current.callbacks["feishu"].apps
    tokens = UserTokens(client(), TABLE, http, apps, world.clock, world.clock.sleep, lambda: 0.5)
    now = world.clock()
    token = UserToken(access="old", expires=now + 60, scopes="a", refresh="r1", refresh_expires=now + 86_400)
    tokens.grants.store(grant_of(PERSON, DataKey("feishu", "demo"), token), now)
    return tokens, tokens.grants, logins("feishu")


def answer(code: int, status: int = 400) -> tuple[int, bytes]:
    return status, msgspec.json.encode({"code": code, "error": "x"})


def success() -> tuple[int, bytes]:
    return 200, msgspec.json.encode(NEW)


def test_after_a_lost_answer_the_same_token_is_tried_once_more(chat: Chat) -> None:
    with chat._world.active():
        tokens, grants, platform = due(chat, [CallError(Unknown("ReadTimeout")), success()])
        with pytest.raises(UserApiError) as error:
            tokens.get(PERSON, app(), platform)
        assert error.value.is_unknown
        assert cast("Grant", grants.get(PERSON)).attempts == 1
        assert tokens.get(PERSON, app(), platform)[1].access == "new"
        assert cast("Grant", grants.get(PERSON)).attempts == 0


def test_if_the_lost_answer_was_a_success_the_person_logs_in_again(chat: Chat) -> None:
    with chat._world.active():
        tokens, grants, platform = due(chat, [CallError(Unknown("ReadTimeout")), answer(20073)])
        with pytest.raises(UserApiError):
            tokens.get(PERSON, app(), platform)
        with pytest.raises(LoginNeededError, match="answer to a refresh was lost"):
            tokens.get(PERSON, app(), platform)
        assert grants.get(PERSON) is None


def test_two_lost_answers_are_enough(chat: Chat) -> None:
    with chat._world.active():
        tokens, grants, platform = due(chat, [CallError(Unknown("x")), CallError(Unknown("x"))])
        for _ in range(2):
            with pytest.raises(UserApiError):
                tokens.get(PERSON, app(), platform)
        with pytest.raises(LoginNeededError, match="was lost"):
            tokens.get(PERSON, app(), platform)
        assert grants.get(PERSON) is None


@pytest.mark.parametrize("code", [20026, 20037, 20064, 20073])
def test_a_refused_refresh_ends_the_login(chat: Chat, code: int) -> None:
    with chat._world.active():
        tokens, grants, platform = due(chat, [answer(code)])
        with pytest.raises(LoginNeededError):
            tokens.get(PERSON, app(), platform)
        assert grants.get(PERSON) is None


@pytest.mark.parametrize("code", [20002, 20074, 20050, 20072])
def test_a_refusal_of_the_configuration_or_an_outage_keeps_the_login(chat: Chat, code: int) -> None:
    with chat._world.active():
        tokens, grants, platform = due(chat, [answer(code, 500 if code == 20050 else 400), success()])
        with pytest.raises(UserApiError):
            tokens.get(PERSON, app(), platform)
        assert cast("Grant", grants.get(PERSON)).attempts == 0
        assert tokens.get(PERSON, app(), platform)[1].access == "new"


def test_a_worker_that_died_leaves_its_attempt_and_the_next_one_waits_for_its_lease(chat: Chat) -> None:
    with chat._world.active():
        tokens, grants, platform = due(chat, [success()])
        assert grants.begin_refresh(cast("Grant", grants.get(PERSON)), "dead", chat._world.clock())
        with pytest.raises(RetryAfter):
            tokens.get(PERSON, app(), platform)
        chat._world.clock.now += LEASE + 1
        assert tokens.get(PERSON, app(), platform)[1].access == "new"


def test_a_person_who_logs_in_or_out_during_a_refresh_is_not_overwritten(chat: Chat) -> None:
    with chat._world.active():
        tokens, grants, platform = due(chat, [success()])
        http = tokens.http
        own = type(http).perform
        now = chat._world.clock()

        class Meanwhile(Refusing):
            def perform(self, call: Call, token: str = "") -> Answer:
                newer = UserToken(access="newer", expires=now + 9000, refresh="r9", refresh_expires=now + 99_000)
                grants.store(grant_of(PERSON, DataKey("feishu", "demo"), newer), now)
                return own(self, call, token)

        tokens.http = Meanwhile(cast("Any", None), answers=[success()], asked=[])
        assert tokens.get(PERSON, app(), platform)[1].access == "newer"
        assert tokens.get(PERSON, app(), platform)[1].access == "newer"


def test_a_person_who_logs_out_during_a_refresh_stays_logged_out_also_if_they_log_in_again(chat: Chat) -> None:
    with chat._world.active():
        tokens, grants, platform = due(chat, [])
        now = chat._world.clock()

        class Meanwhile(Refusing):
            def perform(self, call: Call, token: str = "") -> Answer:
                assert grants.remove(PERSON)
                return super().perform(call, token)

        tokens.http = Meanwhile(cast("Any", None), answers=[success()], asked=[])
        with pytest.raises(LoginNeededError):
            tokens.get(PERSON, app(), platform)
        assert grants.get(PERSON) is None
        # A late write of that refresh does not replace the next login.
        late = grant_of(PERSON, DataKey("feishu", "demo"), UserToken(access="late", expires=now + 9000))
        before = replace(late, tokens="those before")
        next_ = UserToken(access="next", expires=now + 9000, refresh="r", refresh_expires=now + 99_000)
        grants.store(grant_of(PERSON, DataKey("feishu", "demo"), next_), now)
        assert not grants.refreshed(late, before, now)
        assert tokens.get(PERSON, app(), platform)[1].access == "next"


def test_a_failure_of_kms_is_no_attempt_of_a_refresh(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    with chat._world.active():
        tokens, grants, platform = due(chat, [success()])
        with monkeypatch.context() as patch:
            patch.setattr(user_tokens.DataKey, "of", failing("KMSInternalException"))
            for _ in range(4):
                with pytest.raises(ClientError):
                    tokens.get(PERSON, app(), platform)
        assert cast("Grant", grants.get(PERSON)).attempts == 0
        assert tokens.get(PERSON, app(), platform)[1].access == "new"


@pytest.mark.parametrize("code", ["AccessDeniedException", "DisabledException"])
def test_a_key_that_nobody_may_use_is_an_error_of_the_call_and_keeps_the_login(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    with chat._world.active():
        tokens, grants, platform = due(chat, [success()])
        with monkeypatch.context() as patch:
            patch.setattr(user_tokens.DataKey, "of", failing(code))
            with pytest.raises(UserApiError, match=code):
                tokens.get(PERSON, app(), platform)
        assert grants.get(PERSON) is not None


def test_tokens_of_another_key_end_the_login(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    with chat._world.active():
        tokens, grants, platform = due(chat, [])
        monkeypatch.setattr(user_tokens.DataKey, "of", failing("InvalidCiphertextException"))
        with pytest.raises(LoginNeededError):
            tokens.get(PERSON, app(), platform)
        assert grants.get(PERSON) is None


def failing(code: str) -> Any:
    def fails(*_: Any) -> Any:
        raise ClientError({"Error": {"Code": code}}, "Decrypt")

    return fails


def test_a_worker_that_is_slower_than_its_lease_stores_the_answer_and_the_next_one_uses_it(chat: Chat) -> None:
    with chat._world.active():
        tokens, grants, platform = due(chat, [])
        before, now = cast("Grant", grants.get(PERSON)), chat._world.clock()
        assert grants.begin_refresh(before, "slow", now - LEASE - 1)
        new = UserToken(access="new", expires=now + 9000, refresh="r2", refresh_expires=now + 99_000)

        class Meanwhile(Refusing):
            def perform(self, call: Call, token: str = "") -> Answer:
                assert grants.refreshed(grant_of(PERSON, DataKey("feishu", "demo"), new), before, now)
                return super().perform(call, token)

        tokens.http = Meanwhile(cast("Any", None), answers=[answer(20073)], asked=[])
        assert tokens.get(PERSON, app(), platform)[1].access == "new"


def test_an_answer_of_a_gateway_leaves_the_attempt(chat: Chat) -> None:
    with chat._world.active():
        tokens, grants, platform = due(chat, [(502, b"<html>"), success()])
        with pytest.raises(UserApiError) as error:
            tokens.get(PERSON, app(), platform)
        assert error.value.is_unknown
        assert cast("Grant", grants.get(PERSON)).attempts == 1
        assert tokens.get(PERSON, app(), platform)[1].access == "new"
