"""Ed25519 signatures: three implementations agree, in both directions."""

import subprocess
import sys

import pytest
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from discord_interactions import verify_key
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from parley.platforms.discord.signature import is_valid

KEY = SigningKey(bytes(range(32)))
PUBLIC = KEY.verify_key.encode().hex()
ORDER = 2**252 + 27742317777372353535851937790883648493
"""Order of the group. A signature whose second half is not below it is a non-canonical form of a valid one."""


def theirs(public: str, timestamp: str, body: bytes, signature: bytes) -> tuple[bool, bool]:
    """The results of PyNaCl and of Discord's own helper."""
    try:
        VerifyKey(bytes.fromhex(public)).verify(timestamp.encode() + body, signature)
        nacl = True
    except (BadSignatureError, ValueError):
        nacl = False
    return nacl, verify_key(body, signature.hex(), timestamp, public)


@settings(max_examples=60)
@given(seed=st.binary(min_size=32, max_size=32), timestamp=st.text("0123456789.", max_size=12), body=st.binary())
def test_signatures_of_pynacl_and_pycryptodome_are_valid_everywhere(seed, timestamp, body) -> None:
    key = SigningKey(seed)
    public, message = key.verify_key.encode().hex(), timestamp.encode() + body
    by_nacl = key.sign(message).signature
    by_pycryptodome = eddsa.new(ECC.construct(curve="Ed25519", seed=seed), "rfc8032").sign(message)
    assert by_nacl == by_pycryptodome
    assert is_valid(public, timestamp, body, by_nacl.hex())
    assert theirs(public, timestamp, body, by_pycryptodome) == (True, True)


@settings(max_examples=150)
@given(body=st.binary(max_size=80), place=st.integers(0, 63), bit=st.integers(0, 7), what=st.sampled_from("sbt"))
def test_a_changed_signature_body_or_timestamp_is_invalid_everywhere(body, place, bit, what) -> None:
    signature = bytearray(KEY.sign(b"1764000000" + body).signature)
    timestamp = "1764000000"
    if what == "s":
        signature[place] ^= 1 << bit
    elif what == "b":
        body += b"\n"
    else:
        timestamp = "1764000001"
    assert not is_valid(PUBLIC, timestamp, body, signature.hex())
    assert theirs(PUBLIC, timestamp, body, bytes(signature)) == (False, False)


def test_a_non_canonical_signature_is_invalid_everywhere() -> None:
    signature = KEY.sign(b"1764000000{}").signature
    larger = (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    assert not is_valid(PUBLIC, "1764000000", b"{}", (signature[:32] + larger).hex())
    assert theirs(PUBLIC, "1764000000", b"{}", signature[:32] + larger) == (False, False)


@pytest.mark.parametrize(
    "signature", ["", "00", "zz" * 64, "00" * 63, "00" * 65, " " + "0" * 127, "é" * 128, "٠" * 128]
)
def test_a_malformed_signature_is_invalid(signature: str) -> None:
    assert not is_valid(PUBLIC, "1764000000", b"{}", signature)


def test_no_signature_is_valid_for_a_key_outside_the_curve() -> None:
    assert not is_valid("02" + "00" * 31, "1764000000", b"{}", "00" * 64)


def test_only_inbound_imports_the_verifier() -> None:
    """The import of the verifier takes most of a cold start: docs/decisions/ed25519.md."""
    code = "import sys; import parley.platforms.discord.{half}; print('Crypto.Signature.eddsa' in sys.modules)"
    for half, loaded in (("inbound", "True"), ("outbound", "False")):
        done = subprocess.run(
            [sys.executable, "-c", code.format(half=half)], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == loaded, half


def test_inbound_imports_no_heavy_module() -> None:
    code = "import sys; import parley.platforms.discord.inbound; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"httpx", "pydantic", "boto3", "xmltodict", "email", "asyncio", "mimetypes"}
    assert not heavy.intersection(loaded)
    assert not [name for name in loaded if name.startswith("parley.platforms.") and "discord" not in name]
