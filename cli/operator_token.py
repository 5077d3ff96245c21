"""`bin/photolog operator-token`: a token for operators' requests, signed with the deployment's own key."""

import getpass
import re
from typing import Annotated

import msgspec
import typer

from gateway.tokens import AccessTokens
from photolog.ids import now_ms
from photolog.settings import Settings, key_bytes, load_settings

_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")


def operator_token(
    name: Annotated[str | None, typer.Option(help="who acts; kept in the log. By default the user here.")] = None,
    seconds: Annotated[int, typer.Option(min=30, max=3_600, help="how long the token is good")] = 600,
    as_json: Annotated[bool, typer.Option("--json", help="one object")] = False,
) -> None:
    """Print a short-lived token for operators' requests. Whoever may read the settings' keys may mint one.

    Example: curl -H "Authorization: Bearer $(bin/photolog operator-token --name ada)" …
    """
    operator = name or getpass.getuser()
    token = minted(load_settings(), operator, seconds)
    if as_json:
        answer = {"operator": operator, "access_token": token, "expires_in_seconds": seconds}
        typer.echo(msgspec.json.encode(answer).decode())
    else:
        typer.echo(token)


def minted(settings: Settings, operator: str, seconds: int) -> str:
    """A token for an operator.

    Args:
        settings: hold the key that signs it.
        operator: who acts; kept in the log.
        seconds: how long it is good.

    Raises:
        BadParameter: it is no name.
    """
    if not _NAME.fullmatch(operator):
        raise typer.BadParameter("a name is 1 to 64 letters, digits, dots, @, _ or -", param_hint="--name")
    tokens = AccessTokens(key_bytes(settings.secrets.access_token_key), settings.limits.access_token_seconds, now_ms)
    return tokens.for_operator(operator, seconds)
