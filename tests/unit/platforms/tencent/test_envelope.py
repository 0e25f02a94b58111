"""The envelope: compatible with wechatpy in both directions, and every damaged ciphertext is refused."""

import base64
import struct

import pytest
from Crypto.Cipher import AES
from hypothesis import given, settings
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto
from wechatpy.enterprise.crypto import WeChatCrypto as CorpCrypto

from parley.platforms.tencent.envelope import WrongReceiverError, aes_key, decrypt, decrypt_for, encrypt, signature
from parley.platforms.tencent.fields import read

KEY, OLD_KEY = "R2k5VbT8wQzYc1NfXh4LmP7sUa0DgJeKoI3rBnM6tWq", "Zx9Cv8Bn7Ml6Kj5Hg4Fd3Sa2Qw1Er0Ty9Ui8Op7As6D"
CORP = "wwa1b2c3d4e5f60718"


def raw(plain: bytes) -> str:
    """`plain`, which includes its padding, encrypted."""
    key = aes_key(KEY)
    return base64.b64encode(AES.new(key, AES.MODE_CBC, key[:16]).encrypt(plain)).decode()


def padded(plain: bytes) -> bytes:
    pad = 32 - len(plain) % 32
    return plain + bytes([pad]) * pad


@settings(max_examples=150)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_wechatpy_decrypts_our_envelope(content: str) -> None:
    encrypted = encrypt(KEY, content, CORP)
    sign = signature("token", "1718000000", "nonce", encrypted)
    message = {"Encrypt": encrypted}
    for crypto in (WeChatCrypto("token", KEY, CORP), CorpCrypto("token", KEY, CORP)):
        assert crypto.decrypt_message(message, sign, "1718000000", "nonce") == content


@settings(max_examples=150)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_we_decrypt_the_envelope_of_wechatpy(content: str) -> None:
    envelope = read(WeChatCrypto("token", KEY, CORP).encrypt_message(content, "nonce", "1718000000").encode())
    encrypted = envelope["Encrypt"]
    assert envelope["MsgSignature"] == signature("token", "1718000000", "nonce", encrypted)
    assert decrypt(KEY, encrypted) == (content, CORP, KEY)


@pytest.mark.parametrize("length", range(64))
def test_a_contentof_any_length_is_padded_and_decrypted(length: int) -> None:
    content = "x" * length
    assert decrypt(KEY, encrypt(KEY, content, CORP)).text == content


def test_the_length_field_counts_bytes() -> None:
    plain = b"r" * 16 + struct.pack(">I", 6) + "你好".encode() + CORP.encode()
    assert decrypt(KEY, raw(padded(plain)))[:2] == ("你好", CORP)


def test_the_random_bytes_are_new_unless_they_are_given() -> None:
    assert encrypt(KEY, "x", CORP) != encrypt(KEY, "x", CORP)
    assert encrypt(KEY, "x", CORP, b"0" * 16) == encrypt(KEY, "x", CORP, b"0" * 16)


HEAD = b"r" * 16
GOOD = HEAD + struct.pack(">I", 5) + b"hello" + CORP.encode()
BROKEN = {
    "padding of 0": GOOD + bytes(32 - len(GOOD) % 32),
    "padding of 33": GOOD + b"\x21" * (64 - len(GOOD) % 32),
    "one wrong byte in the padding": padded(GOOD)[:-2] + b"\x00" + padded(GOOD)[-1:],
    "padding longer than the content": b"\x20" * 16,
    "too short for a length": padded(b"r" * 18),
    "a length field beyond the end": padded(HEAD + struct.pack(">I", 100) + b"hello"),
    "a length field near 2**32": padded(HEAD + b"\xff\xff\xff\xff" + b"hello"),
    "a message that is not UTF-8": padded(HEAD + struct.pack(">I", 2) + b"\xff\xfe" + CORP.encode()),
    "a receiver that is not UTF-8": padded(HEAD + struct.pack(">I", 1) + b"x" + b"\xff\xfe"),
}


@pytest.mark.parametrize("plain", BROKEN.values(), ids=BROKEN)
def test_a_damaged_plaincontentis_refused(plain: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decrypt(KEY, raw(plain))


@pytest.mark.parametrize("encrypted", ["", "*", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA==", " ", "\ud800", "é"])
def test_a_contentthat_is_not_a_ciphercontentis_refused(encrypted: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decrypt(KEY, encrypted)


@settings(max_examples=150)
@given(st.binary(min_size=16, max_size=160).map(lambda data: data[: len(data) // 16 * 16]))
def test_random_bytes_are_refused(data: bytes) -> None:
    encrypted = base64.b64encode(data).decode()
    with pytest.raises(ValueError, match=r".+"):
        decrypt_for({CORP}, [KEY], encrypted)


def test_the_signature_changes_with_every_byte() -> None:
    encrypted = encrypt(KEY, "hello", CORP)
    expected = signature("token", "1", "n", encrypted)
    for place in range(len(encrypted)):
        other = "B" if encrypted[place] == "A" else "A"
        assert signature("token", "1", "n", encrypted[:place] + other + encrypted[place + 1 :]) != expected


def test_the_previous_key_still_decrypts_and_is_returned() -> None:
    encrypted = encrypt(OLD_KEY, "hello", CORP)
    assert decrypt_for({CORP}, [KEY, OLD_KEY], encrypted) == ("hello", CORP, OLD_KEY)
    with pytest.raises(ValueError, match="not decryptable"):
        decrypt_for({CORP}, [KEY], encrypted)


def test_a_wrong_receiver_is_distinguished_from_a_wrong_key() -> None:
    with pytest.raises(WrongReceiverError):
        decrypt_for({"ww0"}, [OLD_KEY, KEY], encrypt(KEY, "hello", CORP))
    assert decrypt_for({CORP, ""}, [KEY], encrypt(KEY, "hello", "")).receiver == ""


@pytest.mark.parametrize("key", ["", "abc", KEY + "A", KEY[:-1], KEY[:-1] + "*", "你" * 43])
def test_a_key_that_is_not_43_characters_of_base64_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        aes_key(key)


def test_unused_bits_in_the_last_character_of_a_key_are_ignored() -> None:
    assert len(aes_key("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")) == 32
