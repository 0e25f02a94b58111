"""template.yaml keeps its promises: least privilege, dead letters, time-outs, retention."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from parley.engine.batch import _backoff
from parley.engine.http import _TO_RECORD
from tests.template import ROOT, functions, of_type, template


def queues() -> dict[str, dict[str, Any]]:
    return {name: body["Properties"] for name, body in of_type("AWS::SQS::Queue").items()}


def dead_letter_queues() -> set[str]:
    return {target(queue) for queue in queues().values() if "RedrivePolicy" in queue}


def target(queue: dict[str, Any]) -> str:
    return queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"].removesuffix(".Arn")


def both(value: Any) -> tuple[int, int]:
    """The (local, other) values of a number that may depend on `IsLocal`."""
    if isinstance(value, dict):
        condition, local, other = value["Fn::If"]
        assert condition == "IsLocal"
        return int(local), int(other)
    return int(value), int(value)


def statements(role: str) -> list[dict[str, Any]]:
    policies = template()["Resources"][role]["Properties"]["Policies"]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def grants(role: str) -> Iterator[tuple[str, str]]:
    """(action, resource) of everything that `role` allows; a resource as it stands in the template."""
    for statement in statements(role):
        assert statement["Effect"] == "Allow"
        for action in as_list(statement["Action"]):
            for resource in as_list(statement["Resource"]):
                yield action, resource if isinstance(resource, str) else next(iter(resource.values()))


def granted(role: str) -> dict[str, set[str]]:
    by_resource: dict[str, set[str]] = {}
    for action, resource in grants(role):
        by_resource.setdefault(resource, set()).add(action)
    return by_resource


FUNCTIONS = sorted(functions())
ROLES = sorted(name for name in template()["Resources"] if name.endswith("Role"))
OWN_ROLES = sorted(f"{name.removesuffix('Function')}Role" for name in FUNCTIONS)
RECEIVE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"}
SSM = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/parley/${Stage}/"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_its_own_role_timeout_memory_and_log_group_with_retention(name: str) -> None:
    function, stem = functions()[name], name.removesuffix("Function")
    memory = function.get("MemorySize", template()["Globals"]["Function"]["MemorySize"])
    logs = template()["Resources"][f"{stem}Logs"]

    assert function["Role"] == {"Fn::GetAtt": f"{stem}Role.Arn"}
    assert all(0 < seconds <= 60 for seconds in both(function["Timeout"]))
    assert 128 <= memory <= 1024
    assert function["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": f"{stem}Logs"}}
    assert logs["Type"] == "AWS::Logs::LogGroup"
    assert logs["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_changed_layer_or_setting_publishes_a_new_version_of_every_function(name: str) -> None:
    assert functions()[name]["AutoPublishAliasAllProperties"] is True
    assert template()["Globals"]["Function"]["AutoPublishAlias"] == "live"
    assert all(layer["Properties"]["PublishLambdaVersion"] is True for layer in layers().values())


def layers() -> dict[str, dict[str, Any]]:
    return of_type("AWS::Serverless::LayerVersion")


@pytest.mark.parametrize("name", sorted(layers()))
def test_layers_are_built_for_the_python_and_the_architecture_that_the_functions_run_on(name: str) -> None:
    layer = layers()[name]
    parameters = template()["Parameters"]

    assert layer["Metadata"]["BuildArchitecture"] == {"Ref": "Architecture"}
    assert template()["Globals"]["Function"]["Architectures"] == [{"Ref": "Architecture"}]
    assert layer["Metadata"]["ContextPath"] == {"Fn::Sub": "layers/targets/${PythonRuntime}-${Architecture}"}
    for runtime in parameters["PythonRuntime"]["AllowedValues"]:
        for architecture in parameters["Architecture"]["AllowedValues"]:
            assert (ROOT / "layers" / "targets" / f"{runtime}-{architecture}" / "Makefile").is_file()


@pytest.mark.parametrize("role", ROLES)
def test_no_role_names_a_resource_by_a_bare_wildcard(role: str) -> None:
    if role not in OWN_ROLES:
        assert "Policies" not in template()["Resources"][role]["Properties"]
        return
    for action, resource in grants(role):
        assert "*" not in action
        assert resource.startswith(SSM) or "*" not in resource, (action, resource)


CALLBACKS = {"FeishuRole": "feishu", "WecomRole": "wecom", "WechatRole": "wechat", "DiscordRole": "discord"}
PROBED = ("PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
"""Methods that nobody uses and that Discord gets 401 from all the same; ANY is what the local emulator cannot do."""
ANSWERING = {"WecomRole", "WechatRole"}
"""Those whose platforms take answers within the callback."""
ANSWERING_ROWS: dict[tuple[str, ...], list[str]] = {
    ("dynamodb:GetItem",): ["in#*", "out#*", "deferred#*", "callback#*"],
    ("dynamodb:BatchGetItem",): ["out#*"],
    ("dynamodb:UpdateItem",): ["out#*", "callback#*", "deferred#*"],
}
"""What answering within the callback needs, each row for itself; `test_answering.py` holds the code to it."""


@pytest.mark.parametrize("role", CALLBACKS)
def test_a_callback_function_may_queue_read_its_own_apps_and_keep_what_the_platform_pushes(role: str) -> None:
    platform = CALLBACKS[role]
    reading = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:UpdateItem"} if role in ANSWERING else set[str]()
    assert granted(role) == {
        f"{role.removesuffix('Role')}Logs.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "InboundQueue.Arn": {"sqs:SendMessage"},
        f"{SSM}{platform}/*": {"ssm:GetParameter"},
        f"{SSM}{platform}": {"ssm:GetParametersByPath"},
        "StateTable.Arn": {"dynamodb:PutItem"} | reading,
    }
    on_the_table = [s for s in statements(role) if s["Resource"] == {"Fn::GetAtt": "StateTable.Arn"}]
    rows = {tuple(as_list(s["Action"])): s["Condition"]["ForAllValues:StringLike"] for s in on_the_table}
    wanted = {("dynamodb:PutItem",): [f"credential#{platform}#*"]} | (ANSWERING_ROWS if role in ANSWERING else {})
    assert {action: row["dynamodb:LeadingKeys"] for action, row in rows.items()} == wanted


def test_the_function_of_the_domain_files_reads_those_and_no_secrets() -> None:
    assert granted("DomainRole") == {
        "DomainLogs.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
        f"{SSM}domain": {"ssm:GetParametersByPath"},
    }


def test_the_processor_reads_one_queue_and_writes_the_other() -> None:
    assert granted("ProcessorRole") == {
        "ProcessorLogs.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "InboundQueue.Arn": RECEIVE,
        "OutboundQueue.Arn": {"sqs:SendMessage"},
        "InboundDeadLetters.Arn": {"sqs:SendMessage"},
        "StateTable.Arn": {
            "dynamodb:BatchGetItem",
            "dynamodb:ConditionCheckItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
        },
        f"{SSM}*": {"ssm:GetParameter", "ssm:GetParametersByPath"},
    }


def test_the_deliverer_only_takes_from_its_queue() -> None:
    assert granted("DelivererRole") == {
        "DelivererLogs.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "OutboundQueue.Arn": RECEIVE,
        "StateTable.Arn": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        f"{SSM}*": {"ssm:GetParameter", "ssm:GetParametersByPath"},
    }


def test_the_sweeper_queries_the_index_and_sees_no_credentials() -> None:
    assert granted("SweeperRole") == {
        "SweeperLogs.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "${StateTable.Arn}/index/due": {"dynamodb:Query"},
        "StateTable.Arn": {"dynamodb:UpdateItem"},
        "OutboundQueue.Arn": {"sqs:SendMessage"},
    }
    (on_the_table,) = [s for s in statements("SweeperRole") if s["Resource"] == {"Fn::GetAtt": "StateTable.Arn"}]
    assert on_the_table["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["out#*"]}}


def test_the_journal_outlives_whatever_can_come_back_from_a_dead_letter_queue() -> None:
    longest = sum(queues()[name]["MessageRetentionPeriod"] for name in ("InboundQueue", "InboundDeadLetters"))
    assert template()["Parameters"]["RetentionDays"]["MinValue"] * 86_400 > longest


@pytest.mark.parametrize("name", sorted(queues()))
def test_a_queue_is_fifo_encrypted_and_keeps_messages_for_fourteen_days(name: str) -> None:
    queue = queues()[name]

    assert queue["FifoQueue"] is True
    assert queue["QueueName"]["Fn::Sub"].endswith(".fifo")
    assert (queue["DeduplicationScope"], queue["FifoThroughputLimit"]) == ("messageGroup", "perMessageGroupId")
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 14 * 86_400


@pytest.mark.parametrize("name", sorted(set(queues()) - dead_letter_queues()))
def test_a_queue_has_a_dead_letter_queue_that_takes_from_it_alone(name: str) -> None:
    queue = queues()[name]
    dead = queues()[target(queue)]
    sources = dead["RedriveAllowPolicy"]["sourceQueueArns"]

    assert dead["RedriveAllowPolicy"]["redrivePermission"] == "byQueue"
    assert [arn["Fn::Sub"].rsplit(":", 1)[1] for arn in sources] == [queue["QueueName"]["Fn::Sub"]]


def environment(name: str) -> dict[str, Any]:
    return functions()[name]["Environment"]["Variables"]


@pytest.mark.parametrize("name", ["InboundQueue", "OutboundQueue"])
def test_neither_an_outage_of_aws_nor_a_rate_limit_uses_up_what_a_record_may_be_handed_out(name: str) -> None:
    most = queues()[name]["RedrivePolicy"]["maxReceiveCount"]
    assert most == 1000  # as many as SQS takes
    outage = sum(_backoff(receives, EndpointConnectionError(endpoint_url="aws")) for receives in range(1, most))
    assert outage > 12 * 3600


@pytest.mark.parametrize(
    ("function", "queue"), [("ProcessorFunction", "InboundQueue"), ("DelivererFunction", "OutboundQueue")]
)
def test_a_record_comes_back_only_after_its_worker_is_surely_dead(function: str, queue: str) -> None:
    timeouts, hidden = both(functions()[function]["Timeout"]), both(queues()[queue]["VisibilityTimeout"])

    assert all(timeout < visibility for timeout, visibility in zip(timeouts, hidden, strict=True))


def test_a_lease_on_a_reply_outlives_its_worker_and_ends_before_the_reply_comes_back() -> None:
    timeouts = both(functions()["DelivererFunction"]["Timeout"])
    leases = both(environment("DelivererFunction")["PARLEY_LEASE_SECONDS"])
    hidden = both(queues()["OutboundQueue"]["VisibilityTimeout"])

    assert all(t < lease < h for t, lease, h in zip(timeouts, leases, hidden, strict=True))


def mappings() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, function in functions().items():
        for event, body in function["Events"].items():
            if body["Type"] == "SQS":
                yield f"{name}.{event}", body["Properties"]
    for name, body in of_type("AWS::Lambda::EventSourceMapping").items():
        assert body["Condition"] == "IsLocal"
        yield name, body["Properties"]


def test_a_poison_message_takes_nothing_along() -> None:
    found = dict(mappings())

    assert len(found) == 8
    for name, mapping in found.items():
        assert (mapping["BatchSize"], mapping["FunctionResponseTypes"]) == (1, ["ReportBatchItemFailures"]), name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_environment_values_are_text_and_name_only_what_the_function_uses(name: str) -> None:
    variables = template()["Globals"]["Function"]["Environment"]["Variables"] | environment(name)
    uses = {key for key in variables if key.endswith("_URL")}
    wanted = {
        **{role.replace("Role", "Function"): {"PARLEY_INBOUND_URL"} for role in CALLBACKS},
        "DomainFunction": set[str](),
        "ProcessorFunction": {"PARLEY_INBOUND_URL", "PARLEY_INBOUND_DEAD_URL", "PARLEY_OUTBOUND_URL"},
        "DelivererFunction": {"PARLEY_OUTBOUND_URL"},
        "SweeperFunction": {"PARLEY_OUTBOUND_URL"},
    }

    assert all(isinstance(value, str | dict) for value in variables.values())
    assert not any(re.search("SECRET|TOKEN|KEY|PASSWORD", key) for key in variables)
    assert uses == wanted[name]


def test_the_state_table_is_on_demand_encrypted_recoverable_expiring_and_outlives_the_stack() -> None:
    table = template()["Resources"]["StateTable"]
    properties = table["Properties"]
    (index,) = properties["GlobalSecondaryIndexes"]

    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert [key["AttributeName"] for key in properties["KeySchema"]] == ["pk"]
    assert (index["IndexName"], [key["AttributeName"] for key in index["KeySchema"]]) == (
        "due",
        ["due_shard", "due_at"],
    )


def test_the_api_is_regional_byte_exact_throttled_and_logged() -> None:
    api = template()["Resources"]["Api"]["Properties"]
    (settings,) = api["MethodSettings"]

    assert api["EndpointConfiguration"] == {"Type": "REGIONAL"}
    assert api["BinaryMediaTypes"] == ["*/*"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (
        {"Ref": "ThrottleRate"},
        {"Ref": "ThrottleBurst"},
    )
    assert api["AccessLogSetting"]["DestinationArn"] == {"Fn::GetAtt": "ApiLogs.Arn"}
    assert template()["Resources"]["ApiLogs"]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_every_callback_names_its_method_and_the_platform_in_its_path() -> None:
    routes = {
        (name, body["Properties"]["Method"], body["Properties"]["Path"])
        for name, function in functions().items()
        for body in function["Events"].values()
        if body["Type"] == "Api"
    }

    assert routes == {("DomainFunction", "GET", "/{file}")} | {
        (role.replace("Role", "Function"), method, f"/callback/{platform}/{{app}}")
        for role, platform in CALLBACKS.items()
        for method in ("POST", "GET", *(PROBED if platform == "discord" else ()))
    }


def test_no_partition_is_taken_for_granted() -> None:
    text = (ROOT / "template.yaml").read_text()

    assert "arn:aws" not in text
    assert "amazonaws.com" not in text.replace("lambda.amazonaws.com", "").replace("apigateway.amazonaws.com", "")


def test_a_name_that_no_server_resolves_is_given_up_within_the_time_kept_back_to_record_it() -> None:
    """glibc tries `attempts` times for `timeout` seconds; where nothing is said, twice for five."""
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    options = dict(option.split(":") for option in variables["RES_OPTIONS"].split())
    assert int(options["timeout"]) * int(options["attempts"]) <= _TO_RECORD


def test_production_runs_on_python_3_13_and_arm64_with_alarms_and_canary() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    prod = config["prod"]["deploy"]["parameters"]["parameter_overrides"]

    assert {"PythonRuntime=python3.13", "Architecture=arm64", "Observability=true", "Canary=true"} <= set(prod)
    assert set(config["prod"]["build"]["parameters"]["parameter_overrides"]) <= set(prod)
    assert config["prod"]["deploy"]["parameters"]["confirm_changeset"] is True
