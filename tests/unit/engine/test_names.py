"""Names of senders: from the platform, the table or the process; a lookup never fails a message."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from parley.bot import Bot, Turn
from parley.bot.rules import department
from parley.engine import names as module
from parley.engine.aws import dynamodb, ssm
from parley.engine.names import BUDGET, KNOWN_FOR, UNANSWERED_FOR, UNKNOWN_FOR, Names, names_with
from parley.engine.processor import Processor
from parley.journal import table as t
from parley.journal.inbox import Inbox
from parley.journal.names import Person
from parley.journal.table import name_pk
from parley.model import Context, Message, Sender, message_key
from parley.model.codec import encode
from tests.unit.conftest import Clock
from tests.unit.playground.tencent import WECOM

pytestmark = pytest.mark.usefixtures("aws")
FEISHU = {"app_id": "cli_a", "app_secret": "s", "verification_token": "v", "host": "http://feishu", "names": True}
LIN = {"code": 0, "data": {"user": {"open_id": "ou_1", "name": "林梅"}}}
NOBODY = {"code": 41012, "msg": "user id invalid"}
MakeMessage = Callable[..., Message]


class Server:
    """Issues tokens, and answers each lookup with the next of `answers`, the last one again and again."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.lookups: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if "token" in request.url.path:
            body = {"tenant_access_token": "t1", "access_token": "t1", "expire": 7200, "expires_in": 7200}
            return httpx.Response(200, json={"code": 0, "errcode": 0, **body})
        self.lookups.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def ok(body: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=body)


def store(platform: str, config: dict[str, Any]) -> None:
    value = msgspec.json.encode(config).decode()
    ssm().put_parameter(Name=f"/parley/unit/{platform}/demo", Value=value, Type="SecureString")


@pytest.fixture
def received(message: MakeMessage) -> MakeMessage:
    """Makes messages whose sender has no name yet."""
    store("feishu", FEISHU)

    def make(id_: str = "m1", sender: str = "ou_1", **more: Any) -> Message:
        made = message("/hi", id=id_, sender=Sender(id=sender), **more)
        return msgspec.structs.replace(made, context=msgspec.structs.replace(made.context, wants_name=True))

    return make


def people(server: Server, clock: Clock | None = None) -> Names:
    return names_with(httpx.Client(transport=httpx.MockTransport(server)), clock or Clock())


def names(server: Server, clock: Clock | None = None) -> Callable[[Message], str]:
    """The names alone."""
    look_up = people(server, clock)
    return lambda message: look_up(message).name


def row(user: str = "ou_1") -> t.Item:
    return t.get(dynamodb(), "parley", name_pk("feishu", "demo", user))


def test_a_name_is_fetched_once_with_the_token_of_the_app(received: MakeMessage) -> None:
    server = Server(ok(LIN))
    look_up = names(server)
    assert [look_up(received(id_)) for id_ in ("m1", "m2")] == ["林梅", "林梅"]
    (request,) = server.lookups
    assert str(request.url) == "http://feishu/open-apis/contact/v3/users/ou_1?user_id_type=open_id"
    assert request.headers["authorization"] == "Bearer t1"


def test_another_process_reads_the_name_from_the_table(received: MakeMessage) -> None:
    server = Server(ok(LIN))
    assert [names(server)(received()) for _ in range(2)] == ["林梅", "林梅"]
    assert len(server.lookups) == 1


def test_a_name_is_deleted_after_a_day_and_a_refusal_is_repeated_after_an_hour(received: MakeMessage) -> None:
    clock, server = Clock(), Server(ok(NOBODY, 400), ok(LIN))
    look_up = names(server, clock)
    assert look_up(received()) == ""
    assert row()["ttl"] == t.number(int(clock.now + UNKNOWN_FOR))
    clock.now += UNKNOWN_FOR - 1
    assert look_up(received()) == names(server, clock)(received()) == ""
    clock.now += 1
    assert look_up(received()) == "林梅"
    assert row()["ttl"] == t.number(int(clock.now + KNOWN_FOR))
    clock.now += KNOWN_FOR
    names(server, clock)(received())
    assert len(server.lookups) == 3


