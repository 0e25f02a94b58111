"""`make events` prepares the local stack for `sam local invoke`."""

import asyncio
import json
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools import invoke, local, make_events, relay
from tools.local import StackError

TEMPLATE = {
    "Parameters": {name: {"Default": ""} for name in ("PythonRuntime", "Architecture", "BotFolder")},
    "Resources": {
        "FeishuFunction": {
            "Type": "AWS::Serverless::Function",
            "Properties": {"CodeUri": "FeishuFunction", "Environment": {"Variables": {"PARLEY_MAX_BODY": "262144"}}},
        },
        "SharedLayer": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "SharedLayer"}},
        "StateTable": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
        "Fn::ForEach::Logs": ["Function", ["Feishu"], {"${Function}Logs": {"Type": "AWS::Logs::LogGroup"}}],
    },
}
FACTS = {"functions": {"feishu": "parley-local-FeishuFunction-1"}}


class Aws:
    """An AWS with one function."""

    endpoint = "http://127.0.0.1:4566"

    def client(self, _service: str) -> "Aws":
        return self

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "parley-local-FeishuFunction-1"
        queue = "http://localhost:4566/000000000000/parley-local-inbound.fifo"
        return {"Environment": {"Variables": {"PARLEY_STAGE": "local", "PARLEY_INBOUND_URL": queue}}}


def test_the_template_has_absolute_paths_and_declares_all_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    built = tmp_path / "built" / "template.yaml"
    built.parent.mkdir()
    built.write_text(yaml.safe_dump(TEMPLATE))
    monkeypatch.setattr(invoke, "_TEMPLATE", tmp_path / "invoke.yaml")
    assert invoke._write_template(built) == ["FeishuFunction"]
    resources = yaml.safe_load((tmp_path / "invoke.yaml").read_text())["Resources"]
    function = resources["FeishuFunction"]["Properties"]
    assert function["CodeUri"] == str(tmp_path / "built" / "FeishuFunction")
    assert resources["SharedLayer"]["Properties"]["ContentUri"] == str(tmp_path / "built" / "SharedLayer")
    declared = function["Environment"]["Variables"]
    assert declared["PARLEY_MAX_BODY"] == "262144"
    assert {"AWS_ENDPOINT_URL", "AWS_REGION"} <= set(declared)


def test_the_variables_are_those_of_the_stack_with_addresses_for_containers():
    variables = invoke._variables(Aws(), FACTS, ["FeishuFunction"], "172.17.0.1")["FeishuFunction"]  # type: ignore[arg-type]
    assert variables["PARLEY_INBOUND_URL"] == "http://172.17.0.1:4566/000000000000/parley-local-inbound.fifo"
    assert variables["AWS_ENDPOINT_URL"] == "http://172.17.0.1:4566"
    assert variables["PARLEY_STAGE"] == "invoke"


def test_a_function_that_the_stack_does_not_have_is_an_error():
    with pytest.raises(StackError, match="has no WecomFunction"):
        invoke._variables(Aws(), FACTS, ["WecomFunction"], "172.17.0.1")  # type: ignore[arg-type]


class Engine(BaseHTTPRequestHandler):
    """A container engine with a bridge network."""

    def do_GET(self) -> None:
        body = json.dumps({"IPAM": {"Config": [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}]}}).encode()
        self.send_response(200 if self.path == "/networks/bridge" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing."""


def test_the_address_of_this_machine_comes_from_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    with socketserver.UnixStreamServer(f"{tmp_path}/engine.sock", Engine) as engine:
        thread = threading.Thread(target=engine.serve_forever, args=(0.01,))
        thread.start()
        try:
            assert invoke._gateway() == "172.17.0.1"
        finally:
            engine.shutdown()
            thread.join()


def test_without_an_engine_the_error_says_how_to_start_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(StackError, match="start Docker"):
        invoke._gateway()


def test_the_relay_forwards_the_ports_that_functions_call(tmp_path: Path):
    stack = tmp_path / "stack.json"
    stack.write_text(json.dumps({"aws_endpoint": "http://127.0.0.1:4566", "playground": "http://127.0.0.1:8400"}))
    assert relay.ports_of(stack) == [4566, 8400]


if sys.platform == "linux":  # other systems need no relay, and they have no second loopback address

    def test_samples_are_written_even_if_no_engine_answers(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ):
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
        monkeypatch.setenv("PARLEY_LOCAL_DIR", str(tmp_path / "local"))
        monkeypatch.setattr(make_events, "FOLDER", tmp_path / "events")
        monkeypatch.setattr(local, "running", lambda: FACTS)
        assert make_events.main([]) == 0
        assert (tmp_path / "events" / "feishu" / "text.json").exists()
        assert "start Docker" in capsys.readouterr().out

    def test_the_relay_forwards_in_both_directions():
        async def echoed() -> bytes:
            listening = socket.create_server(("127.0.0.1", 0))
            port = listening.getsockname()[1]

            async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(b"echo " + await reader.readuntil(b"\n"))
                await writer.drain()
                writer.close()

            async with (
                await asyncio.start_server(echo, sock=listening),
                await relay._forward("127.0.0.2", port),
            ):
                reader, writer = await asyncio.open_connection("127.0.0.2", port)
                writer.write(b"hello\n")
                answer = await reader.read()
                writer.close()
                return answer

        assert asyncio.run(echoed()) == b"echo hello\n"

    def test_the_relay_closes_the_connection_if_nothing_listens():
        async def refused() -> bytes:
            with socket.create_server(("127.0.0.1", 0)) as taken:
                port = taken.getsockname()[1]
            async with await relay._forward("127.0.0.2", port):
                reader, writer = await asyncio.open_connection("127.0.0.2", port)
                answer = await reader.read()
                writer.close()
                return answer

        assert asyncio.run(refused()) == b""
