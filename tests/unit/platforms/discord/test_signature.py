"""Ed25519: three implementations agree on what holds, in both directions."""

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

from parley.platforms.discord.signature import holds

KEY = SigningKey(bytes(range(32)))
PUBLIC = KEY.verify_key.encode().hex()
ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the group: a signature whose second half is not below it is another spelling of a valid one."""


def theirs(public: str, timestamp: str, body: bytes, signature: bytes) -> tuple[bool, bool]:
    """What PyNaCl and Discord's own helper say."""
    try:
        VerifyKey(bytes.fromhex(public)).verify(timestamp.encode() + body, signature)
        nacl = True
    except (BadSignatureError, ValueError):
        nacl = False
    return nacl, verify_key(body, signature.hex(), timestamp, public)


@settings(max_examples=60, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), timestamp=st.text("0123456789.", max_size=12), body=st.binary())
def test_what_others_sign_holds_here_and_what_is_signed_with_pycryptodome_holds_there(seed, timestamp, body) -> None:
    key = SigningKey(seed)
    public, message = key.verify_key.encode().hex(), timestamp.encode() + body
    by_nacl = key.sign(message).signature
    by_pycryptodome = eddsa.new(ECC.construct(curve="Ed25519", seed=seed), "rfc8032").sign(message)
    assert by_nacl == by_pycryptodome
    assert holds(public, timestamp, body, by_nacl.hex())
    assert theirs(public, timestamp, body, by_pycryptodome) == (True, True)


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=80), place=st.integers(0, 63), bit=st.integers(0, 7), what=st.sampled_from("sbt"))
def test_what_is_damaged_holds_nowhere(body, place, bit, what) -> None:
    signature = bytearray(KEY.sign(b"1764000000" + body).signature)
    timestamp = "1764000000"
    if what == "s":
        signature[place] ^= 1 << bit
    elif what == "b":
        body += b"\n"
    else:
        timestamp = "1764000001"
    assert not holds(PUBLIC, timestamp, body, signature.hex())
    assert theirs(PUBLIC, timestamp, body, bytes(signature)) == (False, False)


def test_another_spelling_of_a_valid_signature_is_refused_as_by_the_others() -> None:
    signature = KEY.sign(b"1764000000{}").signature
    larger = (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    assert not holds(PUBLIC, "1764000000", b"{}", (signature[:32] + larger).hex())
    assert theirs(PUBLIC, "1764000000", b"{}", signature[:32] + larger) == (False, False)


@pytest.mark.parametrize(
    "signature", ["", "00", "zz" * 64, "00" * 63, "00" * 65, " " + "0" * 127, "é" * 128, "٠" * 128]
)
def test_what_is_no_signature_does_not_hold(signature: str) -> None:
    assert not holds(PUBLIC, "1764000000", b"{}", signature)


def test_a_key_that_is_no_point_of_the_curve_holds_nothing() -> None:
    assert not holds("02" + "00" * 31, "1764000000", b"{}", "00" * 64)


def test_only_the_receiving_half_pays_for_the_verifier() -> None:
    """The verifier's import is most of a cold start: docs/decisions/ed25519.md."""
    code = "import sys; import parley.platforms.discord.{half}; print('Crypto.Signature.eddsa' in sys.modules)"
    for half, loaded in (("inbound", "True"), ("outbound", "False")):
        done = subprocess.run(
            [sys.executable, "-c", code.format(half=half)], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == loaded, half


def test_the_receiving_half_loads_nothing_heavy() -> None:
    code = "import sys; import parley.platforms.discord.inbound; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"httpx", "pydantic", "boto3", "xmltodict", "email", "asyncio", "mimetypes"}
    assert not heavy.intersection(loaded)
    assert not [name for name in loaded if name.startswith("parley.platforms.") and "discord" not in name]
