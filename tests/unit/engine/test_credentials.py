"""The bot reads a credential that came with a message. Nothing that Parley writes holds it in clear text."""

import json
import subprocess
import sys
from typing import Any

import msgspec
import pytest

from parley.adapter import Accepted, App
from parley.bot import Bot, CredentialError, Turn
from parley.engine import services
from parley.engine.apps import Apps
from parley.engine.aws import dynamodb, ssm
from parley.engine.credentials import Credentials
from parley.engine.processor import Processor
from parley.journal.inbox import Inbox
from parley.model import Content, Message, Sender
from parley.model.codec import encode
from parley.platforms import NAMES, inbound
from tests.conformance.adapters import discord, wecom
from tests.conformance.tencent import xml
from tests.unit.conftest import Clock
from tests.unit.engine.test_processor import emptied
from tests.unit.platforms.wecom.test_inbound import SUITE, delivery, fields

pytestmark = pytest.mark.usefixtures("aws")
NOW = 1_800_000_000.0
CLEAR = "CLEAR-TEXT-1"
EVENTS: dict[str, dict[str, str]] = {
    "kf_msg_or_event": {"Event": "kf_msg_or_event", "OpenKfId": "kf1", "Token": CLEAR},
    "change_external_contact": {
        "Event": "change_external_contact",
        "ChangeType": "add_external_contact",
        "WelcomeCode": CLEAR,
    },
    "template_card_event": {
        "Event": "template_card_event",
        "EventKey": "ok",
        "TaskId": "task-42",
        "CardType": "button_interaction",
        "ResponseCode": CLEAR,
    },
}
COMMANDS = ("create_auth", "reset_permanent_code")


def received(payload: dict[str, str], receiver: str = wecom.CORP) -> Message:
    outcome = inbound("wecom").receive(delivery(xml(payload), NOW, receiver), wecom.APP, NOW)
    assert isinstance(outcome, Accepted)
    return outcome.messages[0]


def messages() -> dict[str, Message]:
    """A message with the credential `CLEAR` of each kind."""
    found = {name: received(fields(NOW, "event", **more)) for name, more in EVENTS.items()}
    for name in COMMANDS:
        command = {"SuiteId": SUITE, "InfoType": name, "TimeStamp": str(int(NOW)), "AuthCode": CLEAR}
        found[name] = received(command, SUITE)
    called = discord.interaction(2, {"id": "1", "name": "echo", "type": 1}, token=CLEAR)
    outcome = inbound("discord").receive(discord.signed(json.dumps(called).encode(), NOW), discord.APP, NOW)
    assert isinstance(outcome, Accepted)
    return found | {"interaction": outcome.messages[0]}


KINDS = (*EVENTS, *COMMANDS, "interaction")


def store(app: App, **changes: Any) -> None:
    """Store the configuration of `app` in SSM."""
    value = msgspec.json.encode(msgspec.structs.replace(app.config, **changes)).decode()
    name = f"/parley/unit/{app.platform}/{app.name}"
    ssm().put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_bot_reads_the_credential_and_nothing_that_is_written_holds_it(
    kind: str, record: Any, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    store(wecom.APP)
    store(discord.APP)
    message = messages()[kind]
    seen: list[str] = []
    bot = Bot()

    def handler(turn: Turn) -> str:
        seen.append(turn.credential())
        return "done"

    bot.event(*EVENTS, *COMMANDS)(handler)
    bot.action("ok")(handler)
    bot.command("echo")(handler)
    clock.now = NOW
    handle = Processor(bot, Inbox(dynamodb(), "parley", 86_400), unseal=Credentials(Apps()), clock=clock)
    handle(record(encode(message)))
    assert seen == [CLEAR]
    rows = dynamodb().scan(TableName="parley")["Items"]
    written = [encode(message).decode(), repr(rows), *emptied("outbound"), *capsys.readouterr()]
    assert rows
    assert not [text for text in written if CLEAR in text]


@pytest.mark.parametrize("app", [wecom.APP, discord.APP], ids=["wecom", "discord"])
def test_a_changed_secret_makes_the_credential_unreadable(app: App) -> None:
    changed = {"secret": "another"} if app.platform == "wecom" else {"bot_token": "another"}
    store(app, **changed)
    message = messages()["interaction" if app.platform == "discord" else "kf_msg_or_event"]
    with pytest.raises(CredentialError, match=f"secret of {app.platform}/demo has changed") as caught:
        Credentials(Apps())(message)
    assert CLEAR not in str(caught.value)


def test_a_secret_that_was_changed_minutes_ago_is_read_again(clock: Clock) -> None:
    store(wecom.APP, secret="another")
    credentials = Credentials(Apps(clock))
    credentials.apps.get("wecom", "demo")
    store(wecom.APP)
    clock.now += 60
    assert credentials(messages()["kf_msg_or_event"]) == CLEAR


def test_a_missing_configuration_is_named() -> None:
    with pytest.raises(CredentialError, match="no configuration of wecom/demo"):
        Credentials(Apps())(messages()["kf_msg_or_event"])


@pytest.mark.parametrize("platform", sorted({*NAMES} - {"wecom", "wecom_bot", "discord"}))
def test_a_platform_without_credentials_is_named(platform: str) -> None:
    message = Message(
        id="1",
        platform=platform,
        app="demo",
        kind="event",
        sender=Sender(id="a"),
        content=Content(),
        timestamp=1,
        context=messages()["kf_msg_or_event"].context,
    )
    with pytest.raises(CredentialError, match=f"{platform} sends no credentials"):
        Credentials(Apps())(message)


def test_a_bot_that_reads_no_credential_does_not_import_the_code_for_it() -> None:
    code = "import sys; import parley.engine.processor; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "parley.engine.processor" in loaded
    assert not {"parley.engine.credentials", "parley.engine.apps", "parley.crypto"} & set(loaded)


def test_the_processor_of_the_function_reads_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    store(wecom.APP)
    services._credentials.cache_clear()
    assert services.unseal(messages()["kf_msg_or_event"]) == CLEAR
    services._credentials.cache_clear()
