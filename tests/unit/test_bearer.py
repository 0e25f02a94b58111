"""Tokens are checked as their issuer's configuration says. joserfc issues them."""

import base64
import hmac
import json
from typing import Any

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, RSAKey

from parley.bearer import LEEWAY, StaleTokenError, TokenError, claims_of, header_of, keys_in, token_in
from parley.issuers import Algorithm, Issuer, check_issuers
from tests.tokens import ASYMMETRIC, ISSUER, SECRET, issuer, key, public, token

NOW = 1_800_000_000.0
ALGORITHMS: tuple[Algorithm, ...] = ("HS256", *ASYMMETRIC)


def checked(made: str, *issuers: Issuer, keys: tuple[dict[str, Any], ...] = (), now: float = NOW) -> dict[str, Any]:
    return claims_of(made, header_of(made, issuers), keys, now)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(header: dict[str, Any]) -> str:
    claims = {"iss": ISSUER, "aud": "parley", "sub": "lin", "exp": NOW + 300}
    return ".".join((*(encoded(json.dumps(part).encode()) for part in (header, claims)), ""))


def hashed(header: dict[str, Any], secret: bytes) -> str:
    made = unsigned(header)
    return made + encoded(hmac.digest(secret, made[:-1].encode(), "sha256"))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_of_another_implementation_is_accepted(algorithm: Algorithm) -> None:
    assert checked(token(NOW, algorithm), issuer(algorithm))["sub"] == "lin"


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_a_key_is_found_by_its_kid_in_a_key_set(algorithm: Algorithm) -> None:
    other, ours = public(algorithm, "k2"), public(algorithm)
    held = keys_in({"keys": [other, "junk", ours]})
    remote = issuer(algorithm, keys=(), key_set_url="https://login.example.com/keys")
    assert checked(token(NOW, algorithm), remote, keys=tuple(held))["sub"] == "lin"
    with pytest.raises(TokenError, match="kid"):
        checked(token(NOW, algorithm, {"kid": "k3"}), remote, keys=tuple(held))


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_a_token_without_kid_needs_an_issuer_with_one_key(algorithm: Algorithm) -> None:
    made = token(NOW, algorithm, {"kid": None})
    assert checked(made, issuer(algorithm))["sub"] == "lin"
    with pytest.raises(TokenError, match="several"):
        checked(made, issuer(algorithm, keys=(public(algorithm), public(algorithm, "k2"))))


def test_both_secrets_are_accepted_while_the_secret_changes() -> None:
    newer = "another shared secret of 32 bytes and more"
    both = issuer(secrets=(newer, SECRET))
    assert checked(token(NOW), both)["sub"] == "lin"
    assert checked(token(NOW, signer=OctKey.import_key(newer)), both)["sub"] == "lin"
    with pytest.raises(TokenError, match="signature"):
        checked(token(NOW), issuer(secrets=(newer,)))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_without_a_signature_is_refused(algorithm: Algorithm) -> None:
    for header in ({"alg": "none"}, {"alg": "None"}, {}, {"alg": algorithm}, {"alg": [algorithm]}, {"alg": None}):
        with pytest.raises(TokenError):
            checked(unsigned(header), issuer(algorithm))


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_a_public_key_is_no_shared_secret(algorithm: Algorithm) -> None:
    signer: Any = key(algorithm)
    for secret in (signer.as_pem(private=False), json.dumps(public(algorithm)).encode()):
        for name in ("HS256", algorithm):
            with pytest.raises(TokenError):
                checked(hashed({"alg": name, "kid": "k1"}, secret), issuer(algorithm))


def test_only_the_algorithm_of_the_configuration_is_accepted() -> None:
    for configured in ALGORITHMS:
        for used in set(ALGORITHMS) - {configured}:
            with pytest.raises(TokenError, match="not signed with"):
                checked(token(NOW, used), issuer(configured))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"aud": None},
        {"aud": ["another", "third"]},
        {"iss": "https://other.example.com"},
        {"iss": None},
        {"sub": None},
        {"sub": 7},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": "now"},
        {"nbf": True},
    ],
    ids=str,
)
def test_a_wrong_claim_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TokenError):
        checked(token(NOW, **changes), issuer())


def test_an_audience_is_one_of_several() -> None:
    assert checked(token(NOW, aud=["another", "parley"]), issuer())["sub"] == "lin"


def test_a_token_is_valid_within_its_times_and_a_minute() -> None:
    made = token(NOW, nbf=NOW, exp=NOW + 300)
    for wait in (-LEEWAY, 0, 300, 300 + LEEWAY - 1):
        assert checked(made, issuer(), now=NOW + wait)
    for wait in (-LEEWAY - 1, 300 + LEEWAY):
        with pytest.raises(StaleTokenError):
            checked(made, issuer(), now=NOW + wait)


