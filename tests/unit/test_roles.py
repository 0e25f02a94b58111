"""template.yaml: every function has a role of its own, with the rights that its work needs and no others."""

import fnmatch
from collections.abc import Iterator
from typing import Any

import pytest

from parley.adapter import SupportsPassiveReply, SupportsReading, SupportsUploads
from parley.journal.table import credential_pk, limit_pk, login_pk, token_pk
from parley.platforms import NAMES, inbound
from tests.template import functions, of_type, template
from tools.names import logical_id


def statements(role: str) -> list[dict[str, Any]]:
    """The statements of the policies of `role`, inline and attached, without those for a network."""
    inline = template()["Resources"][role]["Properties"]["Policies"]
    attached = [policy for policy in policies().values() if {"Ref": role} in policy["Roles"]]
    found = [statement for policy in inline + attached for statement in policy["PolicyDocument"]["Statement"]]
    return [statement for statement in found if "Fn::If" not in statement]


def network_statements(role: str) -> list[dict[str, Any]]:
    """The statements that `role` has if the functions are in a network."""
    (policy,) = template()["Resources"][role]["Properties"]["Policies"]
    choices = [each["Fn::If"] for each in policy["PolicyDocument"]["Statement"] if "Fn::If" in each]
    assert all((name, otherwise) == ("HasFixedAddress", {"Ref": "AWS::NoValue"}) for name, _, otherwise in choices)
    return [statement for _, statement, _ in choices]


def policies() -> dict[str, dict[str, Any]]:
    """The policies of a deployment. `LocalKeyPolicy` is for the emulator."""
    found = of_type("AWS::IAM::Policy")
    assert {name for name, body in found.items() if body.get("Condition") == "IsLocal"} == {"LocalKeyPolicy"}
    return {name: body["Properties"] for name, body in found.items() if name != "LocalKeyPolicy"}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def grants(role: str) -> Iterator[tuple[str, str]]:
    """The pairs (action, resource) that `role` allows, with resources as the template writes them."""
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


ROLES = sorted(name for name in template()["Resources"] if name.endswith("Role"))
TCP_QUEUES = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${Stage}-parley-tcp-*"
"""The queues that the instances of the TCP connector make for themselves."""
CONNECTOR_ROLES = ["DiscordConnectorRole", "TcpConnectorRole"]
OWN_ROLES = sorted(f"{name.removesuffix('Function')}Role" for name in functions())
RECEIVE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"}
MEDIA = "${MediaBucket.Arn}/*"
SSM = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/parley/${Stage}/"
INSIGHTS_LOGS = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda-insights:*"
INSIGHTS = {INSIGHTS_LOGS: {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}}
"""The streams of the one group to which Lambda Insights writes; only with `InsightsLayer`."""
FLAGS = {
    "arn:${AWS::Partition}:appconfig:${AWS::Region}:${AWS::AccountId}:application/${FlagsApplication}/environment/"
    "${FlagsEnvironment}/configuration/${FlagsProfile}": {
        "appconfig:StartConfigurationSession",
        "appconfig:GetLatestConfiguration",
    }
}
"""Only with `Flags`."""
_API = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${SocketApi}/${Stage}"
CONNECTIONS = {f"{_API}/{method}/@connections/*": {"execute-api:ManageConnections"} for method in ("POST", "DELETE")}
"""All connections of the one API."""


@pytest.mark.parametrize("role", ROLES)
def test_no_role_names_a_resource_by_a_bare_wildcard(role: str) -> None:
    if role not in OWN_ROLES + CONNECTOR_ROLES:
        assert "Policies" not in template()["Resources"][role]["Properties"]
        return
    for action, resource in grants(role):
        assert "*" not in action
        assert (
            resource.startswith(SSM) or resource in {MEDIA, TCP_QUEUES, *CONNECTIONS, *INSIGHTS} or "*" not in resource
        ), (
            action,
            resource,
        )


