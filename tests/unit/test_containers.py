"""The containers of the connectors: stacks/connector.yaml, and what template.yaml gives to it."""

import re
from typing import Any

import pytest

from parley.journal.table import gateway_pk
from tests.template import ROOT, nested, of_type, template
from tests.unit.test_roles import TCP_QUEUES, as_list, granted, statements

STACK = nested("connector")
RESOURCES = STACK["Resources"]
CONNECTORS = {name: body for name, body in of_type("AWS::CloudFormation::Stack").items() if name.endswith("Connector")}
FOLDERS = {name: body["Properties"]["Parameters"]["Connector"] for name, body in CONNECTORS.items()}
SSM = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/parley/${Stage}/"


def given(name: str) -> dict[str, Any]:
    return CONNECTORS[name]["Properties"]["Parameters"]


def container() -> dict[str, Any]:
    (found,) = RESOURCES["Task"]["Properties"]["ContainerDefinitions"]
    return found


def metrics(folder: str) -> set[str]:
    """The metrics that a program emits by a literal name."""
    sources = (path.read_text() for path in (ROOT / "connectors" / folder).glob("*.py"))
    return {name for text in sources for name in re.findall(r'\b(?:count|duration)\("(\w+)"', text)}


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_stack_gets_the_parameters_that_it_needs_and_no_others(name: str) -> None:
    required = {name for name, spec in STACK["Parameters"].items() if "Default" not in spec}
    assert required <= given(name).keys() <= STACK["Parameters"].keys()
    assert CONNECTORS[name]["Properties"]["TemplateURL"] == "stacks/connector.yaml"
    assert FOLDERS[name] in STACK["Parameters"]["Connector"]["AllowedValues"]


@pytest.mark.parametrize(
    ("name", "switch"), [("DiscordConnector", "DiscordConnectorApps"), ("TcpConnector", "TcpConnectorCertificate")]
)
def test_a_connector_runs_where_its_parameter_says_so_and_nowhere_by_default(name: str, switch: str) -> None:
    condition = CONNECTORS[name]["Condition"]
    assert template()["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": switch}, ""]}]}
    assert template()["Parameters"][switch]["Default"] == ""
    assert template()["Resources"][f"{name}Role"]["Condition"] == condition


def test_a_connector_without_an_image_or_a_network_is_refused_before_the_deployment() -> None:
    rule = template()["Rules"]["ConnectorsHaveAnImageAndANetwork"]
    switches = [template()["Conditions"][body["Condition"]] for body in CONNECTORS.values()]
    needed = {"ConnectorDigest", "ConnectorVpc", "ConnectorSubnets"}
    assert rule["RuleCondition"] == {"Fn::Or": switches}
    assert set(re.findall(r"'Ref': '(\w+)'", str(rule["Assertions"]))) == needed
    assert {template()["Parameters"][name]["Default"] for name in needed} == {""}
    assert all("Connector" in each["AssertDescription"] for each in rule["Assertions"])