@pytest.mark.parametrize(
    "made", ["", "x", "a.b", "a.b.c", "....", "é.é.é", "\0", "a" * 10_000, "e30.e30.", "W10.W10.x"]
)
def test_what_is_no_token_is_refused(made: str) -> None:
    with pytest.raises(TokenError):
        checked(made, issuer())


@pytest.mark.parametrize("depth", [100_000])
def test_a_deeply_nested_token_is_refused(depth: int) -> None:
    nested = base64.urlsafe_b64encode(b"[" * depth).decode()
    with pytest.raises(TokenError):
        checked(f"{nested}.{nested}.x"[:8000], issuer())


def test_a_header_that_must_be_understood_is_refused() -> None:
    assert checked(hashed({"alg": "HS256"}, SECRET.encode()), issuer())
    with pytest.raises(TokenError):
        checked(hashed({"alg": "HS256", "crit": ["x"], "x": 1}, SECRET.encode()), issuer())


def test_weak_keys_and_keys_of_another_curve_sign_nothing() -> None:
    with pytest.warns(SecurityWarning):
        weak = RSAKey.generate_key(1024, {"kid": "k1"})
    remote = issuer("RS256", keys=(), key_set_url="https://login.example.com/keys")
    with pytest.raises(TokenError, match="no key"):
        checked(token(NOW, "RS256", signer=weak), remote, keys=(weak.as_dict(private=False),))
    other = ECKey.generate_key("P-384", {"kid": "k1"}).as_dict(private=False)
    with pytest.raises(TokenError, match="no key"):
        checked(token(NOW, "ES256"), issuer("ES256", keys=(), key_set_url="https://x.example.com"), keys=(dict(other),))


@pytest.mark.parametrize("change", [{"use": "enc"}, {"alg": "ES512"}, {"key_ops": ["sign"]}, {"d": "x"}, {"x": "!"}])
def test_a_key_for_another_use_verifies_nothing(change: dict[str, Any]) -> None:
    remote = issuer("ES256", keys=(), key_set_url="https://login.example.com/keys")
    with pytest.raises(TokenError, match="no key"):
        checked(token(NOW, "ES256"), remote, keys=({**public("ES256"), **change},))


def test_the_issuer_is_found_by_its_name() -> None:
    other = issuer("ES256", issuer="https://other.example.com", prefix="other:")
    found = header_of(token(NOW), (other, issuer()))
    assert found.issuer == issuer()


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic eA==", "abc"])
def test_a_request_without_a_bearer_token_is_refused(header: str) -> None:
    with pytest.raises(TokenError):
        token_in(header)


def test_the_scheme_has_any_case() -> None:
    assert token_in("bearer abc") == token_in("Bearer  abc") == "abc"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"issuer": ""}, "issuer"),
        ({"audience": ""}, "audience"),
        ({"secrets": ()}, "secrets"),
        ({"secrets": ("short",)}, "secrets"),
        ({"keys": (public("ES256"),)}, "keys"),
        ({"prefix": "#x"}, "prefix"),
        ({"prefix": "é"}, "prefix"),
        ({"algorithm": "ES256"}, "secrets"),
        ({"algorithm": "ES256", "secrets": ()}, "keys"),
        ({"algorithm": "ES256", "secrets": (), "keys": (public("EdDSA"),)}, "keys"),
        ({"algorithm": "ES256", "secrets": (), "keys": ({**public("ES256"), "d": "x"},)}, "private"),
        ({"algorithm": "ES256", "secrets": (), "key_set_url": "http://login.example.com/keys"}, "key_set_url"),
        ({"algorithm": "ES256", "secrets": (), "key_set_url": "file:///keys"}, "key_set_url"),
    ],
)
def test_a_wrong_configuration_names_the_field(changes: dict[str, Any], named: str) -> None:
    fields: dict[str, Any] = {"issuer": ISSUER, "audience": "parley", "algorithm": "HS256", "secrets": (SECRET,)}
    with pytest.raises(ValueError, match=named) as failed:
        Issuer(**{**fields, **changes})
    assert SECRET not in str(failed.value)


def test_issuers_have_different_names_and_prefixes() -> None:
    check_issuers((issuer(), issuer(issuer="https://other.example.com", prefix="other:")))
    for issuers in ((), (issuer(), issuer(prefix="x")), (issuer(), issuer(issuer="https://other.example.com"))):
        with pytest.raises(ValueError, match="issuers"):
            check_issuers(issuers)
