"""`bin/photolog settings`: every setting, as a deployment must give it."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

import msgspec
import typer
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from rich.console import Console
from rich.table import Table

from photolog.rates import Rate
from photolog.settings import Settings

_HEADING = """# Settings

What `bin/photolog settings --markdown` prints. Each key is an environment variable, or a line of the file that
`PHOTOLOG_ENV_FILE` names; the environment wins. A key without a default must be given. No address has one: the local
stack writes its own into `.photolog/local.env`.

A managed deployment differs in values only, for example:

```sh
PHOTOLOG_KAFKA__BOOTSTRAP_SERVERS=broker-1.example.net:9096,broker-2.example.net:9096
PHOTOLOG_KAFKA__SECURITY_PROTOCOL=SASL_SSL
PHOTOLOG_KAFKA__SASL_MECHANISM=SCRAM-SHA-512
PHOTOLOG_KAFKA__SASL_USERNAME=photolog
PHOTOLOG_KAFKA__SASL_PASSWORD=…
PHOTOLOG_KAFKA__REPLICATION_FACTOR=3
PHOTOLOG_REDIS__URL=rediss://photolog:…@cache.example.net:6379/0
PHOTOLOG_REDIS__CLUSTER=true
PHOTOLOG_CASSANDRA__HOSTS=["cassandra.example.net"]
PHOTOLOG_CASSANDRA__TLS=true
PHOTOLOG_S3__REGION=eu-central-1
PHOTOLOG_S3__BUCKET=photolog-media
```
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One key, with its default as a deployment would write it (None where it must be given)."""

    key: str
    default: str | None
    secret: bool
    meaning: str


def settings(
    as_json: Annotated[bool, typer.Option("--json", help="one object a line")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="as docs/SETTINGS.md has it")] = False,
) -> None:
    """List every setting: key, default, meaning. It shows no value of this machine.

    Example: bin/photolog settings --json
    """
    listed = all_settings()
    if markdown:
        typer.echo(as_markdown(listed), nl=False)
    elif as_json:
        for setting in listed:
            typer.echo(msgspec.json.encode(asdict(setting)).decode())
    else:
        table = Table("key", "default", "meaning")
        for setting in listed:
            table.add_row(setting.key, "must be given" if setting.default is None else setting.default, setting.meaning)
        Console().print(table)


def all_settings() -> list[Setting]:
    """Every key of `photolog.settings`, in its order."""
    return _of(Settings, "PHOTOLOG_")


def as_markdown(listed: list[Setting]) -> str:
    """The text of docs/SETTINGS.md."""
    rows = ["", "| key | default | meaning |", "|---|---|---|"]
    for setting in listed:
        default = "**must be given**" if setting.default is None else f"`{setting.default}`" if setting.default else "—"
        rows.append(f"| `{setting.key}` | {default} | {setting.meaning}{' (secret)' if setting.secret else ''} |")
    return _HEADING + "\n".join(rows) + "\n"


def _of(model: type[BaseModel], prefix: str) -> list[Setting]:
    found: list[Setting] = []
    for name, field in model.model_fields.items():
        group = field.annotation
        if isinstance(group, type) and issubclass(group, BaseModel):
            found += _of(group, f"{prefix}{name.upper()}__")
        else:
            found.append(
                Setting(f"{prefix}{name.upper()}", _default(field), _is_secret(field), field.description or "")
            )
    return found


def _default(field: FieldInfo) -> str | None:
    value: Any = field.default
    if value is PydanticUndefined:
        return None
    if value is None:
        return ""
    return str(value) if isinstance(value, str | Rate) else msgspec.json.encode(value).decode()


def _is_secret(field: FieldInfo) -> bool:
    return "SecretStr" in str(field.annotation) or field.annotation is SecretStr
