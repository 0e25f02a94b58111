"""TLS 1.3 as a function of bytes: what arrives goes in, what is to be sent comes out.

asyncio's own TLS holds a buffer of 256 KiB for each connection, also for one that is idle: 2.5 GiB for 10,000 of them.
"""

import os
import ssl
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

_READ = 65_536
_CERTIFICATE, _KEY, _PASSWORD = "PARLEY_TLS_CERTIFICATE", "PARLEY_TLS_KEY", "PARLEY_TLS_PASSWORD"


class BrokenError(Exception):
    """The client does not speak TLS 1.3, or has broken off. The connection can only be cut."""


class Plain:
    """No TLS, for connections within one machine."""

    __slots__ = ()
    begun, is_over = True, False

    def received(self, data: bytes) -> bytes:
        """The data in what has arrived."""
        return data

    def sealed(self, data: bytes) -> bytes:
        """`data` as it is sent."""
        return data

    def outgoing(self) -> bytes:
        """What is to be sent besides."""
        return b""

    def end(self) -> bytes:
        """What is sent last."""
        return b""


class Tls:
    """The server's end of one connection."""

    __slots__ = ("_in", "_object", "_out", "begun", "is_over")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._in, self._out, server_side=True)
        self.begun = False
        """Whether the handshake is over: only then can data be sent."""
        self.is_over = False
        """Whether the client has said that it sends nothing more."""

    def received(self, data: bytes) -> bytes:
        """The data in what has arrived, which may be none. `outgoing` follows. Raises BrokenError."""
        self._in.write(data)
        found: list[bytes] = []
        try:
            if not self.begun:
                self._object.do_handshake()
                self.begun = True
            while part := self._object.read(_READ):
                found.append(part)
            self.is_over = True
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLError, OSError, ValueError) as error:
            raise BrokenError(type(error).__name__) from error
        return b"".join(found)

    def sealed(self, data: bytes) -> bytes:
        """`data` as it is sent. Raises BrokenError."""
        try:
            self._object.write(data)
        except (ssl.SSLError, OSError, ValueError) as error:
            raise BrokenError(type(error).__name__) from error
        return self._out.read()

    def outgoing(self) -> bytes:
        """What is to be sent besides: the handshake, and its errors."""
        return self._out.read()

    def end(self) -> bytes:
        """What is sent last, so that the client knows that nothing is missing."""
        with suppress(ssl.SSLError, OSError, ValueError):
            self._object.unwrap()
        return self._out.read()


def context(certificate: Path | None, key: Path | None, environment: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """The settings of TLS. Without files, the certificate (with its chain) and the key come from the environment
    variables PARLEY_TLS_CERTIFICATE and PARLEY_TLS_KEY as PEM: ECS fills them from Secrets Manager. The key may be
    encrypted, as ACM exports it: PARLEY_TLS_PASSWORD.

    Raises ValueError, which holds nothing of the key.
    """
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.minimum_version = ssl.TLSVersion.TLSv1_3
    found.num_tickets = 0  # a session that is resumed saves a client little, and costs memory
    password = environment.get(_PASSWORD, "")
    try:
        with _files(certificate, key, environment) as (chain, private):
            # Without a password, an encrypted key would ask for one at the terminal.
            found.load_cert_chain(chain, private, password=password)
    except (ssl.SSLError, OSError) as error:
        raise ValueError(f"the certificate and its key cannot be used: {type(error).__name__}") from error
    return found


@contextmanager
def _files(certificate: Path | None, key: Path | None, environment: Mapping[str, str]) -> Generator[tuple[Path, Path]]:
    if certificate and key:
        yield certificate, key
        return
    texts = environment.get(_CERTIFICATE, ""), environment.get(_KEY, "")
    if certificate or key or not all(texts):
        raise ValueError(f"no certificate: expected --certificate and --key, or {_CERTIFICATE} and {_KEY}")
    # The library reads files only. These are gone as soon as it has read them.
    with tempfile.TemporaryDirectory() as directory:
        chain, private = Path(directory, "chain.pem"), Path(directory, "key.pem")
        for path, text in zip((chain, private), texts, strict=True):
            path.touch(mode=0o600)
            path.write_text(text)
        yield chain, private
