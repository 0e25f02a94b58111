"""The metrics of the functions, in CloudWatch's embedded metric format."""

import json
from typing import Any

import pytest

from parley.engine import telemetry


def emitted(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().out.splitlines()
    return json.loads(line)


def test_every_set_of_dimensions_names_the_stage_so_that_stages_do_not_mix(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "prod-feishu")
    telemetry.count("CallbacksRejected", platform="feishu", reason="forged")
    line = emitted(capsys)

    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["service"], ["service", "platform", "reason"]]
    assert (line["service"], line["platform"], line["reason"]) == ("prod-feishu", "feishu", "forged")


def test_a_metric_without_dimensions_has_one_set(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.duration("ApiTime", 0.25)
    line = emitted(capsys)

    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["service"]]
    assert line["ApiTime"] == [250.0]
