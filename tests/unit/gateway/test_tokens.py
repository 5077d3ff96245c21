import time

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from gateway.tokens import AccessTokens
from photolog.errors import Unauthenticated

KEY = b"k" * 32
NOW = 1_800_000_000
CLAIMS = {"iss": "photolog", "sub": "7", "sid": "9", "role": "account", "iat": NOW, "exp": NOW + 600}


def _tokens() -> AccessTokens:
    return AccessTokens(KEY, 600, lambda: NOW * 1000)


def _signed(claims: dict[str, object], key: bytes = KEY, algorithm: str = "HS256") -> str:
    return jwt.encode({"alg": algorithm}, claims, OctKey.import_key(key), algorithms=[algorithm])


def test_a_token_says_who_calls() -> None:
    tokens = _tokens()
    claims = tokens.read(tokens.for_account(7, 9))
    assert (claims.sub, claims.sid, claims.role) == ("7", "9", "account")
    operator = tokens.read(tokens.for_operator("ada", 60))
    assert (operator.sub, operator.sid, operator.role) == ("ada", None, "operator")


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "elsewhere"},
        {"role": "admin"},
        {"sid": None},
        {"sub": ""},
        {"sub": "seven"},
        {"exp": "never"},
        {"exp": NOW},
        {"sid": "9; drop"},
    ],
)
def test_claims_that_are_not_ours_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(Unauthenticated):
        _tokens().read(_signed(CLAIMS | change))


@pytest.mark.parametrize("missing", ["iss", "sub", "role", "iat", "exp", "sid"])
def test_every_claim_is_needed(missing: str) -> None:
    with pytest.raises(Unauthenticated):
        _tokens().read(_signed({name: value for name, value in CLAIMS.items() if name != missing}))


def test_another_key_or_algorithm_is_refused() -> None:
    for token in (_signed(CLAIMS, b"x" * 32), _signed(CLAIMS, KEY, "HS512"), _unsigned()):
        with pytest.raises(Unauthenticated):
            _tokens().read(token)


def _unsigned() -> str:
    _, claims, _ = _signed(CLAIMS).split(".")
    return f"eyJhbGciOiJub25lIn0.{claims}."


def test_a_token_that_was_read_before_expires_all_the_same() -> None:
    now = [NOW]
    tokens = AccessTokens(KEY, 600, lambda: now[0] * 1000)
    token = tokens.for_account(7, 9)
    tokens.read(token)
    now[0] += 600
    with pytest.raises(Unauthenticated) as refused:
        tokens.read(token)
    assert refused.value.kind == "token-expired"


def test_a_changed_signature_is_refused() -> None:
    tokens = _tokens()
    token = tokens.for_account(7, 9)
    tokens.read(token)
    changed = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    with pytest.raises(Unauthenticated):
        tokens.read(changed)


def test_hostile_bytes_are_refused_quickly() -> None:
    started = time.perf_counter()
    for token in ("." * 1_000, "a" * 100_000, "é.é.é", "e30.e30.e30", "\x00"):
        with pytest.raises(Unauthenticated):
            _tokens().read(token)
    assert time.perf_counter() - started < 1