CALLBACKS = {f"{logical_id(name)}Role": name for name in NAMES}
PASSIVE = {role for role, name in CALLBACKS.items() if isinstance(inbound(name), SupportsPassiveReply)}
"""The roles of the platforms that take passive replies."""
READING = {role for role, name in CALLBACKS.items() if isinstance(inbound(name), SupportsReading)}
"""The roles of the platforms whose clients read the replies."""
RUNNING_THE_BOT = {
    name.replace("Function", "Role")
    for name, properties in functions().items()
    if {"Ref": "BotLayer"} in properties["Layers"]
}
UPLOADING = {role for role, name in CALLBACKS.items() if isinstance(inbound(name), SupportsUploads)}
"""The roles of the platforms whose clients upload media."""
UPLOADS = {MEDIA: {"s3:PutObject", "s3:GetObject"}}
DOWNLOADS = {MEDIA: {"s3:GetObject"}}
BOT_SETTINGS = {f"{SSM}bot": {"ssm:GetParameter"}}
PASSIVE_ROWS = {
    *(("dynamodb:GetItem", row) for row in ("in#*", "out#*", "deferred#*", "callback#*")),
    ("dynamodb:BatchGetItem", "out#*"),
    *(("dynamodb:UpdateItem", row) for row in ("out#*", "callback#*", "deferred#*")),
}
"""The rows that a passive reply needs. `test_passive_replies.py` checks that the code uses no others."""


READ_ROWS = {
    *(("dynamodb:GetItem", row) for row in ("in#*", "box#*")),
    *(("dynamodb:BatchGetItem", row) for row in ("out#*", "box#*")),
}
"""The rows that a client reads. `test_reading.py` checks that the code uses no others."""


CLIENT_ROWS = {("dynamodb:PutItem", "posted#*"), ("dynamodb:UpdateItem", "limit#http#*")}
"""The rows that a request of a client writes. `test_admission.py` checks that the code uses no others."""


