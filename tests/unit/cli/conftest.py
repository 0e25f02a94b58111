"""A place for the commands, with moto's SSM and DynamoDB, and imitations of everything else."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from parley_cli import check
from parley_cli.place import Place
from playground.transport import Api, PlatformTransport
from tests.unit.cli.tool import SECRETS, Client, Healthy, Ssm, fake_place, parley, use_place

OUTPUTS = {
    "ApiUrl": "https://api.test/unit",
    "StateTable": "parley",
    "InboundQueueUrl": "https://sqs.test/1/inbound.fifo",
    "OutboundQueueUrl": "https://sqs.test/1/outbound.fifo",
    "IncomingFunction": "parley-incoming",
    "InboundDeadLettersUrl": "https://sqs.test/1/inbound-dead.fifo",
    "OutboundDeadLettersUrl": "https://sqs.test/1/outbound-dead.fifo",
    "IncomingDeadLettersUrl": "https://sqs.test/1/incoming-dead",
}


@pytest.fixture
def healthy() -> Healthy:
    """The clients of a stack in which nothing is wrong. A test changes an answer."""
    stack = {
        "StackName": "parley-unit",
        "StackStatus": "UPDATE_COMPLETE",
        "Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in OUTPUTS.items()],
        "Parameters": [
            {"ParameterKey": "Stage", "ParameterValue": "unit"},
            {"ParameterKey": "Observability", "ParameterValue": "true"},
            {"ParameterKey": "FixedAddress", "ParameterValue": "nat-gateway"},
        ],
    }
    resources = [
        ("AWS::CloudWatch::Alarm", "AgeAlarm", "parley-unit-AgeAlarm-1"),
        ("AWS::SNS::Topic", "AlarmTopic", "arn:aws:sns:eu-west-1:1:alarms"),
    ]
    alarm = {"AlarmName": "parley-unit-AgeAlarm-1", "StateValue": "OK", "ActionsEnabled": True}
    return {
        "sts": Client(get_caller_identity={"Account": "123456789012"}),
        "cloudformation": Client(
            describe_stacks={"Stacks": [stack]},
            list_stack_resources={
                "StackResourceSummaries": [
                    {"ResourceType": kind, "LogicalResourceId": logical, "PhysicalResourceId": physical}
                    for kind, logical, physical in resources
                ]
            },
        ),
        "cloudwatch": Client(
            describe_alarms={"MetricAlarms": [alarm]}, get_metric_statistics={"Datapoints": [{"Sum": 500_000.0}]}
        ),
        "sns": Client(
            list_subscriptions_by_topic={"Subscriptions": [{"SubscriptionArn": "arn:1", "Endpoint": "ops@example.com"}]}
        ),
        "lambda": Client(get_account_settings={"AccountLimit": {"ConcurrentExecutions": 1000}}),
        "sqs": Client(get_queue_attributes={"Attributes": {"ApproximateNumberOfMessages": "0"}}),
        "s3": Client(),
    }


@pytest.fixture
def ssm() -> Ssm:
    """The Parameter Store of the stack."""
    return Ssm()


@pytest.fixture
def stack(healthy: Healthy, ssm: Ssm, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The stack parley-unit, which all commands find."""
    monkeypatch.setenv("PARLEY_BOT", "no-bot")
    found = fake_place({**healthy, "ssm": ssm, "dynamodb": None})
    use_place(monkeypatch, found)
    return found


@pytest.fixture
def store(stack: Place) -> Callable[..., None]:
    """Stores the configuration of an app, as text or as fields."""

    def put(app: str, config: str | Mapping[str, Any], kind: Any = "SecureString") -> None:
        value = config if isinstance(config, str) else json.dumps(config)
        stack.client("ssm").put_parameter(Name=f"/parley/unit/{app}", Value=value, Type=kind)

    return put


@pytest.fixture
def platforms(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets the checks reach these imitations, by their addresses, and nothing else."""

    def use(**targets: Api) -> None:
        found = {f"http://{name}.test": api for name, api in targets.items()}
        monkeypatch.setattr(check, "client", lambda: httpx.Client(transport=PlatformTransport(found)))

    use()
    return use


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The output of a command that has found a problem. It contains no secret."""

    def run(*arguments: str) -> str:
        assert parley(*arguments) == 1
        captured = capsys.readouterr()
        text = captured.out + captured.err
        assert [secret for secret in SECRETS if str(secret) in text] == []
        return text

    return run
