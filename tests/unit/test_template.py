"""template.yaml: dead-letter queues, time-outs, retention, settings, loops."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from parley.adapter import Call
from parley.engine import direct, processor
from parley.engine.batch import _MAX_VISIBILITY, _backoff
from parley.engine.http import _TO_RECORD
from parley.journal.limits import QUEUE_RETENTION
from parley.model.sending import SEND
from parley.platforms import NAMES, callback_path
from tests.settings import settings_of
from tests.template import NESTED, ROOT, expanded, functions, of_type, seconds, template, written
from tests.unit.test_roles import CALLBACKS
from tools.names import folder_of, logical_id

EVENTS = "IncomingDeadLetters"
"""The dead-letter queue of the function `incoming`, which has no other queue. Lambda takes no FIFO queue for it."""


def queues() -> dict[str, dict[str, Any]]:
    return {name: body["Properties"] for name, body in of_type("AWS::SQS::Queue").items()}


def dead_letter_queues() -> set[str]:
    return {target(queue) for queue in queues().values() if "RedrivePolicy" in queue} | {EVENTS}


def target(queue: dict[str, Any]) -> str:
    return queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"].removesuffix(".Arn")


CALL = Call(name="send", method="POST", url="https://example.com")
FUNCTIONS = sorted(functions())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_its_own_role_timeout_memory_and_log_group_with_retention(name: str) -> None:
    function, stem = functions()[name], name.removesuffix("Function")
    logs = template()["Resources"][f"{stem}Logs"]

    assert function["Role"] == {"Fn::GetAtt": f"{stem}Role.Arn"}
    longest = 90 if name == "SweeperFunction" else 50  # the sweeper waits for reminders until its next run
    assert 0 < seconds(function["Timeout"]) <= longest
    assert 128 <= function["MemorySize"] <= 1024
    assert function["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": f"{stem}Logs"}}
    assert logs["Type"] == "AWS::Logs::LogGroup"
    assert logs["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_changed_layer_or_setting_publishes_a_new_version_of_every_function(name: str) -> None:
    assert functions()[name]["AutoPublishAliasAllProperties"] is True
    assert functions()[name]["AutoPublishAlias"] == "live"
    assert template()["Globals"]["LayerVersion"] == {"PublishLambdaVersion": True}


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


def test_the_journal_keeps_a_message_longer_than_a_queue_and_its_dead_letter_queue_together() -> None:
    longest = sum(queues()[name]["MessageRetentionPeriod"] for name in ("InboundQueue", "InboundDeadLetters"))
    assert template()["Parameters"]["RetentionDays"]["MinValue"] * 86_400 > longest


@pytest.mark.parametrize("name", sorted(queues()))
def test_a_queue_is_encrypted_and_keeps_messages_for_fourteen_days(name: str) -> None:
    assert queues()[name]["SqsManagedSseEnabled"] is True
    assert queues()[name]["MessageRetentionPeriod"] == QUEUE_RETENTION == 14 * 86_400


@pytest.mark.parametrize("name", sorted(set(queues()) - {EVENTS}))
def test_a_queue_of_messages_or_replies_is_fifo(name: str) -> None:
    queue = queues()[name]

    assert queue["FifoQueue"] is True
    assert queue["QueueName"]["Fn::Sub"].endswith(".fifo")
    assert (queue["DeduplicationScope"], queue["FifoThroughputLimit"]) == ("messageGroup", "perMessageGroupId")


def test_an_event_that_is_not_handed_over_goes_to_the_dead_letters_wherever_it_is_lost() -> None:
    """Where it cannot be read, where the function fails, and where EventBridge or SNS cannot invoke the function."""
    function, arn = functions()["IncomingFunction"], {"Fn::GetAtt": f"{EVENTS}.Arn"}
    events = function["Events"]

    assert function["Environment"]["Variables"]["PARLEY_INCOMING_DEAD_URL"] == {"Ref": EVENTS}
    assert function["EventInvokeConfig"]["DestinationConfig"] == {"OnFailure": {"Type": "SQS", "Destination": arn}}
    assert {name: event["Type"] for name, event in events.items()} == {
        "Send": "EventBridgeRule",
        "Events": "EventBridgeRule",
        "Topic": "SNS",
    }
    for name in ("Send", "Events"):
        assert events[name]["Properties"]["DeadLetterConfig"] == {"Arn": arn}
    assert events["Topic"]["Properties"]["RedrivePolicy"] == {"deadLetterTargetArn": arn}


def test_only_the_rules_and_the_topic_of_the_stack_may_write_to_the_dead_letters_of_events() -> None:
    (policy,) = of_type("AWS::SQS::QueuePolicy").values()
    statements = policy["Properties"]["PolicyDocument"]["Statement"]

    assert policy["Properties"]["Queues"] == [{"Ref": EVENTS}]
    assert [each["Principal"]["Service"] for each in statements] == ["events.amazonaws.com", "sns.amazonaws.com"]
    rules = [{"Fn::GetAtt": f"IncomingFunction{name}.Arn"} for name in ("Send", "Events")]
    assert [each["Condition"]["ArnEquals"]["aws:SourceArn"] for each in statements] == [rules, {"Ref": "IncomingTopic"}]
    for each in statements:
        assert (each["Action"], each["Resource"]) == ("sqs:SendMessage", {"Fn::GetAtt": f"{EVENTS}.Arn"})


def test_a_stack_gets_no_events_of_aws_until_its_team_names_their_sources() -> None:
    events, parameters = functions()["IncomingFunction"]["Events"], template()["Parameters"]

    # An event for another stage of the account is not for this one.
    assert events["Send"]["Properties"]["Pattern"] == {"detail-type": [SEND], "detail": {"stage": [{"Ref": "Stage"}]}}
    assert events["Events"]["Properties"]["Pattern"] == {"source": {"Ref": "IncomingSources"}}
    assert parameters["IncomingSources"]["Default"] == "none"
    assert {events[name]["Properties"]["EventBusName"]["Ref"] for name in ("Send", "Events")} == {"EventBus"}
    assert parameters["EventBus"]["Default"] == "default"


@pytest.mark.parametrize("name", sorted(set(queues()) - dead_letter_queues()))
def test_a_queue_has_a_dead_letter_queue_that_accepts_no_other_source(name: str) -> None:
    queue = queues()[name]
    dead = queues()[target(queue)]
    sources = dead["RedriveAllowPolicy"]["sourceQueueArns"]

    assert dead["RedriveAllowPolicy"]["redrivePermission"] == "byQueue"
    assert [arn["Fn::Sub"].rsplit(":", 1)[1] for arn in sources] == [queue["QueueName"]["Fn::Sub"]]


def environment(name: str) -> dict[str, Any]:
    variables: dict[str, Any] = functions()[name]["Environment"]["Variables"]
    return variables


@pytest.mark.parametrize("name", ["InboundQueue", "OutboundQueue"])
def test_a_record_can_be_received_often_enough_for_a_long_outage_of_aws(name: str) -> None:
    most = queues()[name]["RedrivePolicy"]["maxReceiveCount"]
    assert most == 1000  # the maximum of SQS
    outage = sum(_backoff(receives, EndpointConnectionError(endpoint_url="aws")) for receives in range(1, most))
    assert outage > 12 * 3600


def test_a_record_is_hidden_no_longer_than_sqs_allows_from_its_receive_on() -> None:
    """SQS refuses more than twelve hours from the receive, and the function has used some of them."""
    longest = max(seconds(functions()["ProcessorFunction"]["Timeout"], choice) for choice in BOT_SECONDS)
    assert _MAX_VISIBILITY + longest <= 12 * 3600


BOT_SECONDS: list[str] = template()["Parameters"]["BotSeconds"]["AllowedValues"]


@pytest.mark.parametrize("choice", BOT_SECONDS)
@pytest.mark.parametrize(
    ("function", "queue"), [("ProcessorFunction", "InboundQueue"), ("DelivererFunction", "OutboundQueue")]
)
def test_a_record_becomes_visible_again_seconds_after_the_timeout_of_its_worker(
    function: str, queue: str, choice: str
) -> None:
    """Lambda refuses a shorter visibility timeout. A longer one delays a conversation whose worker was killed."""
    timeout = seconds(functions()[function]["Timeout"], choice)
    assert seconds(queues()[queue]["VisibilityTimeout"], choice) == timeout + 5


@pytest.mark.parametrize(("document", "unit"), [("reliability.md", "s"), ("reliability.zh-CN.md", "秒")])
def test_the_documents_say_how_long_a_conversation_waits_after_a_crash(document: str, unit: str) -> None:
    text = (ROOT / "docs" / document).read_text()
    for worker, queue in (("processor", "InboundQueue"), ("deliverer", "OutboundQueue")):
        assert f"| {worker} | {seconds(queues()[queue]['VisibilityTimeout'])} {unit} |" in text


@pytest.mark.parametrize("choice", BOT_SECONDS)
def test_the_bot_gets_the_seconds_of_the_parameter_and_its_decision_can_be_recorded_after_them(choice: str) -> None:
    timeout = seconds(functions()["ProcessorFunction"]["Timeout"], choice)
    assert timeout - processor._TO_RECORD == int(choice)
    # A bot that needs no more than half of its time has its replies delivered at once.
    assert timeout - int(choice) / 2 >= direct._TO_RECORD + CALL.timeout


def test_a_lease_on_a_reply_ends_after_the_timeout_of_its_worker_and_before_the_record_is_visible_again() -> None:
    lease = int(environment("DelivererFunction")["PARLEY_LEASE_SECONDS"])

    assert seconds(functions()["DelivererFunction"]["Timeout"]) < lease
    assert lease < seconds(queues()["OutboundQueue"]["VisibilityTimeout"])


def mappings() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, function in functions().items():
        for event, body in function["Events"].items():
            if body["Type"] == "SQS":
                yield f"{name}.{event}", body["Properties"]
    for name, body in of_type("AWS::Lambda::EventSourceMapping").items():
        assert body["Condition"] == "IsLocal"
        yield name, body["Properties"]


def test_a_poison_message_fails_alone_because_batches_have_one_record() -> None:
    found = dict(mappings())

    assert len(found) == 8
    for name, mapping in found.items():
        assert (mapping["BatchSize"], mapping["FunctionResponseTypes"]) == (1, ["ReportBatchItemFailures"]), name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_environment_values_are_text_and_no_secrets(name: str) -> None:
    variables = environment(name)

    assert all(isinstance(value, str | dict) for value in variables.values())
    assert not any(re.search("SECRET|TOKEN|KEY|PASSWORD", key) for key in variables)


def settings(variables: dict[str, Any]) -> set[str]:
    return {key.removeprefix("PARLEY_") for key in variables if key.startswith("PARLEY_")}


COMMON = settings(written()["Globals"]["Function"]["Environment"]["Variables"])


def code_of(name: str) -> dict[str, bool]:
    return settings_of(folder_of(name.removesuffix("Function")))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_every_setting_that_its_code_requires_and_none_that_its_code_does_not_read(name: str) -> None:
    given, read = settings(environment(name)), code_of(name)

    assert given >= {setting for setting, required in read.items() if required}
    assert given - COMMON <= set(read)


def test_the_parameter_switches_the_delivery_at_once() -> None:
    assert environment("ProcessorFunction")["PARLEY_DELIVER_AT_ONCE"] == {"Ref": "DeliverAtOnce"}
    parameter = template()["Parameters"]["DeliverAtOnce"]
    assert (parameter["Default"], parameter["AllowedValues"]) == ("true", ["true", "false"])


def references(node: Any) -> set[str]:
    """The parameters on which `node` depends."""
    if isinstance(node, list):
        return set[str]().union(*map(references, node))
    if not isinstance(node, dict):
        return set()
    if "Ref" in node:
        return {node["Ref"]} & template()["Parameters"].keys()
    condition = node["Fn::If"][0] if "Fn::If" in node else node.get("Condition")
    tested = references(template()["Conditions"][condition]) if condition else set[str]()
    return tested | references(list(node.values()))


def test_a_changed_parameter_of_a_function_is_a_change_of_the_layer_that_all_functions_have() -> None:
    """`test_transformed.py` tests the effect. A changed stage is another stack, and a changed Python another build."""
    common = [
        layers()[name]["Properties"]["Description"]["Fn::ToJsonString"] for name in ("SharedLayer", "DependenciesLayer")
    ]
    settings = {name: value for each in common for name, value in each.items() if name != "Contents"}
    unversioned = ("Events", "DeploymentPreference", "ReservedConcurrentExecutions", "Architectures", "Runtime")
    properties = [{k: v for k, v in body.items() if k not in unversioned} for body in functions().values()]
    assert set(settings) == references(settings) == references(properties) - {"Stage", "PythonRuntime"}


@pytest.mark.parametrize("setting", sorted(COMMON))
def test_a_setting_that_all_functions_have_is_read_by_most_of_them(setting: str) -> None:
    reading = [name for name in FUNCTIONS if setting in code_of(name)]
    assert len(reading) > len(FUNCTIONS) / 2


def test_the_source_tells_which_settings_a_function_reads() -> None:
    """Without this the two tests above could pass by finding no settings: required, with a default, and not read."""
    assert settings_of("domain") == {"STAGE": True}
    deliverer = {"LEASE_SECONDS": False, "OUTBOUND_URL": True, "INBOUND_URL": True}
    assert code_of("DelivererFunction") | deliverer == code_of("DelivererFunction")
    assert "LEASE_SECONDS" not in code_of("WecomFunction")
    assert "OUTBOUND_URL" not in code_of("WecomFunction")


def test_the_state_table_is_on_demand_encrypted_recoverable_expiring_and_outlives_the_stack() -> None:
    table = template()["Resources"]["StateTable"]
    properties = table["Properties"]
    (index,) = properties["GlobalSecondaryIndexes"]

    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
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
    condition, logging, _ = api["AccessLogSetting"]["Fn::If"]
    logs = template()["Resources"]["ApiLogs"]
    assert condition == logs["Condition"] == "LogsAccess"
    assert logging["DestinationArn"] == {"Fn::GetAtt": "ApiLogs.Arn"}
    assert logs["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    header = {"ResponseParameters": {"Headers": {"X-Content-Type-Options": "'nosniff'"}}}
    assert api["GatewayResponses"] == {"DEFAULT_4XX": header, "DEFAULT_5XX": header}


PROBED = ("PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
"""Methods for which Discord expects 401, although nothing uses them. The local emulator does not support ANY."""


def test_every_callback_names_its_method_and_the_platform_in_its_path() -> None:
    routes = {
        (name, body["Properties"]["Method"], body["Properties"]["Path"])
        for name, function in functions().items()
        for body in function["Events"].values()
        if body["Type"] == "Api"
    }

    replies, message = "/v1/{app}/conversations/{room}/replies", "/v1/{app}/messages/{id}"
    of_http = {("POST", "/v1/{app}/messages"), ("POST", "/v1/{app}/media"), ("GET", message), ("GET", replies)}
    of_http |= {("OPTIONS", path) for _, path in of_http}
    others = {("DomainFunction", "GET", "/{file}")}
    others |= {("OauthFunction", "GET", f"/oauth/{{platform}}/{{app}}/{page}") for page in ("start", "callback")}
    others |= {("OauthFunction", "GET", f"/install/{{platform}}/{{app}}{page}") for page in ("", "/done")}
    others |= {("SocketFunction", method, "/v1/{app}/tickets") for method in ("POST", "OPTIONS")}
    assert routes == others | {("HttpFunction", *each) for each in of_http} | {
        (role.replace("Role", "Function"), method, f"/callback/{platform}/{{app}}")
        for role, platform in CALLBACKS.items()
        for method in ("POST", "GET", *(PROBED if platform == "discord" else ()))
        if platform != "http"
    }


def test_the_outputs_name_the_path_at_which_each_platform_is_called() -> None:
    rows = written()["Mappings"]["Functions"]
    for role, platform in CALLBACKS.items():
        path = rows[role.removesuffix("Role")].get("Path", f"callback/{platform}/APP")
        assert f"/{path}" == callback_path(platform, "APP")


def test_no_text_contains_a_fixed_partition() -> None:
    text = (ROOT / "template.yaml").read_text()

    assert "arn:aws" not in text
    services = set(re.findall(r"[\w.-]*amazonaws\.com", text))
    assert services == {f"{name}.amazonaws.com" for name in ("lambda", "apigateway", "events", "sns", "ecs-tasks")}
    for stack in NESTED:
        text = (ROOT / "stacks" / f"{stack}.yaml").read_text()
        assert "arn:aws" not in text
        assert set(re.findall(r"[\w.-]*amazonaws\.com", text)) <= {"ecs-tasks.amazonaws.com"}


def test_a_dns_lookup_ends_within_the_time_that_is_reserved_to_record_a_failure() -> None:
    """glibc makes `attempts` attempts of `timeout` seconds. Its default is two attempts of five seconds."""
    variables = environment("DelivererFunction")
    options = dict(option.split(":") for option in variables["RES_OPTIONS"].split())
    assert int(options["timeout"]) * int(options["attempts"]) <= _TO_RECORD


def loops() -> dict[str, list[str]]:
    """The items of each loop of the template."""
    sections = (written()["Resources"], written()["Outputs"])
    found = {key: value for section in sections for key, value in section.items() if key.startswith("Fn::ForEach::")}
    return {key.removeprefix("Fn::ForEach::"): items for key, (_, items, _) in found.items()}


def test_every_function_is_in_every_loop_and_in_the_mapping() -> None:
    stems = [name.removesuffix("Function") for name in functions()]

    assert loops()["Functions"] == loops()["FunctionOutputs"] == list(written()["Mappings"]["Functions"]) == stems
    callbacks = [name for name in stems if f"{name}Role" in CALLBACKS]
    assert loops()["Callbacks"] == callbacks
    # A function with a path of its own has an output of its own.
    own = [name for name in callbacks if "Path" in written()["Mappings"]["Functions"][name]]
    assert loops()["CallbackOutputs"] == [name for name in callbacks if name not in own]
    assert {f"CallbackUrl{name}" for name in own} <= written()["Outputs"].keys()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_the_same_name_in_folder_logs_metrics_and_mapping(name: str) -> None:
    stem = name.removesuffix("Function")
    row = written()["Mappings"]["Functions"][stem]

    assert logical_id(row["Name"]) == stem
    assert (ROOT / "functions" / row["Name"] / "app.py").is_file()
    assert environment(name)["POWERTOOLS_SERVICE_NAME"] == {"Fn::Sub": f"${{Stage}}-{row['Name']}"}
    assert template()["Resources"][f"{stem}Logs"]["Properties"]["LogGroupName"] == {
        "Fn::Sub": f"/parley/${{Stage}}/{row['Name']}"
    }
    assert template()["Outputs"][name] == {"Value": {"Ref": name}}
    assert ("ResponseTimeout" in row) == (row["Name"] in NAMES)


def test_a_loop_is_expanded_as_cloudformation_does_it() -> None:
    """`tests/integration/test_expansion.py` compares the whole template with what was deployed."""
    text = {"Fn::Sub": ["${Stage}/${Name}", {"Name": {"Fn::FindInMap": ["Map", {"Ref": "Loop"}, "Name"]}}]}
    resource = {"Value": text, "Other": {"Ref": {"Fn::Sub": "${Loop}Role"}}, "Plain": "${Loop}"}
    loop = [
        "Loop",
        ["A", "B"],
        {"${Loop}Thing": {**resource, "Arn": {"Fn::GetAtt": [{"Fn::Sub": "${Loop}Role"}, "Arn"]}}},
    ]

    result = expanded(
        {"Mappings": {"Map": {"A": {"Name": "a"}, "B": {"Name": "b"}}}, "Resources": {"Fn::ForEach::X": loop}}
    )
    assert result["Resources"] == {
        f"{item}Thing": {
            "Value": {"Fn::Sub": f"${{Stage}}/{item.lower()}"},
            "Other": {"Ref": f"{item}Role"},
            "Plain": "${Loop}",
            "Arn": {"Fn::GetAtt": f"{item}Role.Arn"},
        }
        for item in ("A", "B")
    }
