"""Keeps the schemas as they are now: a copy of each that changed, and the bytes of an event that was written with it.

`python -m tests.unit.schemas.keep`, once a change is final: a version that is kept is never edited again.
"""

import json

from schemas.compatibility import KeptSchema, kept_versions
from schemas.serde import SCHEMAS
from schemas.versions import HISTORY_FOLDER
from tests.unit.schemas.kept_schemas import RECORDS, new_record


def keep() -> list[str]:
    """Keep what is not kept yet; the names of the new versions."""
    added = []
    for event, schema in SCHEMAS.items():
        kept, form = kept_versions(event), json.loads(schema.text)
        if kept and kept[-1].form == form:
            continue
        new = KeptSchema(event, len(kept) + 1, form)
        path = HISTORY_FOLDER / f"{new.name}.avsc"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(schema.text)
        record = json.dumps(new_record(new), ensure_ascii=False)
        RECORDS.write_text(RECORDS.read_text().rstrip().removesuffix("]").rstrip() + f",\n{record}\n]\n")
        added.append(new.name)
    return added


if __name__ == "__main__":
    for name in keep():
        print(f"kept {name}")
