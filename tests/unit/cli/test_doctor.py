"""`parley doctor` explains what is wrong with a deployment, and names the way out, and no secret."""

import json
import sys
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError, NoRegionError

from parley_cli import doctor
from parley_cli.findings import Finding
from parley_cli.place import Place
from playground.platforms.feishu import Feishu
from playground.platforms.wecom import Wecom
from tests.unit.cli.tool import (
    FEISHU,
    Answering,
    Client,
    Healthy,
    Pages,
    Platforms,
    Shown,
    Store,
    made,
    parley,
    refusing,
)
from tests.unit.playground.tencent import WECHAT, WECOM


def change(client: Client, name: str, **fields: Any) -> None:
    """Change fields in the answer to a request."""
    client.answers[name] = {**client.answers[name], **fields}


def test_no_credentials(healthy: Healthy, stack: Place, shown: Shown) -> None:
    healthy["sts"].answers["get_caller_identity"] = NoCredentialsError()
    text = shown("doctor")
    assert "there are no credentials in this shell" in text
    assert "AWS_PROFILE" in text


def test_no_region(healthy: Healthy, stack: Place, shown: Shown) -> None:
    healthy["sts"].answers["get_caller_identity"] = NoRegionError()
    assert "Set AWS_REGION" in shown("doctor")


def test_a_session_that_is_over(healthy: Healthy, stack: Place, shown: Shown) -> None:
    healthy["sts"].answers["get_caller_identity"] = refusing("ExpiredToken", "expired", "GetCallerIdentity")
    assert "aws sso login" in shown("doctor")


