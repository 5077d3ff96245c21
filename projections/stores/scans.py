"""What a scan may ask, the same for every row store."""

from projections.tables import KeyTuple, R, Table


def check_scan(
    table: Table[R], partition: KeyTuple, after: KeyTuple | None = None, until: KeyTuple | None = None
) -> None:
    """Make sure that a scan has an answer.

    Raises:
        ValueError: the table is read by key only, a key tuple has the wrong length, or an end is given for a table
            that is ordered in two directions.
    """
    if table.aggregate:
        raise ValueError(f"{table.name} is read by key, not scanned")
    if len(partition) != len(table.partition):
        raise ValueError(f"a partition of {table.name} is {table.partition}, not {partition}")
    for key in (after, until):
        if key is not None and not 1 <= len(key) <= len(table.clustering):
            raise ValueError(f"{table.name} is ordered by {table.clustering}, which {key} is no prefix of")
    if until is not None and len({column.startswith("-") for column in table.clustering}) > 1:
        raise ValueError(f"{table.name} is ordered in two directions, {table.clustering}")
