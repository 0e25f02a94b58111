"""Two real processes of the connector for Discord's Gateway: one is killed while people write."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from parley.journal.table import gateway_pk
from parley.model.codec import decode_message
from tests.unit.conftest import make_table
from tests.unit.connectors.serving import Served, serving_discord
from tools.local import emulator, ports, processes
from tools.local.aws import Aws
from tools.local.paths import ROOT, Paths

LEASE = 4.0
PK = gateway_pk("discord", "demo", "shard0")


class Stage:
    """The emulated AWS with what the connector needs, and the simulated Discord."""

    def __init__(self, aws: Aws, discord: Served, directory: Path) -> None:
        self.aws, self.discord, self.directory = aws, discord, directory
        self.dynamodb, self.sqs = aws.client("dynamodb"), aws.client("sqs")
        make_table(self.dynamodb)
        attributes = {"FifoQueue": "true", "DeduplicationScope": "messageGroup", "VisibilityTimeout": "60"}
        self.url = self.sqs.create_queue(QueueName="inbound.fifo", Attributes=attributes)["QueueUrl"]
        value = json.dumps(discord.config)
        aws.client("ssm").put_parameter(Name="/parley/local/discord/demo", Value=value, Type="SecureString")

    def start(self, name: str) -> subprocess.Popen[bytes]:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(ROOT / "shared"), str(ROOT)]),
            "PARLEY_STAGE": "local",
            "PARLEY_TABLE": "parley",
            "PARLEY_INBOUND_URL": self.url,
            **self.aws.environment(),
        }
        command = [sys.executable, "-m", "connectors.discord", "demo", "--lease", str(LEASE)]
        with (self.directory / f"{name}.log").open("wb") as log:
            return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def row(self) -> dict[str, Any]:
        return self.dynamodb.get_item(TableName="parley", Key={"pk": {"S": PK}}, ConsistentRead=True).get("Item", {})

    def seq(self) -> int:
        return json.loads(self.row().get("value", {"S": "{}"})["S"]).get("seq", 0)

    def queued(self) -> list[str]:
        found: list[str] = []
        while received := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for record in received:
                found.append(decode_message(record["Body"]).content.text)
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=record["ReceiptHandle"])
        return found


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


@contextmanager
def emulated(directory: Path) -> Iterator[Aws]:
    """The emulator alone, without functions."""
    paths = Paths.of(directory)
    directory.mkdir(parents=True, exist_ok=True)
    port = ports.choose("PARLEY_NO_PORT", 4576, "the local AWS")
    kept: list[subprocess.Popen[bytes]] = []

    class Kept(subprocess.Popen[bytes]):
        """A process that is not forgotten: that would be a warning."""

        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            kept.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes.subprocess, "Popen", Kept)
        pid = emulator.start(paths, port, iam=False)
    try:
        emulator.wait(paths, pid, port.url)
        yield Aws(port.url)
    finally:
        assert processes.end([pid], paths.directory) == []
        for process in kept:
            process.wait()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with emulated(tmp_path / "aws") as aws, serving_discord(tmp_path) as discord:
        yield Stage(aws, discord, tmp_path)


def _end(process: subprocess.Popen[bytes]) -> int:
    """The exit code of a process that was told to end. One that does not end is killed."""
    try:
        return process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_a_connector_that_ends_while_people_write_loses_and_repeats_nothing(stage: Stage, sign: signal.Signals) -> None:
    gateway = stage.discord.discord.gateway
    running = [stage.start("one")]
    try:
        until(lambda: gateway.is_watched("demo"))
        owner = stage.row()["lock_owner"]["S"]
        running.append(stage.start("two"))
        for number in range(200):
            stage.discord.say(str(number))
            time.sleep(0.02)
            if number == 80:
                running[0].send_signal(sign)
        until(lambda: stage.row()["lock_owner"]["S"] != owner)
        (session,) = gateway.sessions.values()
        until(lambda: session.connection is not None and stage.seq() >= session.seq)
        assert stage.queued() == [str(number) for number in range(200)]
        assert len(gateway.identified) == 1
    finally:
        for process in running:
            process.terminate()
        codes = [_end(process) for process in running]
    assert codes == [-signal.SIGKILL if sign == signal.SIGKILL else 0, 0]
