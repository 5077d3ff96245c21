"""Access tokens: JSON Web Tokens under HS256 and nothing else, short-lived (RFC 7519, RFC 8725).

A token says who calls; whether its session and account still may is asked on every request
(gateway/authentication.py).
"""

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from photolog.errors import Unauthenticated

ISSUER = "photolog"
_ALGORITHM = "HS256"
_HEADER = {"alg": _ALGORITHM, "typ": "JWT"}
_TOKEN_CHARACTERS_MAX = 1_024
_KEPT_MAX = 8_192


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says. `sub` is an account's id, or an operator's name; times are Unix seconds."""

    iss: Literal["photolog"]
    sub: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    role: Literal["account", "operator"]
    iat: int
    exp: int
    sid: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,19}$")] | None = None


class AccessTokens:
    """Signs and reads access tokens.

    Args:
        key: the 32-byte signing key, the same on every gateway.
        lifetime_seconds: of an account's token.
        clock_ms: Unix milliseconds.
    """

    def __init__(self, key: bytes, lifetime_seconds: int, clock_ms: Callable[[], int]) -> None:
        self._key = OctKey.import_key(key)
        self.lifetime_seconds = lifetime_seconds
        self._clock_ms = clock_ms
        self._verified: dict[str, Claims] = {}

    def for_account(self, account_id: int, session_id: int) -> str:
        """A token of a session."""
        return self._sign({"sub": str(account_id), "sid": str(session_id), "role": "account"}, self.lifetime_seconds)

    def for_operator(self, name: str, lifetime_seconds: int) -> str:
        """A token of an operator, who has no account and no session."""
        return self._sign({"sub": name, "role": "operator"}, lifetime_seconds)

    def read(self, token: str) -> Claims:
        """The claims of a genuine token that has not expired.

        A signature is verified once per process: the same bytes stay genuine. The expiry is looked at each time.

        Raises:
            Unauthenticated: it is not ours, or over.
        """
        claims = self._verified.get(token)
        if claims is None:
            claims = self._verify(token)
            if len(self._verified) >= _KEPT_MAX:
                self._verified.clear()
            self._verified[token] = claims
        now = self._clock_ms() // 1000
        if claims.exp <= now:
            raise Unauthenticated("token-expired", "the access token has expired; refresh the session")
        return claims

    def _sign(self, claims: dict[str, str], lifetime_seconds: int) -> str:
        now = self._clock_ms() // 1000
        return jwt.encode(_HEADER, {"iss": ISSUER, "iat": now, "exp": now + lifetime_seconds, **claims}, self._key)

    def _verify(self, token: str) -> Claims:
        if len(token) > _TOKEN_CHARACTERS_MAX:
            raise _invalid()
        try:
            decoded = jwt.decode(token, self._key, algorithms=[_ALGORITHM])
            claims = msgspec.convert(decoded.claims, Claims)
        except (JoseError, ValueError, msgspec.ValidationError) as error:
            raise _invalid() from error
        if claims.role == "account" and (claims.sid is None or not claims.sub.isdigit()):
            raise _invalid()
        return claims


def _invalid() -> Unauthenticated:
    return Unauthenticated("invalid-token", "the access token is not valid")
