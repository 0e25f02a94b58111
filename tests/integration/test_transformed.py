"""The template as CloudFormation deploys it, after AWS's own transforms: names, and what differs between partitions."""

from collections.abc import Iterator
from typing import Any

import pytest

from parley.platforms import NAMES
from tests.template import expanded
from tests.transformed import deployed, inside

LOCAL_NAMES = {
    ("AWS::Lambda::Alias", "Name"),
    ("AWS::IAM::Policy", "PolicyName"),
    ("AWS::ApiGateway::GatewayResponse", "ResponseType"),
}
"""Names within a resource of the stack: they are not names in the account."""
NO_NAMES = {
    ("AWS::CloudWatch::Alarm", "MetricName"),
    ("AWS::CodeDeploy::DeploymentGroup", "DeploymentConfigName"),
    ("AWS::Events::Rule", "EventBusName"),
    ("AWS::EC2::VPCEndpoint", "ServiceName"),
}
"""Properties that name something outside of the stack."""
VERSION = "AWS::Lambda::Version"
OWN_NETWORK = {
    "FixedAddress": "own-network",
    "DeliverySubnets": "subnet-1,subnet-2",
    "DeliverySecurityGroup": "sg-12345678",
}
INSIGHTS = {"InsightsLayer": "arn:aws:lambda:us-east-1:123456789012:layer:LambdaInsightsExtension-Arm64:1"}
CONNECTORS = {
    "ConnectorDigest": f"sha256:{'0' * 64}",
    "ConnectorVpc": "vpc-1",
    "ConnectorSubnets": "subnet-1,subnet-2",
    "DiscordConnectorApps": "helper,other",
    "TcpConnectorCertificate": "arn:PARTITION:secretsmanager:us-east-1:123456789012:secret:parley-1",
}
"""Parameters with which the connectors run."""
EVERYTHING = {
    "Observability": "true",
    "Canary": "true",
    "AlarmEmail": "ops@example.com",
    "PagerTopicArn": "arn:PARTITION:sns:us-east-1:123456789012:pager",
    "MonthlyBudget": "100",
    "Dashboard": "true",
    "Logins": "true",
    "ApiAccessLogs": "new-role",
    **CONNECTORS,
    "FixedAddress": "nat-gateway",
}
"""Parameters with which every resource exists that production can have."""


STACK = "AWS::CloudFormation::Stack"


