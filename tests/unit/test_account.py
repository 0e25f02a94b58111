"""template.yaml: what a stack shares with the rest of its AWS account."""

import pytest

from tests.template import functions, template
from tests.unit.test_roles import CALLBACKS

FUNCTIONS = sorted(functions())


def test_the_role_that_api_gateway_logs_with_is_not_changed_unless_the_deployment_says_so() -> None:
    """There is one for all APIs of an account and region."""
    resources, parameters = template()["Resources"], template()["Parameters"]
    setting, role = resources["ApiGatewayLogs"], resources["ApiGatewayLogRole"]

    assert parameters["ApiAccessLogs"]["Default"] == "off"
    assert parameters["ApiAccessLogs"]["AllowedValues"] == ["off", "account-role", "new-role"]
    assert setting["Condition"] == role["Condition"] == "SetsApiGatewayLogRole"
    wanted = template()["Conditions"]["SetsApiGatewayLogRole"]["Fn::And"]
    assert {"Fn::Equals": [{"Ref": "ApiAccessLogs"}, "new-role"]} in wanted
    # The account refuses the setting before its first API exists, and a stage with logs before the setting exists.
    assert setting["DependsOn"] == "Api"
    tag = {"Fn::If": ["SetsApiGatewayLogRole", {"Ref": "ApiGatewayLogs"}, "account"]}
    assert resources["Api"]["Properties"]["Tags"] == {"parley-log-role": tag}
    assert role["DeletionPolicy"] == "Retain"


NEW_ACCOUNT = 10
"""The concurrent executions of many new accounts. AWS raises the limit on request."""


def test_the_defaults_fit_into_a_new_account_and_leave_executions_to_the_callbacks() -> None:
    parameters = template()["Parameters"]
    workers = sum(parameters[f"{name}Concurrency"]["Default"] for name in ("Processor", "Deliverer"))
    assert workers <= NEW_ACCOUNT - 4


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_deployment_can_reserve_concurrency_for_the_callbacks(name: str) -> None:
    reserved = functions()[name].get("ReservedConcurrentExecutions")
    if name.replace("Function", "Role") in {*CALLBACKS, "SocketRole", "OauthRole"}:
        option = {"Ref": "CallbackReservedConcurrency"}
        assert reserved == {"Fn::If": ["ReservesForCallbacks", option, {"Ref": "AWS::NoValue"}]}
        assert template()["Parameters"]["CallbackReservedConcurrency"]["Default"] == 0
    else:
        assert reserved is None
