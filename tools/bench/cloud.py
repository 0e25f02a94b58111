"""A fake AWS and the simulated platforms behind one HTTPS server on the loopback interface. It responds without delay.

The measured processes use TLS as on AWS. They trust the certificates of `certifi` and one more, made here.
"""

import datetime as dt
import hashlib
import ipaddress
import json
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from playground.platforms import simulated_platforms
from playground.platforms.base import Platform
from playground.platforms.exchange import Request, Response
from tools.faults.dynamodb import DynamoDB, ServiceError

APP = "demo"
SUITE = "provider"
"""An app of a WeCom service provider, which companies install."""
_SUITE = {
    "suite_id": "ww9a8b7c6d5e4f3021",
    "suite_secret": "the-suite-secret",
    "provider_corp_id": "ww1f0a2b3c4d5e6f70",
    "token": "callback-token",
    "encoding_aes_key": "k" * 43,
}
QUEUES = ("inbound", "outbound", "inbound-dead")


@dataclass
class Cloud:
    """What the server serves. `sent`: the messages of each queue, as their `SendMessage` requests."""

    url: str
    bundle: Path
    """The certificates that a client has to trust."""
    dynamodb: DynamoDB = field(default_factory=lambda: DynamoDB("bench"))
    sent: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    platforms: dict[str, Platform] = field(default_factory=dict[str, "Platform[Any]"])
    configurations: dict[str, dict[str, Any]] = field(default_factory=dict[str, "dict[str, Any]"])
    """Of the app `demo`, by platform; of another app by `PLATFORM/APP`."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def install(self) -> None:
        """Make an app at each platform, with random credentials."""
        for name, kind in simulated_platforms().items():
            self.platforms[name] = platform = kind(keep_calls=10_000)
            config = import_module(f"tools.local.credentials.{name}").apps(self.url)[APP]
            platform.add_app(APP, config)
            self.configurations[name] = {key: value for key, value in config.items() if key != "signing_key"}
        suite = {**_SUITE, "host": f"{self.url}/wecom"}
        self.platforms["wecom"].add_app(SUITE, suite)
        self.configurations[f"wecom/{SUITE}"] = suite

    def reset(self) -> None:
        """Empty the table and the queues."""
        with self.lock:
            self.dynamodb = DynamoDB("bench")
            self.sent.clear()

    def calls(self, platform: str) -> list[str]:
        """Method and path of each call that the platform has received."""
        return [f"{call.method} {call.path}" for call in self.platforms[platform].calls]

    def environment(self) -> dict[str, str]:
        """The environment of a function, as the template and Lambda set it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_EC2_METADATA_DISABLED": "true",
            **dict.fromkeys(("AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(self.bundle)),
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "PARLEY_STAGE": "bench",
            "PARLEY_TABLE": "bench",
            "PARLEY_INBOUND_URL": f"{self.url}/queue/inbound",
            "PARLEY_OUTBOUND_URL": f"{self.url}/queue/outbound",
            "PARLEY_INBOUND_DEAD_URL": f"{self.url}/queue/inbound-dead",
            "PARLEY_LEASE_SECONDS": "26",
            "POWERTOOLS_SERVICE_NAME": "bench",
            "POWERTOOLS_METRICS_NAMESPACE": "Parley",
        }

    # --- requests

    def aws(self, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out one AWS request. Raises ServiceError."""
        with self.lock:
            match operation:
                case "GetParameter":
                    platform, app = body["Name"].split("/")[3:5]
                    found = self.configurations.get(f"{platform}/{app}", self.configurations[platform])
                    value = json.dumps(found)
                    return {"Parameter": {"Name": body["Name"], "Type": "SecureString", "Value": value}}
                case "SendMessage":
                    self.sent[body["QueueUrl"].rsplit("/", 1)[-1]].append(dict(body))
                    digest = hashlib.md5(body["MessageBody"].encode(), usedforsecurity=False).hexdigest()
                    return {"MessageId": "1", "MD5OfMessageBody": digest, "SequenceNumber": "1"}
                case "GetQueueAttributes":
                    return {"Attributes": dict.fromkeys(body["AttributeNames"], "0")}
                case _:
                    return self.dynamodb.call(operation, body)

    def platform_call(self, name: str, request: Request) -> Response:
        """Handle one call of a platform's API."""
        return self.platforms[name].api(request)


def records(sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The SQS event for each message of a queue. The event source mapping has a batch size of 1."""
    return [
        {
            "Records": [
                {
                    "messageId": f"message-{number}",
                    "receiptHandle": f"receipt-{number}",
                    "body": message["MessageBody"],
                    "attributes": {
                        "ApproximateReceiveCount": "1",
                        "MessageGroupId": message["MessageGroupId"],
                        "MessageDeduplicationId": message["MessageDeduplicationId"],
                    },
                }
            ]
        }
        for number, message in enumerate(sent)
    ]


@contextmanager
def running(folder: Path) -> Iterator[Cloud]:
    """Serve requests inside the context. `folder` is for the certificates."""
    certificate, bundle = _certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = _Server(("127.0.0.1", 0), _Handler, bind_and_activate=True)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.cloud = cloud = Cloud(f"https://127.0.0.1:{server.server_address[1]}", bundle)
    cloud.install()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield cloud
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    cloud: Cloud
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]  # it is always this one
    wbufsize = -1
    """Buffered: header and body leave together."""

    def handle_method(self) -> None:
        """Respond to a request of AWS or of a platform's API."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        target = self.headers.get("X-Amz-Target", "")
        if target:
            self._respond(*self._aws(target.rsplit(".", 1)[-1], json.loads(body or b"{}")))
            return
        parts = urlsplit(self.path)
        _, name, path = parts.path.split("/", 2)
        if name == "open-apis":
            # lark-oapi accepts the address of a server only, without a path.
            name, path = "feishu", parts.path[1:]
        headers = {key.lower(): value for key, value in self.headers.items()}
        request = Request(self.command, f"/{path}", dict(parse_qsl(parts.query)), headers, body)
        response = self.server.cloud.platform_call(name, request)
        self._respond(response.status, response.body, response.headers)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_method  # noqa: N815

    def _aws(self, operation: str, body: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
        try:
            status, value = 200, self.server.cloud.aws(operation, body)
        except ServiceError as error:
            status, value = 400, error.body
        return status, json.dumps(value).encode(), {"Content-Type": "application/x-amz-json-1.0"}

    def _respond(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing."""


# --- certificates -----------------------------------------------------------------------------------------------------


def _certificates(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 with its key, and the certificates that a client has to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "parley bench")])
    now = dt.datetime.now(dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate, bundle = folder / "certificate.pem", folder / "bundle.pem"
    certificate.write_bytes(private + public)
    bundle.write_text(f"{certifi.contents()}\n{public.decode()}")
    return certificate, bundle
