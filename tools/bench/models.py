"""What the message model costs with msgspec and with pydantic: `python -m tools.bench.models`.

Prints the CPU time that an import adds to a process that has boto3 already, and the time to decode and encode one
message. Each process is fresh and sees only the packages of the dependencies layer, with byte code.
`docs/decisions/model-library.md` holds the figures.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from parley.adapter import Accepted, App, Headers, Request
from parley.model import Message, codec
from parley.platforms import config_type, inbound
from tools.bench import pydantic_model, sample, views

ROUNDS, CALLS = 31, 1000
_BOTO3 = "import boto3\nboto3.client('sqs')"
IMPORTS = {
    "boto3 + SQS client": ("", _BOTO3),
    "msgspec": (_BOTO3, "import msgspec"),
    "pydantic": (_BOTO3, "from pydantic import BaseModel, TypeAdapter"),
    "message model, msgspec": (_BOTO3, "from parley.model.codec import decode_message"),
    "message model, pydantic": (_BOTO3, "from pydantic_model import decode_message"),
}
"""By name: the code that runs before the measurement, and the code that is measured."""
_TIMED = """
import time
{before}
started = time.process_time()
{code}
print((time.process_time() - started) * 1e3)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.models", description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="fresh processes per figure (default 15)")
    runs = parser.parse_args().runs
    print(f"Python {platform.python_version()}, {platform.machine()}; medians of CPU time, and as a multiple")
    with tempfile.TemporaryDirectory() as folder:
        _print(f"import, ms ({runs} fresh processes each)", _imports(views.layer(Path(folder)), runs))
    sent = message()
    size = len(codec.encode(sent))
    _print(f"decode a message of {size} bytes, us", _calls(decoders(codec.encode(sent))))
    _print(f"encode a message of {size} bytes, us", _calls(encoders(sent)))


def _print(title: str, found: dict[str, list[float]]) -> None:
    print(f"\n{title}")
    base = next(iter(found.values()))
    for name, values in found.items():
        ratio = statistics.median(one / other for one, other in zip(values, base, strict=True))
        print(f"  {name:25s}{statistics.median(values):8.1f}  ({ratio:.2f}x)")


def _imports(layer: Path, runs: int) -> dict[str, list[float]]:
    """Milliseconds by name, in turns. The first round writes the byte code and is not counted."""
    found: dict[str, list[float]] = {name: [] for name in IMPORTS}
    paths = (layer, views.ROOT / "shared", Path(__file__).parent)
    environment = {
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "PATH": os.environ.get("PATH", ""),
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for number in range(runs + 1):
        for name, (before, code) in IMPORTS.items():
            command = [sys.executable, "-S", "-c", _TIMED.format(before=before, code=code)]
            done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"bench: {name} does not start:\n{done.stderr[-2000:]}")
            if number:
                found[name].append(float(done.stdout))
    return found


def _calls(functions: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
    """Microseconds per call by name, in turns. The first round is not counted."""
    found: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(ROUNDS + 1):
        for name, function in functions.items():
            taken = timeit.timeit(function, timer=time.process_time, number=CALLS) / CALLS * 1e6
            if number:
                found[name].append(taken)
    return found


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