def resources_inside(stack: str, stage: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from inside("us-east-1", stack, Stage=stage, **EVERYTHING).items()


def names(stage: str) -> Iterator[tuple[str, str, Any]]:
    """The names that the template or SAM gives to resources in `stage`: logical id, property, value.

    References are left out: CloudFormation makes the names of the resources that they lead to.
    """
    found = deployed("us-east-1", Stage=stage, **EVERYTHING)
    stacks = [name for name, one in found.items() if one["Type"] == STACK]
    for name, resource in [*found.items(), *(item for one in stacks for item in resources_inside(one, stage))]:
        for key, value in resource.get("Properties", {}).items():
            kind = (resource["Type"], key)
            if key.endswith("Name") and kind not in LOCAL_NAMES | NO_NAMES and isinstance(value, str):
                yield name, key, value


def test_every_name_contains_the_stage_so_that_two_stages_fit_into_one_account() -> None:
    alpha, beta = list(names("alpha")), list(names("beta"))

    assert [entry for entry in alpha if "alpha" not in entry[2]] == []
    assert {entry[2] for entry in alpha} & {entry[2] for entry in beta} == set()
    kept = {(key, value.replace("alpha", "STAGE")) for _, key, value in alpha}
    assert kept == {(key, value.replace("beta", "STAGE")) for _, key, value in beta}
    # Without this the test could pass by finding no names.
    found = {key for _, key, _ in alpha}
    assert {"QueueName", "LogGroupName", "LayerName", "StageName", "Name"} <= found


def test_the_schedule_gets_its_name_from_cloudformation() -> None:
    (schedule,) = [one for one in deployed("us-east-1").values() if one["Type"] == "AWS::Scheduler::Schedule"]
    assert "Name" not in schedule["Properties"]


@pytest.mark.parametrize(
    "change",
    [
        {"BotSeconds": "60"},
        {"DeliverAtOnce": "false"},
        {"RetentionDays": "60"},
        {"SnapStart": "true"},
        OWN_NETWORK,
        INSIGHTS,
    ],
)
def test_a_changed_parameter_publishes_a_new_version_of_every_function(change: dict[str, str]) -> None:
    """Otherwise the alias would stay on the version with the value from before."""

    def versions(**parameters: str) -> dict[str, str]:
        found = {name: one for name, one in deployed("us-east-1", **parameters).items() if one["Type"] == VERSION}
        return {one["Properties"]["FunctionName"]["Ref"]: name for name, one in found.items()}

    before, after = versions(), versions(**change)
    assert len(before) == len(after) > 5
    assert all(after[function] != version for function, version in before.items())


def functions(region: str, **parameters: str) -> list[dict[str, Any]]:
    resources = deployed(region, **parameters).values()
    found = [one["Properties"] for one in resources if one["Type"] == "AWS::Lambda::Function"]
    assert found
    return found


@pytest.mark.parametrize(
    ("region", "parameters", "used"),
    [
        ("us-east-1", {}, False),
        ("us-east-1", {"SnapStart": "true"}, True),
        ("us-east-1", {"SnapStart": "true", "Architecture": "x86_64", "PythonRuntime": "python3.12"}, True),
        ("us-east-1", {"SnapStart": "true", "PythonRuntime": "python3.11"}, False),
        ("cn-north-1", {"SnapStart": "true"}, False),
    ],
)
def test_functions_start_from_snapshots_where_the_parameter_says_so_and_lambda_has_them(
    region: str, parameters: dict[str, str], used: bool
) -> None:
    settings = [one["SnapStart"] for one in functions(region, **parameters) if "SnapStart" in one]
    # The callbacks, the processor, and the functions of connections and of logins.
    assert settings == [{"ApplyOn": "PublishedVersions"}] * (len(NAMES) + 3 if used else 0)


@pytest.mark.parametrize(("region", "traces"), [("us-east-1", True), ("cn-north-1", False), ("cn-northwest-1", False)])
def test_functions_use_x_ray_except_in_china_where_lambda_does_not_have_it(region: str, traces: bool) -> None:
    assert {function["TracingConfig"]["Mode"] for function in functions(region)} == {
        "Active" if traces else "PassThrough"
    }
    roles = [one["Properties"] for one in deployed(region).values() if one["Type"] == "AWS::IAM::Role"]
    assert ("XRay" in str(roles)) is traces


def test_every_arn_has_the_partition_of_its_region() -> None:
    found = deployed("cn-north-1", **EVERYTHING)
    stacks = [inside("cn-north-1", name, **EVERYTHING) for name, one in found.items() if one["Type"] == STACK]
    assert stacks
    assert "arn:aws-cn:" in str(found)
    assert "arn:aws:" not in str([found, *stacks])


IN_NETWORK = {"ProcessorFunction", "DelivererFunction", "OauthFunction"}


@pytest.mark.parametrize(
    ("parameters", "network"),
    [
        ({}, None),
        (
            {"FixedAddress": "nat-gateway"},
            {
                "SubnetIds": [{"Fn::GetAtt": ["Network", f"Outputs.Subnet{zone}"]} for zone in "AB"],
                "SecurityGroupIds": [{"Fn::GetAtt": ["Network", "Outputs.SecurityGroup"]}],
            },
        ),
        (
            OWN_NETWORK,
            {"SubnetIds": {"Fn::Split": [",", "subnet-1,subnet-2"]}, "SecurityGroupIds": ["sg-12345678"]},
        ),
    ],
)
@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1"])
def test_the_functions_that_call_platforms_are_in_the_network_with_the_fixed_address(
    region: str, parameters: dict[str, str], network: dict[str, Any] | None
) -> None:
    found = deployed(region, **parameters)
    placed = {
        name: expanded(one["Properties"]["VpcConfig"])
        for name, one in found.items()
        if one["Type"] == "AWS::Lambda::Function" and "VpcConfig" in one["Properties"]
    }
    assert placed == (dict.fromkeys(IN_NETWORK, expanded(network)) if network else {})
    assert ("Network" in found) is (parameters.get("FixedAddress") == "nat-gateway")
    attaching = {name for name, one in found.items() if one["Type"] == "AWS::IAM::Role" and "ec2:" in str(one)}
    assert attaching == ({name.replace("Function", "Role") for name in IN_NETWORK} if network else set())


def test_no_connector_and_nothing_that_belongs_to_one_is_deployed_by_default() -> None:
    left = {name: one["Type"] for name, one in deployed("us-east-1").items() if "Connector" in name}
    assert left == {}


def test_the_discord_connector_has_no_load_balancer_and_the_tcp_connector_has_one() -> None:
    def kinds(stack: str) -> set[str]:
        found = inside("us-east-1", stack, **EVERYTHING).values()
        return {one["Type"] for one in found if one["Type"].startswith("AWS::ElasticLoadBalancingV2")}

    assert kinds("DiscordConnector") == set()
    assert {kind.rpartition("::")[2] for kind in kinds("TcpConnector")} == {"LoadBalancer", "Listener", "TargetGroup"}


@pytest.mark.parametrize("stack", ["DiscordConnector", "TcpConnector"])
def test_the_alarms_of_a_connector_exist_where_the_others_do_and_go_to_the_same_topic(stack: str) -> None:
    def alarms(**parameters: str) -> dict[str, Any]:
        found = inside("us-east-1", stack, **CONNECTORS, **parameters)
        return {name: one["Properties"] for name, one in found.items() if one["Type"] == "AWS::CloudWatch::Alarm"}

    assert alarms() == {}
    own = alarms(Observability="true", AlarmTopicArn="arn:topic")
    assert len(own) == (10 if stack == "DiscordConnector" else 4)
    assert all(alarm["AlarmActions"] == ["arn:topic"] for alarm in own.values())
    made = alarms(Observability="true", AlarmEmail="ops@example.com")
    assert all(alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}] for alarm in made.values())


@pytest.mark.parametrize(
    ("stack", "program"),
    [
        ("DiscordConnector", "connectors.discord,helper,other,--alive,/run/parley/alive"),
        ("TcpConnector", "connectors.tcp,--port,8443,--alive,/run/parley/alive"),
    ],
)
def test_a_container_runs_the_program_of_its_connector(stack: str, program: str) -> None:
    found = inside("us-east-1", stack, **EVERYTHING)
    (container,) = found["Task"]["Properties"]["ContainerDefinitions"]
    assert container["Command"] == {"Fn::Split": [",", f"python,-m,{program}"]}
    assert ("HealthCheck" in container) is True
    assert ("Secrets" in container) is (stack == "TcpConnector")
    assert found["Task"]["Properties"]["RuntimePlatform"]["CpuArchitecture"] == "ARM64"
