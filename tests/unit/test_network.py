"""The fixed address: the functions that call platforms are in the network, and no others pay for it."""

from typing import Any

import pytest

from tests.settings import modules_of
from tests.template import ROOT, functions, nested, template
from tests.unit.test_roles import OWN_ROLES, network_statements
from tools.names import folder_of

CALLING = {f"parley/engine/{name}" for name in ("calls", "delivery", "download", "names", "oauth")}
"""The modules that call platforms."""
RESOURCES = nested("network")["Resources"]


def in_network() -> set[str]:
    return {name for name, body in functions().items() if "VpcConfig" in body}


def test_the_functions_that_call_platforms_are_in_the_network_and_no_others() -> None:
    calling = {name for name in functions() if modules_of(folder_of(name.removesuffix("Function"))) & CALLING}
    assert in_network() == calling == {"ProcessorFunction", "DelivererFunction", "OauthFunction"}


def test_only_their_roles_let_lambda_attach_a_function_to_a_network_and_the_code_cannot() -> None:
    having = {role for role in OWN_ROLES if "ec2:" in str(template()["Resources"][role])}
    assert having == {name.replace("Function", "Role") for name in in_network()}
    for role in having:
        (statement,) = network_statements(role)
        assert all(action.startswith("ec2:") for action in statement["Action"])
        # EC2 knows no resources for most of these actions.
        assert statement["Resource"] == "*"
        # A call of the function's own code has this key (Lambda docs: Working with Lambda environment credentials).
        assert statement["Condition"] == {"Null": {"lambda:SourceFunctionArn": "true"}}


def test_the_network_is_made_or_named_and_otherwise_there_is_none() -> None:
    conditions, parameters = template()["Conditions"], template()["Parameters"]
    assert parameters["FixedAddress"]["Default"] == "off"
    assert parameters["FixedAddress"]["AllowedValues"] == ["off", "nat-gateway", "own-network"]
    assert conditions["HasFixedAddress"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "FixedAddress"}, "off"]}]}
    assert template()["Resources"]["Network"]["Condition"] == "MakesNetwork"
    rule = template()["Rules"]["OwnNetworksAreNamed"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "FixedAddress"}, "own-network"]}
    for name in ("DeliverySubnets", "DeliverySecurityGroup"):
        assert str({"Fn::Equals": [{"Ref": name}, parameters[name]["Default"]]}) in str(rule["Assertions"])


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: body for name, body in RESOURCES.items() if body["Type"] == f"AWS::EC2::{kind}"}


def test_all_that_the_functions_call_leaves_by_one_address_which_outlives_the_stack() -> None:
    (address,), (nat,) = of_type("EIP").values(), of_type("NatGateway").values()
    assert nat["Properties"]["AllocationId"] == {"Fn::GetAtt": "Address.AllocationId"}
    assert (address["DeletionPolicy"], address["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert RESOURCES["Route"]["Properties"] == {
        "RouteTableId": {"Ref": "Routes"},
        "DestinationCidrBlock": "0.0.0.0/0",
        "NatGatewayId": {"Ref": "Nat"},
    }
    tables = {
        body["Properties"]["SubnetId"]["Ref"]: body["Properties"]["RouteTableId"]["Ref"]
        for body in of_type("SubnetRouteTableAssociation").values()
    }
    assert tables == {"SubnetA": "Routes", "SubnetB": "Routes", "PublicSubnet": "PublicRoutes"}


def test_the_functions_are_in_two_zones_and_nothing_comes_in() -> None:
    zones = [RESOURCES[name]["Properties"]["AvailabilityZone"] for name in ("SubnetA", "SubnetB")]
    assert zones == [{"Fn::Select": [number, {"Fn::GetAZs": ""}]} for number in (0, 1)]
    firewall = RESOURCES["Firewall"]["Properties"]
    assert "SecurityGroupIngress" not in firewall
    assert [(rule["FromPort"], rule["ToPort"]) for rule in firewall["SecurityGroupEgress"]] == [(443, 443)]


def test_dynamodb_and_s3_are_reached_by_endpoints_without_a_price() -> None:
    endpoints = of_type("VPCEndpoint")
    services = {body["Properties"]["ServiceName"]["Fn::Sub"].rpartition(".")[2] for body in endpoints.values()}
    assert services == {"dynamodb", "s3"}
    for body in endpoints.values():
        # A gateway endpoint, the default, has no hourly price. An interface endpoint has one for each zone.
        assert body["Properties"].get("VpcEndpointType", "Gateway") == "Gateway"
        assert body["Properties"]["RouteTableIds"] == [{"Ref": "Routes"}]


@pytest.mark.parametrize("path", ["docs/fixed-address.md", "docs/fixed-address.zh-CN.md"])
def test_the_guide_names_every_value_and_parameter(path: str) -> None:
    text = (ROOT / path).read_text()
    for name in ("FixedAddress", "DeliverySubnets", "DeliverySecurityGroup", "nat-gateway", "own-network"):
        assert f"`{name}`" in text
