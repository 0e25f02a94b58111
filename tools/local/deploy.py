"""`sam deploy` of the built template into the emulator, and what the emulator does not take from a template."""

import os
import subprocess
import tomllib
from pathlib import Path

from tools.local.aws import ACCOUNT, REGION, Aws
from tools.local.build import parameters
from tools.local.emulator import tail
from tools.local.places import ROOT, SAM, Places
from tools.local.trouble import Trouble
from tools.names import folder_of

STACK = "parley-local"
STAGE = "local"


def deploy(aws: Aws, template: Path, places: Places) -> dict[str, str]:
    """Deploy `template` and return the outputs of the stack. Raises Trouble."""
    log = places.logs / "deploy.log"
    config = ROOT / "samconfig.toml"
    command = [SAM, "deploy", "--config-env", "local", "--config-file", config, "--template-file", template]
    # The command line replaces samconfig's parameters, so those are said again.
    local = tomllib.loads(config.read_text())["local"]["deploy"]["parameters"]
    overrides = [*local["parameter_overrides"], *parameters()]
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(places.state),
        "LANG": "C.UTF-8",
        # SAM asks every five seconds how far a deploy is; the emulator is quicker than that.
        "SAM_CLI_POLL_DELAY": "0.5",
        **aws.environment(),
    }
    with log.open("wb") as out:
        done = subprocess.run(
            [*command, "--region", REGION, "--parameter-overrides", *overrides],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise Trouble(f"`sam deploy` failed; the end of {log}:\n{tail(log, 30)}")
    stacks = aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}
    _expire(aws, outputs["StateTable"])
    return outputs


def _expire(aws: Aws, table: str) -> None:
    """The emulator ignores a template's TTL."""
    aws.client("dynamodb").update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"}
    )


def api_url(aws: Aws, outputs: dict[str, str]) -> str:
    """Base of the callback URLs, as the emulator serves them."""
    return f"{aws.endpoint}/restapis/{outputs['ApiId']}/{STAGE}/_user_request_"


def resources(outputs: dict[str, str]) -> dict[str, object]:
    """What tests and tools look into: the table, the queues, the functions and their log groups."""
    functions = {folder_of(key.removesuffix("Function")): key for key in outputs if key.endswith("Function")}
    return {
        "account": ACCOUNT,
        "table": outputs["StateTable"],
        "queues": {
            "inbound": outputs["InboundQueueUrl"],
            "inbound_dead": outputs["InboundDeadLettersUrl"],
            "outbound": outputs["OutboundQueueUrl"],
            "outbound_dead": outputs["OutboundDeadLettersUrl"],
        },
        "functions": {name: outputs[key] for name, key in functions.items()},
        "log_groups": {name: f"/parley/{STAGE}/{name}" for name in functions},
    }