def test_two_containers_run_in_the_subnets_that_are_given_and_a_bad_deployment_goes_back() -> None:
    service = RESOURCES["Containers"]["Properties"]
    network = service["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert (service["DesiredCount"], service["LaunchType"]) == (2, "FARGATE")
    assert network["Subnets"] == {"Ref": "Subnets"}
    assert service["DeploymentConfiguration"]["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    # At least one of the two runs during a deployment.
    assert service["DeploymentConfiguration"]["MinimumHealthyPercent"] == 50


def test_the_container_runs_as_nobody_with_a_read_only_file_system_and_writes_to_its_volume_alone() -> None:
    (volume,) = container()["MountPoints"]
    dockerfile = (ROOT / "connectors" / "Dockerfile").read_text()
    assert container()["ReadonlyRootFilesystem"] is True
    assert container()["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    assert f"USER {container()['User']}\n" in dockerfile
    assert f"VOLUME {volume['ContainerPath']}\n" in dockerfile
    environment = {each["Name"]: each["Value"] for each in container()["Environment"]}
    assert environment["TMPDIR"] == volume["ContainerPath"]
    for name in CONNECTORS:
        assert f"--alive,{volume['ContainerPath']}/alive" in str(given(name)["Arguments"])
    assert f"'{volume['ContainerPath']}/alive'" in container()["HealthCheck"]["Command"][-1]


def test_the_image_is_named_by_its_digest() -> None:
    assert container()["Image"]["Fn::Sub"].endswith("/${Repository}@${Digest}")
    assert re.fullmatch(template()["Parameters"]["ConnectorDigest"]["AllowedPattern"], f"sha256:{'0' * 64}")
    assert not re.fullmatch(template()["Parameters"]["ConnectorDigest"]["AllowedPattern"], "latest")


def test_the_program_gets_its_settings_and_only_the_certificate_as_a_secret() -> None:
    environment = {each["Name"]: each["Value"] for each in container()["Environment"]}
    read = {
        name
        for path in (ROOT / "connectors").rglob("*.py")
        for name in re.findall(r'setting\("(\w+)"\)', path.read_text())
    }
    assert {f"PARLEY_{name}" for name in read | {"STAGE", "INBOUND_URL"}} <= environment.keys()
    condition, secrets, _ = container()["Secrets"]["Fn::If"]
    assert condition == "Listens"
    assert [each["Name"] for each in secrets] == ["PARLEY_TLS_CERTIFICATE", "PARLEY_TLS_KEY"]
    assert not any(re.search("SECRET|TOKEN|KEY|PASSWORD", key) for key in environment)


def test_the_end_of_a_container_leaves_the_program_its_time() -> None:
    from connectors.discord.shard import _DRAIN

    assert container()["StopTimeout"] > 2 * _DRAIN
    attributes = {each["Key"]: each["Value"] for each in RESOURCES["Targets"]["Properties"]["TargetGroupAttributes"]}
    assert int(attributes["deregistration_delay.timeout_seconds"]) == container()["StopTimeout"]


def test_logs_are_kept_as_long_as_those_of_the_functions() -> None:
    logs = RESOURCES["Logs"]["Properties"]
    assert logs["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert logs["LogGroupName"] == {"Fn::Sub": "/parley/${Stage}/${Service}"}
    assert container()["LogConfiguration"]["Options"]["awslogs-group"] == {"Ref": "Logs"}


# --- the way of a client ----------------------------------------------------------------------------------------------


def test_tls_ends_in_the_program() -> None:
    assert RESOURCES["Balancer"]["Properties"]["Type"] == "network"
    assert RESOURCES["Listener"]["Properties"]["Protocol"] == "TCP"
    assert RESOURCES["Targets"]["Properties"]["Protocol"] == "TCP"
    assert "Certificates" not in RESOURCES["Listener"]["Properties"]


def test_only_the_load_balancer_reaches_a_container_and_only_where_clients_connect() -> None:
    firewall = RESOURCES["Firewall"]["Properties"]
    condition, ingress, otherwise = firewall["SecurityGroupIngress"]["Fn::If"]
    assert (condition, otherwise) == ("Listens", {"Ref": "AWS::NoValue"})
    assert [rule["SourceSecurityGroupId"] for rule in ingress] == [{"Fn::GetAtt": "BalancerFirewall.GroupId"}]
    assert [(rule["FromPort"], rule["ToPort"]) for rule in firewall["SecurityGroupEgress"]] == [(443, 443)]
    for name in ("Balancer", "BalancerFirewall", "Listener", "Targets"):
        assert RESOURCES[name]["Condition"] == "Listens"
    assert "Port" not in given("DiscordConnector")


# --- roles ------------------------------------------------------------------------------------------------------------


def rows(role: str) -> set[tuple[str, str]]:
    """The actions on rows of the table, with the prefixes of the rows."""
    on_the_table = [s for s in statements(role) if s["Resource"] == {"Fn::GetAtt": "StateTable.Arn"}]
    return {
        (action.removeprefix("dynamodb:"), row)
        for s in on_the_table
        for action in as_list(s["Action"])
        for row in s["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    }


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_role_serves_containers_of_this_account_alone(name: str) -> None:
    for role in (template()["Resources"][f"{name}Role"], RESOURCES["StartRole"]):
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert given(name)["TaskRole"] == {"Fn::GetAtt": f"{name}Role.Arn"}


def test_the_discord_connector_queues_messages_and_reads_its_apps_and_its_own_rows() -> None:
    assert granted("DiscordConnectorRole") == {
        "InboundQueue.Arn": {"sqs:SendMessage"},
        f"{SSM}discord/*": {"ssm:GetParameter"},
        f"{SSM}discord": {"ssm:GetParametersByPath"},
        "StateTable.Arn": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
    }
    own = gateway_pk("discord", "", "").rstrip("#") + "#*"
    assert rows("DiscordConnectorRole") == {("GetItem", own), ("UpdateItem", own), ("UpdateItem", "run#*")}


def test_the_tcp_connector_reads_what_the_http_channel_reads_and_has_queues_of_its_own() -> None:
    assert granted("TcpConnectorRole") == {
        "InboundQueue.Arn": {"sqs:SendMessage"},
        TCP_QUEUES: {
            f"sqs:{action}"
            for action in ("CreateQueue", "TagQueue", "DeleteQueue", "GetQueueUrl", "ReceiveMessage", "DeleteMessage")
        },
        f"{SSM}http/*": {"ssm:GetParameter"},
        f"{SSM}http": {"ssm:GetParametersByPath"},
        "StateTable.Arn": {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
    }
    http = {(action, row) for action, row in rows("HttpRole") if "credential" not in row}
    own = {(action, f"{row}#*") for action in ("GetItem", "UpdateItem") for row in ("watch", "seen", "gateway#http")}
    # A conversation that is opened before its first reply gets a mailbox.
    assert rows("TcpConnectorRole") == http | own | {("UpdateItem", "box#*")}


def test_what_starts_a_container_reads_one_image_writes_one_log_and_reads_one_secret() -> None:
    (policy,) = RESOURCES["StartRole"]["Properties"]["Policies"]
    found: dict[str, Any] = {}
    for statement in policy["PolicyDocument"]["Statement"]:
        condition, body, _ = statement.get("Fn::If", ["", statement, None])
        found[str(body["Resource"])] = (condition, as_list(body["Action"]))
    assert found == {
        # ECR has no resource for its login.
        "*": ("", ["ecr:GetAuthorizationToken"]),
        "{'Fn::Sub': 'arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/${Repository}'}": (
            "",
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        ),
        "{'Fn::GetAtt': 'Logs.Arn'}": ("", ["logs:CreateLogStream", "logs:PutLogEvents"]),
        "{'Ref': 'CertificateSecret'}": ("Listens", ["secretsmanager:GetSecretValue"]),
    }


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_connector_keeps_what_it_stores_as_long_as_the_functions_do(name: str) -> None:
    assert given(name)["RetentionDays"] == {"Ref": "RetentionDays"}
    assert {"Name": "PARLEY_RETENTION_DAYS", "Value": {"Ref": "RetentionDays"}} in container()["Environment"]


# --- alarms -----------------------------------------------------------------------------------------------------------


ALARMS = of_type("AWS::CloudWatch::Alarm", "connector")


def test_the_connectors_are_watched() -> None:
    assert {name: body["Condition"] for name, body in ALARMS.items()} == {
        "RestartsAlarm": "Observed",
        "CpuAlarm": "Observed",
        "MemoryAlarm": "Observed",
        "LeaderAlarm": "ObservedGateway",
        "HeartbeatAlarm": "ObservedGateway",
        "StoppedAlarm": "ObservedGateway",
        "ShardErrorsAlarm": "ObservedGateway",
        "EventsDelayedAlarm": "ObservedGateway",
        "LookupsAlarm": "ObservedGateway",
        "IdentifiesAlarm": "ObservedGateway",
        "TargetsAlarm": "ObservedListener",
    }
    for body in ALARMS.values():
        assert body["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}]
    for name in CONNECTORS:
        topic = {"Fn::If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, {"Ref": "AlarmTopic"}]}
        assert given(name)["AlarmTopic"] == {"Fn::If": ["Observed", topic, ""]}


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in (ROOT / "connectors").glob("*/__main__.py")))
def test_an_alarm_watches_a_metric_that_the_program_counts_under_its_service(folder: str) -> None:
    conditions = {"Observed", "ObservedGateway"} if folder == "discord" else {"Observed"}
    found = [body["Properties"] for body in ALARMS.values() if body["Condition"] in conditions]
    own = [alarm for alarm in found if alarm["Namespace"] != "AWS/ECS"]
    assert {alarm["MetricName"] for alarm in own} <= metrics(folder)
    service = next(each for each in container()["Environment"] if each["Name"] == "POWERTOOLS_SERVICE_NAME")
    for alarm in own:
        assert alarm["Namespace"] == "Parley"
        assert alarm["Dimensions"] == [{"Name": "service", "Value": service["Value"]}]


def test_the_processor_and_the_memory_of_the_containers_are_those_of_their_service() -> None:
    found = [body["Properties"] for body in ALARMS.values() if body["Properties"]["Namespace"] == "AWS/ECS"]
    assert {(alarm["MetricName"], alarm["Threshold"]) for alarm in found} == {
        ("CPUUtilization", 70),
        ("MemoryUtilization", 80),
    }
    for alarm in found:
        assert alarm["Dimensions"] == [
            {"Name": "ClusterName", "Value": {"Ref": "Cluster"}},
            {"Name": "ServiceName", "Value": {"Fn::GetAtt": "Containers.Name"}},
        ]


def test_it_is_noticed_when_nothing_is_measured_any_more() -> None:
    missing = {name: body["Properties"]["TreatMissingData"] for name, body in ALARMS.items()}
    assert {name for name, treatment in missing.items() if treatment == "breaching"} == {"LeaderAlarm", "TargetsAlarm"}


def test_a_container_is_replaced_only_long_after_another_instance_would_have_taken_over() -> None:
    from connectors.discord.lease import Timing

    found = re.search(r"> (\d+)\)$", container()["HealthCheck"]["Command"][-1])
    assert found
    assert int(found[1]) > 10 * Timing().lease
