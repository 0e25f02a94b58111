"""The figures in tools/prices.toml, and the settings of the template that have a price."""

import tomllib
from pathlib import Path
from typing import Any

from tests.template import functions

FILE = Path(__file__).parents[1] / "prices.toml"
_FIGURES: dict[str, Any] = tomllib.loads(FILE.read_text())
PRICES: dict[str, Any] = _FIGURES["prices"]
PER_MILLION: dict[str, float] = PRICES["per_million"]
PER_MONTH: dict[str, float] = PRICES["per_month"]
PER_HOUR: dict[str, float] = PRICES["per_hour"]
PER_GB: dict[str, float] = PRICES["per_gb"]
MEASURED: dict[str, Any] = _FIGURES["measured"]
CPU_MILLISECONDS: dict[str, float] = MEASURED["cpu_milliseconds"]
LOG_BYTES: dict[str, float] = MEASURED["log_bytes"]
ASSUMPTIONS: dict[str, float] = _FIGURES["assumptions"]


def memory(stage: str) -> int:
    """The memory of a function in MB. The callback functions of all platforms have the same."""
    name = "Feishu" if stage == "callback" else stage.capitalize()
    return functions()[f"{name}Function"]["MemorySize"]


def milliseconds(stage: str, cpu: float, aws_requests: float, platform_calls: float) -> float:
    """The billed time of invocations that take `cpu` milliseconds of a whole core and make these requests.

    A function gets a part of a core in proportion to its memory. So its CPU time takes longer than it does here.
    """
    waits = aws_requests * ASSUMPTIONS["aws_milliseconds"] + platform_calls * ASSUMPTIONS["platform_milliseconds"]
    return cpu * max(1.0, ASSUMPTIONS["core_mb"] / memory(stage)) + waits
