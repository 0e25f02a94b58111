"""Real processes of the TCP connector, TLS and real sockets: one of two is killed while a client writes."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from parley.journal.inbox import Inbox
from parley.journal.mailbox import Mailbox
from parley.model import Reply, Text
from parley.model.codec import decode_message
from tests.factories import make_message, make_reply
from tests.integration.test_discord_gateway import _end, emulated, until
from tests.tokens import issuer, token
from tests.unit.conftest import make_table
from tests.unit.connectors.tcp import certificates
from tests.unit.connectors.tcp.client import Client
from tools.local.aws import Aws
from tools.local.paths import ROOT

EXAMPLE = ROOT / "examples" / "tcp-client"


class Stage:
    """The emulated AWS with what the connectors need, and a certificate."""

    def __init__(self, aws: Aws, directory: Path) -> None:
        self.aws, self.directory = aws, directory
        self.dynamodb, self.sqs = aws.client("dynamodb"), aws.client("sqs")
        make_table(self.dynamodb)
        attributes = {"FifoQueue": "true", "DeduplicationScope": "messageGroup", "VisibilityTimeout": "60"}
        self.url = self.sqs.create_queue(QueueName="inbound.fifo", Attributes=attributes)["QueueUrl"]
        one = issuer()
        fields = {name: getattr(one, name) for name in ("issuer", "audience", "algorithm", "secrets")}
        config = json.dumps({"issuers": [fields], "sockets": True, "requests_per_minute": 6000})
        aws.client("ssm").put_parameter(Name="/parley/local/http/web", Value=config, Type="SecureString")
        self.certificate, self.key = certificates.make(directory)
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, name: str) -> int:
        """Start a connector. Returns its port."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(ROOT / "shared"), str(ROOT)]),
            "PARLEY_STAGE": "local",
            "PARLEY_TABLE": "parley",
            "PARLEY_INBOUND_URL": self.url,
            **self.aws.environment(),
        }
        files = ["--certificate", str(self.certificate), "--key", str(self.key)]
        place = ["--host", "127.0.0.1", "--port", "0"]
        command = [sys.executable, "-m", "connectors.tcp", "web", *place, *files]
        log = self.directory / f"{name}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT)
        self.running.append(process)
        return int(until(lambda: re.search(r'"port":(\d+)', log.read_text().replace(" ", "")))[1])

    def end(self) -> list[int]:
        for process in self.running:
            process.terminate()
        return [_end(process) for process in self.running]

    def queued(self) -> list[str]:
        found: list[str] = []
        while received := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for record in received:
                found.append(decode_message(record["Body"]).content.text)
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=record["ReceiptHandle"])
        return found

    def queues(self) -> list[str]:
        return self.sqs.list_queues(QueueNamePrefix="local-parley-tcp-").get("QueueUrls", [])

    def deliver(self, text: str) -> int:
        """Put a reply to Lin into the mailbox, and notify the watchers."""
        message = make_message(f"m{text}", platform="http", app="web", room="")
        out = make_reply(message, text, created=time.time())
        out = replace(out, to=replace(out.to, user_id="lin"), reply=Reply(segments=(Text(text=text),)))
        Inbox(self.dynamodb, "parley", 86_400).add(out, time.time())
        number = Mailbox(self.dynamodb, "parley", 86_400).put(out, time.time())
        assert number is not None
        body = json.dumps({"conversation": out.to.key, "number": number})
        for url in self.queues():
            self.sqs.send_message(QueueUrl=url, MessageBody=body)
        return number


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with emulated(tmp_path / "aws") as aws:
        made = Stage(aws, tmp_path)
        try:
            yield made
        finally:
            made.end()


