"""Signed values of buttons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.bot import Signer
from parley.platforms.discord import custom_id

KEY = "a secret of at least 16 bytes"


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=3))
def test_a_signed_value_is_verified_for_its_scope_only(value: str, scope: list[str]):
    signer = Signer(KEY)
    signed = signer.sign(value, *scope)
    assert signer.verify(signed, *scope) == value
    assert signer.verify(signed, *scope, "more") is None
    assert Signer(f"{KEY}!").verify(signed, *scope) is None


@pytest.mark.parametrize("forged", ["", ".", "1.4.2", "x.1.4.2", "\ud800.1.4.2", "é.1.4.2"])
def test_a_value_without_a_signature_is_not_verified(forged: str):
    assert Signer(KEY).verify(forged) is None


def test_a_changed_value_or_signature_is_not_verified():
    signed = Signer(KEY).sign("1.4.2", "go", "room")
    for place in range(len(signed)):
        changed = signed[:place] + ("A" if signed[place] != "A" else "B") + signed[place + 1 :]
        assert Signer(KEY).verify(changed, "go", "room") is None


def test_the_parts_of_a_scope_are_not_joined():
    signer = Signer(KEY)
    assert signer.verify(signer.sign("a", "bc"), "b", "c") is None
    assert signer.verify(signer.sign("ab", "c"), "bc") is None


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="16 bytes"):
        Signer("short")


def test_a_signed_value_fits_a_button_of_discord():
    assert len(custom_id.join("deploy", Signer(KEY).sign("1.4.2", "deploy"))) < 40
