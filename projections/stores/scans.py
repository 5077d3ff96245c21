"""What a scan may ask, the same for every row store."""

from projections.tables import KeyTuple, R, Table


def check_scan(table: Table[R], partition: KeyTuple, after: KeyTuple | None) -> None:
    """Make sure that a scan has an answer.

    Raises:
        ValueError: the table is read by key only, or a key tuple has the wrong length.
    """
    if table.aggregate:
        raise ValueError(f"{table.name} is read by key, not scanned")
    if len(partition) != len(table.partition):
        raise ValueError(f"a partition of {table.name} is {table.partition}, not {partition}")
    if after is not None and not 1 <= len(after) <= len(table.clustering):
        raise ValueError(f"{table.name} is ordered by {table.clustering}, which {after} is no prefix of")
