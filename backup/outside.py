"""Everything that is in the engines and cannot be folded from the log again, and what of it a backup keeps.

A test holds these lists to the statements that `migrate` runs: a table that is no projection's and is not named here
fails the build.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeptTable:
    """A table whose rows a backup copies.

    Args:
        name: its name.
        what: what its rows are.
        expires: whether rows have a time to live. A row is restored with what is left of it.
    """

    name: str
    what: str
    expires: bool = False


KEPT: tuple[KeptTable, ...] = (
    # Keys come last of what is needed to read the log: a key must be there for every record that is.
    KeptTable(
        "subject_keys", "the key of each person's sealed fields, wrapped by the master key; markers of erased ones"
    ),
    KeptTable("credentials", "user name and password's hash of each account"),
    # Behind the credentials, of which an account that the log does not know is given its reservation back.
    KeptTable("usernames", "who has each user name"),
    KeptTable("resting_usernames", "names of erased accounts, as keyed hashes", expires=True),
    KeptTable("sessions", "families of refresh tokens", expires=True),
    KeptTable("reservations", "what commands under an Idempotency-Key decided", expires=True),
    KeptTable("uploads", "uploads under way", expires=True),
    KeptTable("upload_names", "clients' own names of these", expires=True),
    KeptTable("contents", "which files in the bucket are shared, and who holds them"),
    KeptTable("erasures", "markers of erased accounts, how far each erasure is, receipts"),
    KeptTable("open_erasures", "erasures that are not finished"),
    KeptTable("grants", "what analysts may subscribe to; digests of their tokens"),
    KeptTable("letter_settlements", "dead letters that were given up or retried"),
)
"""In the order in which they are copied and restored."""

LEFT: Mapping[str, str] = {
    "topic_growths": "how topics have grown stands in the manifest, with the topics",
    "positions": "read models are folded again from the log's beginning",
    "generations": "read models are folded again into their first generation",
    "export_positions": "files for analysis are made of the log again, into a bucket that has none",
    "nodes": "leases of numbers by processes that run now",
    "exports": "an archive holds opened personal data and can be asked for again",
    "open_exports": "the list of these",
    "restores": "how far a restore of this very system is",
}
"""Tables that a backup leaves out, and why."""

ELSEWHERE: Mapping[str, str] = {
    "Redis": "holds caches, timelines, their positions and counts of limits: filled again by jobs and reads",
    "registry": "every version of every subject, with its id, is in the manifest",
    "Kafka's consumer groups": "those of the transcode and moderation workers are in the manifest; jobs keep positions "
    "in stores, a purger that has none begins where a cache's memory does, a keeper at the log's beginning, where it "
    "finds done what was",
    "S3, raw/, originals/, processed/ and archive/": "photographs and videos; `--media` copies them, or the object "
    "store's own replication does",
    "S3, blocked/": "thumbprints of blocked photographs; without them an operator looks at what is near these",
    "S3, events/": "files for analysis: made of the log again",
    "S3, exports/": "archives that expire and can be asked for again",
    "settings": "addresses and keys, the master key above all, are the operator's to keep, apart from the backup",
}
"""What else there is, and what becomes of it."""
