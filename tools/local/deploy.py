"""`sam deploy` of the built template into the emulator, and the settings that the emulator ignores in a template."""

import os
from pathlib import Path

from tools.local.aws import ACCOUNT, REGION, Aws
from tools.local.build import parameters
from tools.local.paths import Paths
from tools.local.sam import sam
from tools.names import folder_of
from tools.samconfig import FILE, parameter_overrides

STACK = "parley-local"
STAGE = "local"


def deploy(aws: Aws, template: Path, paths: Paths) -> dict[str, str]:
    """Deploy `template`. Returns the outputs of the stack. Raises StackError."""
    # The command line replaces the parameters of samconfig.toml, so they are repeated here.
    overrides = ["--parameter-overrides", *parameter_overrides("local"), *parameters()]
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(paths.state),
        "LANG": "C.UTF-8",
        # SAM polls every five seconds by default; the emulator is faster.
        "SAM_CLI_POLL_DELAY": "0.5",
        **aws.environment(),
    }
    files = ["--config-env", "local", "--config-file", FILE, "--template-file", template, "--region", REGION]
    sam("deploy", [*files, *overrides], environment, paths.logs / "deploy.log")
    stacks = aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}
    _enable_ttl(aws, outputs["StateTable"])
    return outputs


def _enable_ttl(aws: Aws, table: str) -> None:
    """Set the TTL of the table: the emulator ignores it in a template."""
    aws.client("dynamodb").update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"}
    )


def api_url(aws: Aws, outputs: dict[str, str]) -> str:
    """The base of the callback URLs on the emulator."""
    return f"{aws.endpoint}/restapis/{outputs['ApiId']}/{STAGE}/_user_request_"


def sockets_url(aws: Aws, outputs: dict[str, str]) -> str:
    """Where clients of the HTTP channel connect by WebSocket, on the emulator."""
    return f"{aws.endpoint.replace('http', 'ws', 1)}/_aws/execute-api/{outputs['SocketApiId']}/{STAGE}"


def resources(outputs: dict[str, str]) -> dict[str, object]:
    """The table, the queues, the functions and their log groups, for tests and tools."""
    functions = {folder_of(key.removesuffix("Function")): key for key in outputs if key.endswith("Function")}
    return {
        "account": ACCOUNT,
        "table": outputs["StateTable"],
        "bucket": outputs.get("MediaBucket", ""),
        "queues": {
            "inbound": outputs["InboundQueueUrl"],
            "inbound_dead": outputs["InboundDeadLettersUrl"],
            "outbound": outputs["OutboundQueueUrl"],
            "outbound_dead": outputs["OutboundDeadLettersUrl"],
            "incoming_dead": outputs["IncomingDeadLettersUrl"],
        },
        "topic": outputs["IncomingTopic"],
        "functions": {name: outputs[key] for name, key in functions.items()},
        "log_groups": {name: f"/parley/{STAGE}/{name}" for name in functions},
    }