def test_a_platform_that_does_not_answer_is_asked_again_after_a_minute(received: MakeMessage) -> None:
    clock, server = Clock(), Server(httpx.ReadTimeout("slow"), ok({"code": 99991400}, 429), ok(LIN))
    look_up = names(server, clock)
    assert [look_up(received()) for _ in range(3)] == ["", "", ""]
    assert (len(server.lookups), row()) == (1, {})
    clock.now += UNANSWERED_FOR
    assert look_up(received()) == ""
    clock.now += UNANSWERED_FOR
    assert look_up(received()) == "林梅"


@pytest.mark.parametrize(
    "answer",
    [
        ok({"code": 99991672, "msg": "Access denied."}, 400),
        ok({"code": 0, "data": {"user": {"open_id": "ou_1"}}}),
        ok({"code": 0, "data": []}),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(500),
        httpx.ConnectError("refused"),
        ValueError("a defect"),
    ],
    ids=["no permission", "no field", "another shape", "no JSON", "error", "no connection", "defect"],
)
def test_without_a_name_the_message_has_none_and_a_metric_counts_it(
    answer: httpx.Response | Exception, received: MakeMessage, capsys: pytest.CaptureFixture[str]
) -> None:
    assert names(Server(answer))(received()) == ""
    assert "NamesUnknown" in capsys.readouterr().out