def test_no_stack_in_this_region(healthy: Healthy, stack: Place, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    error = refusing("ValidationError", "Stack with id parley-unit does not exist", "DescribeStacks")
    other = {"Stacks": [{"StackName": "parley-prod"}, {"StackName": "website"}]}
    healthy["cloudformation"].answers["describe_stacks"] = error
    monkeypatch.setattr(healthy["cloudformation"], "get_paginator", lambda _name: Pages(other))
    text = shown("doctor")
    assert "There is no stack parley-unit in the region eu-west-1. The region has parley-prod." in text
    assert "AWS_REGION" in text


def test_a_deployment_that_has_failed(healthy: Healthy, stack: Place, shown: Shown) -> None:
    (described,) = healthy["cloudformation"].answers["describe_stacks"]["Stacks"]
    described["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE"
    text = shown("doctor")
    assert "The last deployment of parley-unit has failed: UPDATE_ROLLBACK_COMPLETE" in text
    assert "name the first failure" in text


def test_a_stack_that_is_none_of_parley(healthy: Healthy, stack: Place, shown: Shown) -> None:
    (described,) = healthy["cloudformation"].answers["describe_stacks"]["Stacks"]
    described["Outputs"] = []
    assert "The stack parley-unit has no output StateTable: it is no stack of Parley" in shown("doctor")


def test_no_app(stack: Place, shown: Shown) -> None:
    text = shown("doctor")
    assert "The stage unit has no app" in text
    assert "parley app add PLATFORM/APP --stage unit" in text


def test_a_clock_that_is_wrong(healthy: Healthy, stack: Place, shown: Shown) -> None:
    date = formatdate(time.time() - 400, usegmt=True)
    change(healthy["sts"], "get_caller_identity", ResponseMetadata={"HTTPHeaders": {"date": date}})
    text = shown("doctor")
    assert "differs from AWS's clock by 400 seconds: it is ahead" in text or "by 401 seconds: it is ahead" in text
    assert "timedatectl set-ntp true" in text


def test_a_clock_so_wrong_that_aws_refuses_it(healthy: Healthy, stack: Place, shown: Shown) -> None:
    answer = refusing("SignatureDoesNotMatch", "Signature expired: 20261201 is now earlier", "GetCallerIdentity")
    healthy["sts"].answers["get_caller_identity"] = answer
    assert "The clock of this machine differs" in shown("doctor")


def test_no_alarms(healthy: Healthy, stack: Place, shown: Shown) -> None:
    (described,) = healthy["cloudformation"].answers["describe_stacks"]["Stacks"]
    described["Parameters"] = []
    text = shown("doctor")
    assert "parley-unit has no alarms" in text
    assert "Set Observability to true and AlarmEmail" in text


def test_alarms_that_nobody_has_confirmed(healthy: Healthy, stack: Place, shown: Shown) -> None:
    waiting = [{"SubscriptionArn": "PendingConfirmation", "Endpoint": "ops@example.com"}]
    change(healthy["sns"], "list_subscriptions_by_topic", Subscriptions=waiting)
    text = shown("doctor")
    assert "AWS sends nothing to ops@example.com" in text
    assert "Confirm subscription" in text


@pytest.mark.parametrize(
    ("alarms", "words"),
    [
        ([], "Alarms were deleted by hand: parley-unit-AgeAlarm-1"),
        ([{"StateValue": "OK", "ActionsEnabled": False}], "Alarms are switched off: parley-unit-AgeAlarm-1"),
        ([{"StateValue": "ALARM", "ActionsEnabled": True}], "The alarm parley-unit-AgeAlarm-1 is raised"),
    ],
)
def test_alarms_that_are_missing_or_off_or_raised(
    alarms: list[dict[str, Any]], words: str, healthy: Healthy, stack: Place, shown: Shown
) -> None:
    found = [{"AlarmName": "parley-unit-AgeAlarm-1", **alarm} for alarm in alarms]
    change(healthy["cloudwatch"], "describe_alarms", MetricAlarms=found)
    assert words in shown("doctor")


def test_a_new_account_with_ten_functions_at_a_time(healthy: Healthy, stack: Place, shown: Shown) -> None:
    change(healthy["lambda"], "get_account_settings", AccountLimit={"ConcurrentExecutions": 10})
    text = shown("doctor")
    assert "may run 10 Lambda functions at a time" in text
    assert "Service Quotas" in text


def test_dead_letters(healthy: Healthy, stack: Place, shown: Shown) -> None:
    change(healthy["sqs"], "get_queue_attributes", Attributes={"ApproximateNumberOfMessages": "3"})
    text = shown("doctor")
    assert "3 messages of the queue inbound failed too often" in text
    assert "parley dlq list --stage unit" in text


def test_an_app_that_needs_a_fixed_address_in_a_stack_without_one(
    healthy: Healthy, store: Store, platforms: Platforms, shown: Shown
) -> None:
    platforms(wecom=made(Wecom, WECOM))
    store("wecom/demo", WECOM)
    (described,) = healthy["cloudformation"].answers["describe_stacks"]["Stacks"]
    described["Parameters"][2]["ParameterValue"] = "off"
    text = shown("doctor")
    assert "has no fixed address, and wecom takes calls from listed addresses only" in text
    assert "docs/fixed-address.md" in text


def test_an_app_that_replies_passively_needs_no_address(
    healthy: Healthy, store: Store, platforms: Platforms, capsys: pytest.CaptureFixture[str]
) -> None:
    platforms(wechat=Answering(errcode=40164, errmsg="invalid ip"))
    store("wechat/demo", {**WECHAT, "reply_mode": "passive"})
    (described,) = healthy["cloudformation"].answers["describe_stacks"]["Stacks"]
    described["Parameters"][2]["ParameterValue"] = "off"
    assert parley("doctor") == 0
    assert "which passive replies do not need" in capsys.readouterr().out


BOT = """
from parley.bot import Bot, Secret, Settings


class Keys(Settings):
    crm_token: Secret
    limit: int = 5


bot = Bot()
"""


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        (None, "The bot needs settings that /parley/unit/bot lacks: crm_token."),
        ('{"limit": 7}', "The bot needs settings that /parley/unit/bot lacks: crm_token."),
        ("[1]", "/parley/unit/bot, are no JSON object"),
    ],
)
def test_a_secret_of_the_bot_that_the_stage_lacks(
    stored: str | None,
    words: str,
    store: Store,
    shown: Shown,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "bot.py").write_text(BOT)
    monkeypatch.setenv("PARLEY_BOT", str(tmp_path))
    monkeypatch.delitem(sys.modules, "bot", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    if stored is not None:
        store("bot", stored)
    text = shown("doctor")
    assert words in text
    assert "docs/writing-a-bot.md" in text
    monkeypatch.delitem(sys.modules, "bot")


def test_what_aws_does_not_allow_is_said_and_the_other_checks_go_on(
    healthy: Healthy, stack: Place, shown: Shown
) -> None:
    healthy["lambda"].answers["get_account_settings"] = refusing("AccessDeniedException", "no", "GetAccountSettings")
    text = shown("doctor")
    assert "AWS does not allow this: GetAccountSettings" in text
    assert "Somebody gets the alarms." in text


def test_a_healthy_deployment_has_no_problem(
    store: Store, platforms: Platforms, capsys: pytest.CaptureFixture[str]
) -> None:
    platforms(feishu=made(Feishu, FEISHU))
    store("feishu/demo", FEISHU)
    assert parley("doctor") == 0
    text = capsys.readouterr().out
    assert "Feishu gives an access token to feishu/demo" in text
    assert text.endswith("no problem found\n")
    assert parley("doctor", "--offline", "--json") == 0
    assert {finding["level"] for finding in json.loads(capsys.readouterr().out)} == {"ok"}


def test_without_a_local_stack_there_is_one_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parley_cli.place.running", lambda: None)
    (finding,) = doctor.examine("", "")
    assert finding == Finding(
        "problem", "No local stack is running.", "Start one with `make up`, or name a --stage on AWS."
    )
