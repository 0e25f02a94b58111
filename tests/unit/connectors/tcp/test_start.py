"""How the connector is started: by hand, and by the local stack."""

from pathlib import Path

import pytest

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
