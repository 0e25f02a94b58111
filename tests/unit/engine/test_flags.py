"""Feature flags: where they come from, whom they are for, and that they do not change under a handler's feet."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aws_lambda_powertools.utilities.feature_flags import FeatureFlags
from aws_lambda_powertools.utilities.feature_flags.exceptions import ConfigurationStoreError
from botocore.exceptions import ConnectTimeoutError

from parley.bot import Ask, Bot, Script, Turn
from parley.bot.rules import flag
from parley.engine import flags
from parley.engine.flags import LastKnown, context, is_on
from parley.testing import Chat
from tests.factories import make_message
from tests.unit.conftest import Clock

RULES: dict[str, Any] = {
    "new-menu": {
        "default": False,
        "rules": {
            "the team": {
                "when_match": True,
                "conditions": [{"action": "EQUALS", "key": "room", "value": "#team"}],
            },
            "one in five": {
                "when_match": True,
                "conditions": [{"action": "KEY_LESS_THAN_VALUE", "key": "percent", "value": 20}],
            },
        },
    },
    "off": {"default": False},
}
MENU = RULES["new-menu"]["rules"]


def known(**rules: Any) -> FeatureFlags:
    return FeatureFlags(store=LastKnown(lambda: rules))


def test_a_rule_names_platforms_apps_tenants_rooms_and_persons() -> None:
    message = make_message("m1", room="#team")
    for key in ("platform", "app", "room", "person"):
        value = context("f", message)[key]
        assert value
        rule = {"when_match": True, "conditions": [{"action": "EQUALS", "key": key, "value": value}]}
        found = known(f={"default": False, "rules": {"r": rule}})
        assert is_on(found, "f", message, default=False)
        rule["conditions"][0]["value"] = "another"
        assert not is_on(found, "f", message, default=False)
    assert context("f", message)["tenant"] == ""


def test_a_share_of_the_conversations_is_always_the_same_one_and_another_one_for_each_feature() -> None:
    share = FeatureFlags(store=LastKnown(lambda: {"new-menu": {"default": False, "rules": {"r": MENU["one in five"]}}}))
    messages = [make_message("m1", room=f"#room{number}") for number in range(2000)]
    chosen = [is_on(share, "new-menu", message, default=False) for message in messages]
    assert 320 < sum(chosen) < 480
    assert [
        is_on(share, "new-menu", make_message("m2", room=f"#room{n}"), default=False) for n in range(2000)
    ] == chosen
    assert context("new-menu", messages[0])["percent"] == 11  # a later version may not move anybody
    others = [context("other", message)["percent"] < 20 for message in messages]
    assert 40 < sum(one and other for one, other in zip(chosen, others, strict=True)) < 130


def test_a_feature_without_a_flag_has_the_default_of_the_bot() -> None:
    message = make_message("m1")
    assert is_on(known(), "new-menu", message, default=True)
    assert not is_on(known(), "new-menu", message, default=False)
    assert not is_on(known(**RULES), "off", message, default=True)


@pytest.mark.parametrize(
    "broken", [{"new-menu": {"rules": {}}}, ConnectTimeoutError(endpoint_url="x"), ValueError("no JSON")]
)
def test_flags_that_cannot_be_read_are_those_that_were_read_last(broken: Any) -> None:
    clock, reads = Clock(), [RULES, broken, {**RULES, "off": {"default": True}}]
    made = 0

    def read() -> dict[str, Any]:
        nonlocal made
        made += 1
        if isinstance(found := reads[made - 1], Exception):
            raise found
        return found

    store = LastKnown(read, clock)
    for seconds, expected in ((0, False), (59, False), (1, False), (59, False), (1, True)):
        clock.now += seconds
        assert is_on(FeatureFlags(store=store), "off", make_message("m1"), default=False) is expected
    assert made == 3


def test_flags_that_were_never_read_are_asked_for_once_a_minute() -> None:
    clock, made = Clock(), 0

    def read() -> dict[str, Any]:
        nonlocal made
        made += 1
        raise ConfigurationStoreError("away")

    store = LastKnown(read, clock)
    for _ in range(100):
        assert is_on(FeatureFlags(store=store), "off", make_message("m1"), default=True)
    assert made == 1


def test_without_appconfig_the_flags_are_those_of_the_file_beside_the_bot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PARLEY_FLAGS", raising=False)
    bot = ModuleType("bot")
    bot.__file__ = str(tmp_path / "bot.py")
    monkeypatch.setitem(sys.modules, "bot", bot)
    assert flags.reader()() == {}
    (tmp_path / "flags.json").write_text(json.dumps(RULES))
    assert flags.reader()() == RULES


class AppConfigData:
    """A client of AWS AppConfig with one configuration."""

    def __init__(self, configuration: Any) -> None:
        self.configuration, self.asked = configuration, list[dict[str, str]]()
        self.meta = None

    def start_configuration_session(self, **asked: Any) -> dict[str, str]:
        self.asked.append(asked)
        return {"InitialConfigurationToken": "token"}

    def get_latest_configuration(self, **_: Any) -> dict[str, Any]:
        class Body:
            read = staticmethod(lambda: json.dumps(self.configuration).encode())

        return {"NextPollConfigurationToken": "next", "Configuration": Body}


def test_the_configuration_in_appconfig_is_the_one_that_the_template_names(monkeypatch: pytest.MonkeyPatch) -> None:
    client = AppConfigData(RULES)
    monkeypatch.setenv("PARLEY_FLAGS", "app1/env1/profile1")
    monkeypatch.setattr(flags.boto3, "client", lambda _name, **_: client)
    assert flags.reader()() == RULES
    (asked,) = client.asked
    names = ("ApplicationIdentifier", "EnvironmentIdentifier", "ConfigurationProfileIdentifier")
    assert [asked[name] for name in names] == ["app1", "env1", "profile1"]


# --- in a bot ---------------------------------------------------------------------------------------------------------


def test_a_handler_and_a_rule_ask_for_a_feature() -> None:
    bot = Bot()

    @bot.command(when=flag("new-menu"))
    def menu() -> str:
        return "new"

    @bot.fallback()
    def other(turn: Turn) -> str:
        return f"old {turn.flag('new-menu')} {turn.flag('missing', default=True)}"

    chat = Chat(bot, flags={"new-menu": False})
    chat.say("menu")
    chat.expect("old False True")
    chat.set_flag("new-menu", value=True)
    chat.say("/menu")
    chat.expect("new")


def test_a_feature_is_the_same_in_all_attempts_after_a_result_that_depends_on_it() -> None:
    bot, called, runs = Bot(), list[str](), 0

    @bot.command()
    def pay(turn: Turn) -> str:
        nonlocal runs
        runs += 1
        way = "new" if turn.flag("new-way") else "old"
        turn.once("pay", lambda _key: called.append(way))
        if runs == 1:
            chat.set_flag("new-way", value=False)
            raise RuntimeError
        return way

    chat = Chat(bot, attempts=2, flags={"new-way": True})
    chat.say("/pay")
    chat.expect("new")
    assert (called, runs) == (["new"], 2)
    chat.say("/pay")
    chat.expect("old")


def test_a_feature_is_the_same_in_all_steps_of_a_dialogue() -> None:
    bot = Bot()

    @bot.command(when=flag("orders"))
    def order(turn: Turn) -> Script:
        what = yield Ask("What (new)?" if turn.flag("new-words") else "What?")
        size = yield Ask("Size (new)?" if turn.flag("new-words") else "Size?")
        return f"{what} {size}"

    chat = Chat(bot, flags={"new-words": True, "orders": True})
    chat.say("/order")
    chat.expect("What (new)?")
    chat.set_flag("new-words", value=False)
    chat.set_flag("orders", value=False)
    chat.say("tea")
    chat.expect("Size (new)?")
    chat.say("small")
    chat.expect("tea small")


@pytest.mark.parametrize("wrong", [(), ("",), (" a",)])
def test_a_wrong_name_of_a_feature_fails_when_the_bot_loads(wrong: tuple[str, ...]) -> None:
    with pytest.raises((TypeError, ValueError)):
        flag(*wrong)