class Writer:
    """A client that writes 200 messages, and connects again to any connector that is there."""

    def __init__(self, ports: list[int], stage: Stage) -> None:
        self.ports, self.stage = ports, stage
        self.accepted: set[str] = set()
        self.replies: list[int] = []
        self.cursor: str | None = None
        self.connections = 0

    async def run(self, texts: list[str]) -> None:
        while not self._is_done(texts):
            for port in self.ports:
                try:
                    await self._connection(port, texts)
                except (OSError, EOFError, TimeoutError):
                    await asyncio.sleep(0.1)

    def _is_done(self, texts: list[str]) -> bool:
        return len(self.accepted) == len(texts) and len(self.replies) == 20

    async def _connection(self, port: int, texts: list[str]) -> None:
        client = await Client.known(port, token(time.time()), certificates.trusting(self.stage.certificate))
        self.connections += 1
        try:
            client.send(type="open", **({"after": self.cursor} if self.cursor else {}))
            sending = asyncio.create_task(self._send(client, texts))
            try:
                while not self._is_done(texts):
                    self._received(await client.next())
            finally:
                sending.cancel()
        finally:
            await client.close()

    async def _send(self, client: Client, texts: list[str]) -> None:
        """In order, those again that are not accepted: with the same keys."""
        for text in [each for each in texts if each not in self.accepted]:
            client.send(type="message", key=text, text=text)
            await asyncio.sleep(0.02)

    def _received(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "accepted":
                self.accepted.add(frame["key"])
            case "opened":
                self.cursor = self.cursor or frame["cursor"]
            case "reply":
                if int(frame["cursor"]) > int(self.cursor or 0):
                    assert int(frame["cursor"]) == int(self.cursor or 0) + 1
                    self.cursor = frame["cursor"]
                    self.replies.append(int(frame["cursor"]))
            case _:
                pass


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_a_connector_that_ends_while_a_client_writes_loses_and_repeats_nothing(
    stage: Stage, sign: signal.Signals
) -> None:
    ports = [stage.start("one"), stage.start("two")]
    texts = [str(number) for number in range(200)]
    writer = Writer(ports, stage)

    async def run() -> list[int]:
        writing = asyncio.create_task(writer.run(texts))
        delivered: list[int] = []
        for number in range(20):
            await asyncio.to_thread(until, lambda: len(writer.accepted) >= number * 10 and writer.cursor)  # noqa: B023
            delivered.append(await asyncio.to_thread(stage.deliver, f"r{number}"))
            if number == 8:
                stage.running[0].send_signal(sign)
        await writing
        return delivered

    delivered = asyncio.run(run())
    assert stage.queued() == texts
    assert writer.replies == delivered
    assert writer.connections >= 2
    codes = stage.end()
    assert codes == [-signal.SIGKILL if sign == signal.SIGKILL else 0, 0]
    assert len(stage.queues()) == (1 if sign == signal.SIGKILL else 0)


def test_the_example_in_python_talks_to_the_bot(stage: Stage) -> None:
    port = stage.start("one")
    command = [sys.executable, str(EXAMPLE / "client.py"), "localhost", str(port), "web", str(stage.certificate)]
    environment = {"PATH": os.environ["PATH"], "PARLEY_TOKEN": token(time.time())}
    talking = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert talking.stdin is not None
        assert talking.stdout is not None
        talking.stdin.write("你好\nsecond\n".encode())
        talking.stdin.flush()
        found: list[str] = []
        until(lambda: found.extend(stage.queued()) or len(found) == 2)
        assert found == ["你好", "second"]
        stage.deliver("hello")
        assert talking.stdout.readline() == b"hello\n"
    finally:
        talking.kill()
        talking.communicate()


def test_the_example_in_c_talks_to_the_bot(stage: Stage, tmp_path: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler")
    include = b"#include <openssl/ssl.h>\n"
    headers = subprocess.run([compiler, "-E", "-"], input=include, capture_output=True, check=False)
    if headers.returncode:
        pytest.skip("no headers of OpenSSL")
    program, flags = tmp_path / "client", ["-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, "-o", program, EXAMPLE / "client.c", "-lssl", "-lcrypto"], check=True)
    port = stage.start("one")
    command = [str(program), "localhost", str(port), "web", str(stage.certificate), "key 1", 'a "quoted" 文本']
    environment = {"PATH": os.environ["PATH"], "PARLEY_TOKEN": token(time.time())}
    talking = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    try:
        assert talking.stdout is not None
        kinds = [json.loads(talking.stdout.readline())["type"] for _ in range(3)]
        assert kinds == ["ready", "opened", "accepted"]
        assert stage.queued() == ['a "quoted" 文本']
        stage.deliver("hello")
        assert json.loads(talking.stdout.readline())["reply"]["text"] == "hello"
        stage.running[0].terminate()
        assert json.loads(talking.stdout.readline())["error"] == "restarting"
        assert talking.wait(10) == 0
    finally:
        talking.kill()
        talking.communicate()
