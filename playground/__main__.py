"""`python -m playground --stack .local/stack.json --port 8800`."""

import argparse
import sys
from pathlib import Path

from playground.server import Server
from playground.stack import Stack
from playground.world import World


def main(arguments: list[str]) -> int:
    """Serve until interrupted. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="playground", description="Simulated chat platforms and a chat page.")
    parser.add_argument("--stack", type=Path, default=Path(".local/stack.json"), help="stack.json of the local stack")
    parser.add_argument("--port", type=int, default=8800, help="port on 127.0.0.1")
    parser.add_argument("--token-seconds", type=float, default=7200, help="lifetime of access tokens")
    options = parser.parse_args(arguments)
    world = World(Stack(options.stack), token_seconds=options.token_seconds)
    print(f"playground: http://127.0.0.1:{options.port}", flush=True)  # noqa: T201
    try:
        Server(world, options.port).run()
    except SystemExit as error:
        # uvicorn has logged the reason, for example that the port is in use.
        return int(error.code or 0)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
