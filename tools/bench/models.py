"""Compares the message model in msgspec and in pydantic: `python -m tools.bench.models`.

Prints the CPU time that an import adds to a process that has boto3 already, and the time to decode and encode one
message. Each process is fresh and sees only the packages of the dependencies layer, with byte code.
`docs/decisions/model-library.md` holds the figures.
"""

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from parley.adapter import Accepted, App, Headers, Request
from parley.model import Message, codec
from parley.platforms import config_type, inbound
from tools.bench import pydantic_model, sample, timing, views
from tools.bench.timing import Start, Times

CALLS = 1000
_BOTO3 = "import boto3\nboto3.client('sqs')"
IMPORTS = {
    "boto3 + SQS client": ("", _BOTO3),
    "msgspec": (_BOTO3, "import msgspec"),
    "pydantic": (_BOTO3, "from pydantic import BaseModel, TypeAdapter"),
    "message model, msgspec": (_BOTO3, "from parley.model.codec import decode_message"),
    "message model, pydantic": (_BOTO3, "from pydantic_model import decode_message"),
}
"""By name: the code that runs before the measurement, and the code that is measured."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.models", description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="fresh processes per figure (default 15)")
    runs = parser.parse_args().runs
    print(f"Python {platform.python_version()}, {platform.machine()}; medians of CPU time, and ratios")
    with tempfile.TemporaryDirectory() as folder:
        paths = (views.layer(Path(folder)), views.ROOT / "shared", Path(__file__).parent)
        imports = [Start(name, code, paths, before) for name, (before, code) in IMPORTS.items()]
        found = timing.starts(imports, runs, {"AWS_DEFAULT_REGION": "us-east-1"})
        _print(f"import, ms ({runs} fresh processes each)", found)
    sent = message()
    size = len(codec.encode(sent))
    _print(f"decode a message of {size} bytes, us", timing.calls(decoders(codec.encode(sent)), CALLS))
    _print(f"encode a message of {size} bytes, us", timing.calls(encoders(sent), CALLS))


def _print(title: str, found: Times) -> None:
    print(f"\n{title}")
    ratios = timing.ratios(found, next(iter(found)))
    for name, values in found.items():
        print(f"  {name:25s}{statistics.median(values):8.1f}  ({ratios[name]:.2f}x)")


def message() -> Message:
    """The unified message of a Feishu callback, as it goes through the inbound queue."""
    headers, body = sample.callback()
    app = App("feishu", "bench", msgspec.convert(sample.CONFIG, config_type("feishu")))
    accepted = inbound("feishu").receive(Request(headers=Headers(headers), body=body), app, time.time())
    if not isinstance(accepted, Accepted):
        raise SystemExit("bench: the sample callback was not accepted")
    return accepted.messages[0]


def decoders(data: bytes) -> dict[str, Callable[[], Any]]:
    """Functions that decode `data`, by library."""
    return {"msgspec": lambda: codec.decode_message(data), "pydantic": lambda: pydantic_model.decode_message(data)}


def encoders(sent: Message) -> dict[str, Callable[[], bytes]]:
    """Functions that encode `sent`, by library."""
    twin = pydantic_model.decode_message(codec.encode(sent))
    return {"msgspec": lambda: codec.encode(sent), "pydantic": lambda: pydantic_model.encode(twin)}


if __name__ == "__main__":
    main()
