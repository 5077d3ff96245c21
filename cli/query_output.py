"""What a query found, for a person, or for another program."""

import csv
import math
import sys
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

import msgspec
from rich.console import Console
from rich.table import Table

from analytics.database import Answer
from cli.log_options import plain

Format = Literal["table", "json", "csv"]


def write(answer: Answer, form: Format) -> None:
    """Print an answer; that there is more is said on the error output."""
    match form:
        case "json":
            for row in answer.rows:
                line = dict(zip(answer.columns, map(_json, row), strict=True))
                sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        case "csv":
            lines = csv.writer(sys.stdout, lineterminator="\n")
            lines.writerow(answer.columns)
            lines.writerows([_cell(value) for value in row] for row in answer.rows)
        case "table":
            table = Table(*map(plain, answer.columns), box=None, pad_edge=False)
            for row in answer.rows:
                table.add_row(*(plain(_cell(value)) for value in row))
            Console(markup=False, highlight=False).print(table)
    if answer.is_cut:
        sys.stderr.write(f"There are more than these {len(answer.rows)} rows; --limit shows more.\n")


def _cell(value: Any) -> str:
    """A value as text; nothing for none."""
    match value:
        case None:
            return ""
        case bool() | Mapping() | list():
            return msgspec.json.encode(_json(value)).decode()
        case float():
            return f"{value:g}" if math.isinf(value) or math.isnan(value) else repr(value)
        case str():
            return value
    found = _json(value)
    return found if isinstance(found, str) else str(found)


def _json(value: Any) -> Any:
    """A value in JSON's terms."""
    match value:
        case Mapping():
            return {str(name): _json(held) for name, held in value.items()}
        case list() | tuple():
            return [_json(held) for held in value]
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time() | timedelta():
            return str(value)
        case None | bool() | int() | float() | str():
            return value
    return str(value)
