"""The command line in a test: for a deployment in this process."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError

from parley_cli import deployment, place
from parley_cli.deployment import Deployment
from parley_cli.main import run
from parley_cli.place import Place
from playground.platforms.exchange import Request, Response
from tests.unit.playground import discord as portal
from tests.unit.playground.clock import Clock
from tests.unit.playground.serving import APP
from tests.unit.playground.tencent import WECOM

FEISHU: dict[str, Any] = {**APP, "host": "http://feishu.test"}
DISCORD = {name: value for name, value in portal.APP.items() if name != "signing_key"}
SECRETS = (WECOM["secret"], WECOM["token"], WECOM["encoding_aes_key"], APP["app_secret"], portal.TOKEN)
Store = Callable[..., None]
Platforms = Callable[..., None]
Shown = Callable[..., str]
FACTS: dict[str, Any] = {
    "ready": True,
    "stage": "unit",
    "table": "parley",
    "account": "testing",
    "region": "eu-west-1",
    "api": "http://api.test",
}


class Pages:
    """A paginator with one page."""

    def __init__(self, page: Mapping[str, Any]) -> None:
        self.page = page

    def paginate(self, **_: Any) -> list[Mapping[str, Any]]:
        return [self.page]


class Client:
    """A client of AWS with fixed answers, by the name of the request. An exception is raised."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def get_paginator(self, name: str) -> Pages:
        return Pages(self._answer(name))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda **_: self._answer(name)

    def _answer(self, name: str) -> Any:
        answer = self.answers[name]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Ssm:
    """The Parameter Store, as far as the commands use it."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, str]] = {}

    def get_parameter(self, *, Name: str, **_: Any) -> dict[str, Any]:  # noqa: N803  # AWS's names
        return {"Parameter": self._found(Name, "GetParameter")}

    def put_parameter(self, *, Name: str, Value: str, Type: str, Overwrite: bool = False) -> None:  # noqa: N803
        if Name in self.stored and not Overwrite:
            raise refusing("ParameterAlreadyExists", "", "PutParameter")
        self.stored[Name] = {"Name": Name, "Value": Value, "Type": Type}

    def delete_parameter(self, *, Name: str) -> None:  # noqa: N803
        del self.stored[self._found(Name, "DeleteParameter")["Name"]]

    def get_paginator(self, _name: str) -> Pages:
        return Pages({"Parameters": list(self.stored.values())})

    def _found(self, name: str, operation: str) -> dict[str, str]:
        if name not in self.stored:
            raise refusing("ParameterNotFound", "", operation)
        return self.stored[name]


def refusing(code: str, message: str, operation: str) -> ClientError:
    """The exception for a request that AWS refuses."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class Answering:
    """A platform that gives the same answer to each request."""

    def __init__(self, **answer: Any) -> None:
        self.answer = answer

    def api(self, _request: Request) -> Response:
        return Response.of(self.answer)


def made(kind: Any, config: Mapping[str, Any]) -> Any:
    """A simulated platform with the app `demo`."""
    platform = kind(clock=Clock(), random=Random(7))
    platform.add_app("demo", config)
    return platform


Healthy = dict[str, Client]
"""The clients of a stack in which nothing is wrong."""


class FakePlace(Place):
    """A stack on AWS, or the local stack, whose clients are imitations or moto's."""

    clients: Mapping[str, Any]

    def client(self, service: str) -> Any:
        """The client of this test."""
        return self.clients[service]

    @property
    def region(self) -> str:
        """The region of the test."""
        return "eu-west-1"


def fake_place(clients: Mapping[str, Any], **more: Any) -> FakePlace:
    """A place with these clients."""
    fields: dict[str, Any] = {"stage": "unit", "stack": "parley-unit"} | more
    made = FakePlace(**fields)
    object.__setattr__(made, "clients", clients)
    return made


def use_deployment(monkeypatch: pytest.MonkeyPatch, found: Deployment) -> None:
    """Let the commands find the local stack, with the clients of `found`."""
    monkeypatch.setattr(place, "running", lambda: FACTS)
    monkeypatch.setattr(deployment, "of", lambda _place: found)


def use_place(monkeypatch: pytest.MonkeyPatch, found: Place) -> None:
    """Let the commands find `found`, whatever their options are."""
    monkeypatch.setattr(place, "find", lambda _stage, _stack: found)


def parley(*arguments: str) -> int:
    """Run the command line. Returns its exit status."""
    return run(list(arguments))