@pytest.mark.parametrize("role", CALLBACKS)
def test_a_callback_function_may_queue_messages_read_its_own_apps_and_store_pushed_credentials(role: str) -> None:
    platform = CALLBACKS[role]
    reading = {"dynamodb:GetItem", "dynamodb:BatchGetItem"} if role in PASSIVE | READING else set[str]()
    assert granted(role) == {
        f"{role.removesuffix('Role')}Logs.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "InboundQueue.Arn": {"sqs:SendMessage"},
        f"{SSM}{platform}/*": {"ssm:GetParameter"},
        f"{SSM}{platform}": {"ssm:GetParametersByPath"},
        "StateTable.Arn": {"dynamodb:PutItem", "dynamodb:UpdateItem"} | reading,
    } | (BOT_SETTINGS if role in RUNNING_THE_BOT else {}) | (UPLOADS if role in UPLOADING else {})
    on_the_table = [s for s in statements(role) if s["Resource"] == {"Fn::GetAtt": "StateTable.Arn"}]
    rows = {
        (action, row)
        for s in on_the_table
        for action in as_list(s["Action"])
        for row in s["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    }
    own = {("dynamodb:PutItem", f"credential#{platform}#*"), ("dynamodb:UpdateItem", "run#*")}
    assert rows == own | (PASSIVE_ROWS if role in PASSIVE else set()) | (
        READ_ROWS | CLIENT_ROWS if role in READING else set()
    )


@pytest.mark.parametrize(
    ("policy", "roles"),
    [("PassiveRepliesPolicy", PASSIVE), ("BotSettingsPolicy", RUNNING_THE_BOT), ("MailboxPolicy", READING)],
)
def test_the_rights_of_a_policy_are_attached_before_the_code_that_uses_them(policy: str, roles: set[str]) -> None:
    assert {reference["Ref"] for reference in policies()[policy]["Roles"]} == roles
    dependent = {
        name for name, body in of_type("AWS::Serverless::Function").items() if policy in as_list(body.get("DependsOn"))
    }
    assert dependent == {role.replace("Role", "Function") for role in roles}


def test_only_the_functions_that_run_the_bot_can_read_its_settings() -> None:
    arn = f"{SSM}bot"
    for role in OWN_ROLES:
        readers = [resource for action, resource in grants(role) if action == "ssm:GetParameter"]
        matching = {resource for resource in readers if fnmatch.fnmatchcase(arn, resource)}
        assert matching == ({arn} if role in RUNNING_THE_BOT else set())


def test_the_function_of_the_domain_files_reads_those_and_no_secrets() -> None:
    assert granted("DomainRole") == {
        "DomainLogs.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
        f"{SSM}domain": {"ssm:GetParametersByPath"},
    }


def test_the_processor_reads_one_queue_writes_the_other_and_reads_the_credentials_with_which_it_delivers() -> None:
    assert granted("ProcessorRole") == {
        "ProcessorLogs.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "InboundQueue.Arn": RECEIVE | {"sqs:SendMessage"},
        "OutboundQueue.Arn": {"sqs:SendMessage"},
        "InboundDeadLetters.Arn": {"sqs:SendMessage"},
        "StateTable.Arn": {
            "dynamodb:BatchGetItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        },
        f"{SSM}*/*": {"ssm:GetParameter"},
        f"{SSM}*": {"ssm:GetParametersByPath"},
        "TenantKey.Arn": {"kms:GenerateDataKey", "kms:Decrypt"},
        **BOT_SETTINGS,
        **FLAGS,
        **INSIGHTS,
        **CONNECTIONS,
        TCP_QUEUES: {"sqs:SendMessage"},
        **DOWNLOADS,
    }
    (deletes,) = [s for s in statements("ProcessorRole") if s["Action"] == "dynamodb:DeleteItem"]
    assert deletes["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["timer#*", "merge#*", "grant#*"]}
    }


def test_the_policy_of_the_team_is_attached_to_the_processor_alone() -> None:
    holders = {role for role in OWN_ROLES if "BotPolicyArn" in str(template()["Resources"][role])}
    assert holders == {"ProcessorRole"}


def test_the_deliverer_reads_its_queue_and_writes_to_the_one_of_messages() -> None:
    assert granted("DelivererRole") == {
        "DelivererLogs.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "OutboundQueue.Arn": RECEIVE,
        "InboundQueue.Arn": {"sqs:SendMessage"},
        "StateTable.Arn": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        f"{SSM}*/*": {"ssm:GetParameter"},
        f"{SSM}*": {"ssm:GetParametersByPath"},
        **UPLOADS,
        "TenantKey.Arn": {"kms:Decrypt"},
        **INSIGHTS,
        **CONNECTIONS,
        TCP_QUEUES: {"sqs:SendMessage"},
    }


SOCKET_ROWS = {
    *(("dynamodb:GetItem", row) for row in ("conn#*", "watch#*", "seen#*", "box#*")),
    *(("dynamodb:BatchGetItem", row) for row in ("out#*", "box#*")),
    *(("dynamodb:PutItem", row) for row in ("conn#*", "ticket#*", "posted#*")),
    *(("dynamodb:UpdateItem", row) for row in ("conn#*", "watch#*", "seen#*", "box#*", "run#*", "limit#http#*")),
    *(("dynamodb:DeleteItem", row) for row in ("conn#*", "ticket#*")),
}
"""The rows of a connection. `test_connections.py` checks that the code uses no others."""


def test_the_function_of_connections_has_its_rows_the_queue_of_messages_and_the_apps_of_its_channel() -> None:
    assert granted("SocketRole") == {
        "SocketLogs.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "InboundQueue.Arn": {"sqs:SendMessage"},
        f"{SSM}http/*": {"ssm:GetParameter"},
        f"{SSM}http": {"ssm:GetParametersByPath"},
        "StateTable.Arn": {action for action, _row in SOCKET_ROWS},
        **CONNECTIONS,
        **DOWNLOADS,
    }
    on_the_table = [s for s in statements("SocketRole") if s["Resource"] == {"Fn::GetAtt": "StateTable.Arn"}]
    assert {
        (s["Action"], row)
        for s in on_the_table
        for row in s["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    } == SOCKET_ROWS


def test_only_the_functions_that_fetch_tokens_decrypt_the_codes_of_companies_with_the_key_of_the_stage() -> None:
    holders = {role for role in OWN_ROLES for action, _ in grants(role) if action.startswith("kms:")}
    assert holders == {"ProcessorRole", "DelivererRole", "OauthRole"}
    resources = template()["Resources"]
    alias = resources["TenantKeyAlias"]["Properties"]["AliasName"]
    assert alias == {"Fn::Sub": "alias/parley-${Stage}-tenants"}
    conditions = {
        "HasSecretsKey": ("TenantKey", "TenantKeyAlias"),
        "HasTenants": ("NewCodesPolicy", "CodesPolicy", "InstallPagesPolicy"),
        "HasLogins": ("NewLoginsPolicy", "LoginsPolicy"),
        "HasFlags": ("FlagsPolicy", "FlagsApplication", "FlagsEnvironment", "FlagsProfile", "NoFlags", "FirstFlags"),
    }
    for condition, names in conditions.items():
        assert {resources[name]["Condition"] for name in names} == {condition}


def test_the_function_of_the_logins_writes_logins_and_makes_keys_that_it_cannot_use_later() -> None:
    assert granted("OauthRole") == {
        "OauthLogs.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "InboundQueue.Arn": {"sqs:SendMessage"},
        f"{SSM}*/*": {"ssm:GetParameter"},
        f"{SSM}*": {"ssm:GetParametersByPath"},
        "StateTable.Arn": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"},
        "TenantKey.Arn": {"kms:GenerateDataKey"},
    }
    on_the_table = [s for s in statements("OauthRole") if s["Resource"] == {"Fn::GetAtt": "StateTable.Arn"}]
    pairs = [(s["Action"], s["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]) for s in on_the_table]
    always = [
        ("dynamodb:GetItem", ["timer#*", "grant#*"]),
        ("dynamodb:PutItem", ["login#*"]),
        ("dynamodb:DeleteItem", ["login#*"]),
        ("dynamodb:UpdateItem", ["grant#*"]),
    ]
    # The token of the provider's app, and those of no company.
    with_install_pages = [
        ("dynamodb:GetItem", ["login#*", "token#*#suite_access_token", "credential#*#suite_ticket"]),
        ("dynamodb:UpdateItem", ["token#*#suite_access_token", "limit#*#pre_auth", "limit#*#session"]),
    ]
    assert pairs == always + with_install_pages


def test_the_rights_of_the_install_pages_are_enough_for_the_rows_that_they_use_and_for_no_token_of_a_company() -> None:
    ours = {token_pk("wecom#demo#suite_access_token"), limit_pk("wecom#ww1#pre_auth"), login_pk("0" * 64)}
    ours |= {credential_pk("wecom", "demo", "suite_ticket")}
    others = {token_pk("wecom#demo@wpA#access_token"), limit_pk("wecom#ww1#send"), credential_pk("feishu", "a", "t")}
    (policy,) = (body for name, body in policies().items() if name == "InstallPagesPolicy")
    keys = [
        pattern
        for statement in policy["PolicyDocument"]["Statement"]
        for pattern in statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    ]
    matched = {row for row in ours | others if any(fnmatch.fnmatchcase(row, pattern) for pattern in keys)}
    assert matched == ours


def test_the_sweeper_queries_the_index_and_sees_no_credentials() -> None:
    assert (
        granted("SweeperRole")
        == {
            "SweeperLogs.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
            "${StateTable.Arn}/index/due": {"dynamodb:Query"},
            "StateTable.Arn": {
                "dynamodb:BatchGetItem",
                "dynamodb:UpdateItem",
                "dynamodb:PutItem",
                "dynamodb:DeleteItem",
            },
            "OutboundQueue.Arn": {"sqs:SendMessage", "sqs:GetQueueAttributes"},
            "InboundQueue.Arn": {"sqs:SendMessage"},
        }
        | BOT_SETTINGS
    )
    on_the_table = [s for s in statements("SweeperRole") if s["Resource"] == {"Fn::GetAtt": "StateTable.Arn"}]
    rows = [s["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] for s in on_the_table]
    assert rows == [["out#*"], ["timer#*"]]


def test_the_function_for_events_writes_to_two_queues_and_reads_nothing() -> None:
    assert granted("IncomingRole") == {
        "IncomingLogs.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "InboundQueue.Arn": {"sqs:SendMessage"},
        "IncomingDeadLetters.Arn": {"sqs:SendMessage"},
    }


def test_a_program_that_sends_may_write_to_the_inbound_queue_and_no_more() -> None:
    (policy,) = of_type("AWS::IAM::ManagedPolicy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]

    assert statement == {
        "Effect": "Allow",
        "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": "InboundQueue.Arn"},
    }
    assert template()["Outputs"]["SendPolicy"]["Value"] == {"Ref": "SendPolicy"}
    assert template()["Outputs"]["InboundQueueUrl"]["Value"] == {"Ref": "InboundQueue"}
