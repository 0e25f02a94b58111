"""A fake SSM and SQS for a first callback, on the loopback interface. It responds without delay."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tools.bench import sample


@dataclass(frozen=True)
class Aws:
    """The address of the fake AWS."""

    endpoint: str

    def environment(self) -> dict[str, str]:
        """The environment of a function in the template."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_EC2_METADATA_DISABLED": "true",
            "PARLEY_STAGE": "bench",
            "PARLEY_TABLE": "bench",
            "PARLEY_INBOUND_URL": f"{self.endpoint}/000000000000/inbound.fifo",
            "PARLEY_OUTBOUND_URL": f"{self.endpoint}/000000000000/outbound.fifo",
            "POWERTOOLS_SERVICE_NAME": "bench",
            "POWERTOOLS_METRICS_NAMESPACE": "Parley",
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Respond to GetParameter and SendMessage."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].rsplit(".", 1)[-1]
        answer = json.dumps(_ANSWERS[operation](body)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing."""


def _parameter(body: dict[str, Any]) -> dict[str, Any]:
    return {"Parameter": {"Name": body["Name"], "Type": "SecureString", "Value": json.dumps(sample.CONFIG)}}


def _sent(body: dict[str, Any]) -> dict[str, Any]:
    digest = hashlib.md5(body["MessageBody"].encode(), usedforsecurity=False).hexdigest()
    return {"MessageId": "1", "MD5OfMessageBody": digest, "SequenceNumber": "1"}


_ANSWERS = {"GetParameter": _parameter, "SendMessage": _sent}


@contextmanager
def running() -> Iterator[Aws]:
    """Serve requests inside the context."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Aws(f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
