"""Shared cryptography: comparison, Base64, AES-CBC, and credentials that are sealed in queues."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from hypothesis import given
from hypothesis import strategies as st

from parley.crypto import cbc_decrypt, cbc_encrypt, constant_time_equals, decode_base64, seal, unseal

keys = st.binary(min_size=32, max_size=32)
ivs = st.binary(min_size=16, max_size=16)
blocks = st.sampled_from([16, 32])


@given(keys, ivs, st.binary(max_size=200), blocks)
def test_cbc_decrypts_its_own_ciphertext(key: bytes, iv: bytes, data: bytes, block: int):
    encrypted = cbc_encrypt(key, iv, data, block)
    assert len(encrypted) % block == 0
    assert cbc_decrypt(key, iv, encrypted, block) == data


@given(keys, ivs, st.binary(max_size=200))
def test_cbc_agrees_with_another_implementation(key: bytes, iv: bytes, data: bytes):
    padder = PKCS7(128).padder()
    encryptor = Cipher(AES(key), CBC(iv)).encryptor()
    theirs = encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()
    assert cbc_encrypt(key, iv, data, 16) == theirs
    assert cbc_decrypt(key, iv, theirs, 16) == data


def encrypted_raw(plain: bytes) -> bytes:
    encryptor = Cipher(AES(b"k" * 32), CBC(b"i" * 16)).encryptor()
    return encryptor.update(plain) + encryptor.finalize()


@pytest.mark.parametrize(
    "padded",
    [
        b"x" * 15 + b"\0",
        b"x" * 15 + b"\x11",
        b"x" * 14 + b"\x01\x02",
        b"x" * 12 + b"\x04\x03\x04\x04",
        b"\xff" * 16,
    ],
    ids=["none", "beyond the block", "one byte wrong", "first byte wrong", "far too much"],
)
def test_every_wrong_padding_raises_the_same_error(padded: bytes):
    with pytest.raises(ValueError, match=r"^not decryptable$"):
        cbc_decrypt(b"k" * 32, b"i" * 16, encrypted_raw(padded), 16)


@given(st.binary(max_size=70).filter(lambda data: not data or len(data) % 16))
def test_data_with_an_incomplete_block_is_refused(data: bytes):
    with pytest.raises(ValueError, match=r"^not decryptable$"):
        cbc_decrypt(b"k" * 32, b"i" * 16, data, 16)


@given(keys, ivs, st.binary(min_size=1, max_size=60), st.data())
def test_a_changed_bit_of_the_ciphertext_changes_the_text(key: bytes, iv: bytes, data: bytes, draw: st.DataObject):
    encrypted = bytearray(cbc_encrypt(key, iv, data, 16))
    bit = draw.draw(st.integers(0, len(encrypted) * 8 - 1))
    encrypted[bit // 8] ^= 1 << bit % 8
    try:
        changed = cbc_decrypt(key, iv, bytes(encrypted), 16)
    except ValueError:
        return
    assert changed != data


@given(st.text(), st.text())
def test_a_sealed_text_is_unsealed_with_the_same_secret(secret: str, text: str):
    assert unseal(secret, seal(secret, text)) == text


def test_sealing_is_deterministic():
    assert seal("secret", "token") == seal("secret", "token")
    assert seal("secret", "token") != seal("secret", "other")


@given(st.text(min_size=1), st.data())
def test_a_changed_seal_is_refused(text: str, draw: st.DataObject):
    import base64

    data = bytearray(base64.b64decode(seal("secret", text)))
    bit = draw.draw(st.integers(0, len(data) * 8 - 1))
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ValueError):  # noqa: PT011  # the message comes from the cipher
        unseal("secret", base64.b64encode(data).decode())


@pytest.mark.parametrize("sealed", ["", "AAAA", "not base64!"])
def test_invalid_sealed_data_is_refused(sealed: str):
    with pytest.raises(ValueError):  # noqa: PT011
        unseal("secret", sealed)


def test_another_secret_does_not_unseal():
    with pytest.raises(ValueError):  # noqa: PT011
        unseal("other", seal("secret", "token"))


def test_a_seal_does_not_contain_the_text():
    assert "token-123" not in seal("secret", "token-123")


@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=())))
def test_comparison_accepts_any_text(one: str, other: str):
    assert constant_time_equals(one, other) == (one == other)
    assert constant_time_equals(one, one)


def test_text_and_its_bytes_compare_equal():
    assert constant_time_equals("é", "é".encode())


@pytest.mark.parametrize("text", ["a", "YQ", "YQ==\n", "Y Q==", "YQ=", "YQ===", "_-==", "é"])
def test_base64_with_wrong_characters_or_padding_is_refused(text: str):
    with pytest.raises(ValueError, match=r"^not Base64$"):
        decode_base64(text)


@given(st.binary())
def test_base64_is_decoded_to_the_original_bytes(data: bytes):
    import base64

    assert decode_base64(base64.b64encode(data)) == data
