"""`python -m playground --stack .local/stack.json --port 8800`."""

import argparse
import sys
from pathlib import Path

from playground.server import Server
from playground.stack import Stack
from playground.world import World


def main(arguments: list[str]) -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="playground", description="Simulated chat platforms and a chat page.")
    parser.add_argument("--stack", type=Path, default=Path(".local/stack.json"), help="what the local stack wrote")
    parser.add_argument("--port", type=int, default=8800, help="port on 127.0.0.1")
    parser.add_argument("--token-seconds", type=float, default=7200, help="lifetime of access tokens")
    chosen = parser.parse_args(arguments)
    world = World(Stack(chosen.stack), token_seconds=chosen.token_seconds)
    print(f"playground: http://127.0.0.1:{chosen.port}", flush=True)  # noqa: T201
    try:
        Server(world, chosen.port).run()
    except SystemExit as ended:
        # uvicorn has said why, a busy port mostly.
        return int(ended.code or 0)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
