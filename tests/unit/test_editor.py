"""An editor completes the names of a bot: pyright's language server is asked as an editor asks it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOT = """
from parley.bot import Ask, Bot, Turn
from pydantic import BaseModel

class Order(BaseModel):
    number: int = 0
    customer: str = ""

bot = Bot()

@bot.command("order")
def order(turn: Turn[Order]):
    {here}
"""


class Server:
    """The language server, as a process. Messages are JSON-RPC with a header."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out, self._number = process.stdin, process.stdout, 0

    def start(self, root: Path) -> Self:
        folder = {"uri": root.as_uri(), "name": "bot"}
        able = {"workspace": {"configuration": True}}
        self.ask("initialize", {"processId": None, "workspaceFolders": [folder], "capabilities": able})
        self.tell("initialized", {})
        return self

    def tell(self, method: str, params: Any, **more: Any) -> None:
        self._send({"method": method, "params": params, **more})

    def ask(self, method: str, params: Any) -> Any:
        """The result of a request. What the server asks meanwhile is answered with "nothing is configured"."""
        self._number += 1
        self.tell(method, params, id=self._number)
        while True:
            message = self._read()
            if "method" not in message and message.get("id") == self._number:
                return message["result"]
            if "method" in message and "id" in message:
                items: list[Any] = (message.get("params") or {}).get("items", [])
                self._send({"id": message["id"], "result": [{} for _ in items]})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._in.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._in.flush()

    def _read(self) -> dict[str, Any]:
        length = 0
        while line := self._out.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the language server has ended"
        return json.loads(self._out.read(length))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    command = [sys.executable, "-m", "pyright.langserver", "--stdio"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, cwd=ROOT) as process:
        try:
            found = Server(process).start(ROOT)
            yield found
            found.ask("shutdown", None)
            found.tell("exit", None)
            process.wait(20)
        finally:
            process.kill()


def completed(server: Server, line: str, name: str) -> set[str]:
    """The names that an editor offers at the end of `line`, in a new file `name`."""
    text = BOT.format(here=line)
    uri = (ROOT / "examples" / name).as_uri()
    server.tell(
        "textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "python", "version": 1, "text": text}}
    )
    lines = text.rstrip("\n").split("\n")
    place = {"line": len(lines) - 1, "character": len(lines[-1])}
    found = server.ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": place})
    return {item["label"] for item in found["items"]}


def test_the_parts_of_a_turn_are_completed(server: Server) -> None:
    offered = completed(server, "turn.", "one.py")
    assert {"text", "say", "state", "user", "shared", "once", "remind", "download", "react"} <= offered


def test_the_fields_of_a_state_are_those_of_its_model(server: Server) -> None:
    assert {"number", "customer"} <= completed(server, "turn.state.", "two.py")


def test_the_settings_of_a_question_are_completed(server: Server) -> None:
    assert {"type=", "choices=", "timeout="} <= completed(server, "answer = yield Ask('How many?', ", "three.py")


def test_the_decorators_of_a_bot_are_completed(server: Server) -> None:
    offered = completed(server, "bot.", "four.py")
    assert {"command", "event", "intent", "scheduled"} <= offered
