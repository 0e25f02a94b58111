"""How the connector is started: by hand, and by the local stack."""

import asyncio
import time
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError

from connectors.tcp import __main__ as program
from connectors.tcp.__main__ import main
from tools.local.stack import connectors


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "localhost.example.com"])
def test_without_tls_it_listens_on_this_machine_only(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["web", "--plain", "--host", host])
    assert "--plain needs --host 127.0.0.1" in capsys.readouterr().err


def test_without_a_certificate_it_does_not_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["--certificate", str(tmp_path / "none"), "--key", str(tmp_path / "none")]):
        with pytest.raises(SystemExit):
            main(["web", *arguments])
        assert "certificate" in capsys.readouterr().err


def test_the_local_stack_starts_the_connectors_of_its_apps() -> None:
    apps = {"feishu": {"demo": {}}, "discord": {"demo": {}, "other": {}}, "http": {"web": {}}}
    assert connectors(apps) == {"discord": ["demo", "other"], "tcp": ["web"]}
    assert connectors({"feishu": {"demo": {}}}) == {}


class CleanedError(Exception):
    """An instance has looked for dead ones."""


class Outage:
    """DynamoDB is away for the first `renewals` renewals. `alive`: the file for the health of the container."""

    name = "unit-parley-tcp-a"

    def __init__(self, renewals: int, alive: Path) -> None:
        self.renewals, self.alive = renewals, alive
        self.back_at = 0.0

    def renew(self, _now: float) -> None:
        assert self.alive.exists()
        self.renewals -= 1
        if self.renewals >= 0:
            raise EndpointConnectionError(endpoint_url="https://dynamodb")
        self.back_at = self.back_at or time.monotonic()

    def clean(self, _now: float) -> None:
        raise CleanedError


@pytest.mark.parametrize("renewals", [0, 3])
def test_no_instance_takes_others_for_dead_before_they_could_renew(
    renewals: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that has just begun: it may have waited for DynamoDB like the others."""
    monkeypatch.setattr(program, "LIFE", 0.3)
    monkeypatch.setattr(program, "RENEW", 0.02)
    outage = Outage(renewals, tmp_path / "alive")

    async def run() -> None:
        async with asyncio.timeout(10):
            await program._renew(cast("Any", outage), outage.alive)

    with pytest.raises(CleanedError):
        asyncio.run(run())
    assert time.monotonic() - outage.back_at >= 0.3
