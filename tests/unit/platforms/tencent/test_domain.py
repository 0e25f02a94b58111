"""The names of verification files."""

import pytest

from parley.platforms.tencent.domain import is_verification_file


@pytest.mark.parametrize("name", ["WW_verify_a1B2c3D4e5F6g7H8.txt", "MP_verify_a1B2c3D4e5F6g7H8.txt"])
def test_files_of_both_consoles_are_accepted(name: str) -> None:
    assert is_verification_file(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "index.html",
        "WW_verify_.txt",
        "WW_verify_short.txt",
        f"WW_verify_{'a' * 65}.txt",
        "XX_verify_a1B2c3D4e5F6g7H8.txt",
        "../wecom/WW_verify_a1B2c3D4e5F6g7H8.txt",
        "WW_verify_a1B2c3D4e5F6g7H8.txt\n",
        "WW_verify_a1B2c3D4e5F6g7H8.txt/..",
        "WW_verify_a1B2c3D4_5F6g7H8.txt",
    ],
)
def test_other_names_are_rejected(name: str) -> None:
    assert not is_verification_file(name)