def test_a_lookup_for_an_unknown_app_or_without_aws_fails_no_message(
    received: MakeMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert names(Server(ok(LIN)))(received(app="gone")) == ""
    look_up = people(Server(ok(LIN)))
    monkeypatch.setattr(look_up, "table", "no-such-table")
    assert look_up(received()) == Person()


def test_a_name_that_cannot_be_stored_is_still_there(received: MakeMessage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        dynamodb().get_item(TableName="no-such-table", Key={})

    monkeypatch.setattr(module, "store_person", fails)
    assert names(Server(ok(LIN)))(received()) == "林梅"


def test_a_lookup_ends_within_its_budget(received: MakeMessage) -> None:
    timeouts: list[float] = []

    def slow(request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"]["read"])
        return httpx.Response(200, json={"code": 0, "tenant_access_token": "t", "expire": 7200, **LIN})

    assert names_with(httpx.Client(transport=httpx.MockTransport(slow)))(received()).name == "林梅"
    assert len(timeouts) == 2
    assert max(timeouts) <= BUDGET


def test_no_call_begins_and_nothing_sleeps_after_the_budget(
    received: MakeMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUDGET", 0.0)
    server = Server(ok(LIN))
    assert names(server)(received()) == ""
    assert server.lookups == []
    started = time.monotonic()
    dynamodb().put_item(
        TableName="parley",
        Item={
            "pk": {"S": "token#feishu#demo#http://feishu|cli_a|"},
            "lock_until": t.number(2e9),
            "lock_owner": t.text("x"),
        },
    )
    assert names(server)(received(sender="ou_2")) == ""
    assert time.monotonic() - started < 1


def test_a_process_remembers_a_bounded_number_of_persons(
    received: MakeMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_CACHED", 2)
    look_up = people(Server(ok(LIN)))
    for number in range(4):
        look_up(received(sender=f"ou_{number}"))
    assert [key[2] for key in look_up._held] == ["ou_2", "ou_3"]  # pyright: ignore[reportPrivateUsage]


def test_no_log_and_no_metric_has_the_name(
    received: MakeMessage, logged: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    names(Server(ok(LIN)))(received())
    names(Server(ok(NOBODY, 400)))(received(sender="ou_2"))
    assert "林梅" not in logged() + capsys.readouterr().out
    assert "41012" in logged()


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"errcode": 0, "userid": "Lin", "name": "Lin Mei"}, "Lin Mei"),
        ({"errcode": 0, "userid": "Lin", "name": "Lin"}, ""),
        ({"errcode": 0, "userid": "Lin", "name": "wo1", "open_userid": "wo1"}, ""),
        ({"errcode": 60111, "errmsg": "userid not found"}, ""),
        ({"errcode": 48002, "errmsg": "api forbidden"}, ""),
    ],
)
def test_a_name_of_wecom_is_no_id(body: dict[str, Any], name: str, received: MakeMessage) -> None:
    store("wecom", {**WECOM, "names": True})
    server = Server(ok(body))
    context = Context(tenant=WECOM["corp_id"], wants_name=True)
    member = msgspec.structs.replace(received(sender="Lin", platform="wecom"), context=context)
    assert names(server)(member) == name
    (request,) = server.lookups
    assert str(request.url) == "http://wecom.test/cgi-bin/user/get?userid=Lin&access_token=t1"


def test_a_member_of_another_company_is_not_looked_up(received: MakeMessage) -> None:
    store("wecom", {**WECOM, "names": True})
    server = Server(ok({"errcode": 0, "userid": "Lin", "name": "Somebody else"}))
    other = msgspec.structs.replace(received(platform="wecom"), context=Context(tenant="ww-other", wants_name=True))
    assert names(server)(other) == ""
    assert server.lookups == []


def test_a_platform_without_names_is_not_called(received: MakeMessage) -> None:
    store("wechat", {"app_id": "wx1", "app_secret": "s", "token": "t", "mode": "plain", "host": "http://wechat"})
    server = Server(ok(LIN))
    assert names(server)(received(platform="wechat")) == ""
    assert server.lookups == []


# --- the processor ----------------------------------------------------------------------------------------------------


def greeting(seen: list[Message]) -> Bot:
    bot = Bot()

    @bot.command()
    def hi(turn: Turn) -> str:
        seen.append(turn.message)
        return "hi"

    return bot


def test_the_bot_gets_the_name_and_the_journal_does_not(
    received: MakeMessage, record: Callable[..., dict[str, Any]], clock: Clock
) -> None:
    seen: list[Message] = []
    inbox = Inbox(dynamodb(), "parley", 30 * 86_400)
    Processor(greeting(seen), inbox, clock=clock, person=lambda _: Person("林梅"))(record(encode(received())))
    assert [(message.sender.name, message_key(message)) for message in seen] == [("林梅", message_key(received()))]
    assert "林梅" not in str(dynamodb().scan(TableName="parley")["Items"])


def test_a_message_that_does_not_want_a_name_is_not_looked_up(
    message: MakeMessage, record: Callable[..., dict[str, Any]], clock: Clock
) -> None:
    seen: list[Message] = []

    def never(_: Message) -> Person:
        raise AssertionError

    Processor(greeting(seen), Inbox(dynamodb(), "parley", 1), clock=clock, person=never)(record(encode(message("/hi"))))
    assert [one.sender.name for one in seen] == [""]


def test_the_names_of_a_process_take_their_table_from_the_environment() -> None:
    assert module.names().table == "parley"


def test_the_departments_of_a_person_come_with_the_name_and_are_stored_with_it(received: MakeMessage) -> None:
    user = {**LIN["data"]["user"], "department_ids": ["od-2", "od-1"]}  # type: ignore[index]
    server = Server(ok({"code": 0, "data": {"user": user}}))
    assert people(server)(received()) == Person("林梅", ("od-2", "od-1"))
    assert people(server)(received()) == Person("林梅", ("od-1", "od-2"))
    assert len(server.lookups) == 1


def test_the_departments_of_wecom_are_numbers(received: MakeMessage) -> None:
    store("wecom", {**WECOM, "names": True})
    server = Server(ok({"errcode": 0, "userid": "Lin", "name": "林梅", "department": [1, 22]}))
    context = Context(tenant=WECOM["corp_id"], wants_name=True)
    member = msgspec.structs.replace(received(sender="Lin", platform="wecom"), context=context)
    assert people(server)(member) == Person("林梅", ("1", "22"))


@pytest.mark.parametrize(("departments", "holds"), [(("od-1", "od-2"), True), (("od-2",), False), ((), False)])
def test_the_rule_of_a_department_holds_for_its_people_only(
    received: MakeMessage,
    record: Callable[..., dict[str, Any]],
    clock: Clock,
    departments: tuple[str, ...],
    holds: bool,
) -> None:
    seen: list[str] = []
    bot = Bot(when=department("od-1"))

    @bot.fallback
    def other(turn: Turn) -> None:
        seen.append(turn.text)

    inbox = Inbox(dynamodb(), "parley", 1)
    Processor(bot, inbox, clock=clock, person=lambda _: Person("", departments))(record(encode(received())))
    assert bool(seen) is holds


def test_the_rule_of_a_department_does_not_hold_where_nothing_is_known(message: MakeMessage) -> None:
    bot = Bot(when=department("od-1"))
    bot.fallback(lambda: "in")
    assert bot.handle(Turn(message("hi"))) == []
