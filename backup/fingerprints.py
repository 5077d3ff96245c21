"""Which keys of the settings a backup was made under: told by fingerprints that say nothing of the keys."""

import hmac
from collections.abc import Mapping

from photolog.errors import Conflict
from photolog.settings import SecretSettings, key_bytes

_PREFIX = "PHOTOLOG_SECRETS__"


def fingerprints(secrets: SecretSettings) -> dict[str, str]:
    """The fingerprint of each key without which what is kept cannot be read, by the setting's name."""
    keys = {"MASTER_KEY": secrets.master_key, "HASH_KEY": secrets.hash_key, "PSEUDONYM_KEY": secrets.pseudonym_key}
    return {
        _PREFIX + name: hmac.digest(key_bytes(key), b"photolog/backup/fingerprint", "sha256")[:8].hex()
        for name, key in keys.items()
        if key is not None
    }


def check_fingerprints(secrets: SecretSettings, told: Mapping[str, str]) -> None:
    """Make sure that the settings hold the keys that a backup was made under.

    Raises:
        Conflict: they hold others, by name.
    """
    here = fingerprints(secrets)
    wrong = sorted(name for name in {*here, *told} if here.get(name) != told.get(name))
    if wrong:
        raise Conflict(
            "other-keys",
            f"{', '.join(wrong)} is not what it was when this backup was made. A backup holds no key of the settings: "
            "people's keys and names, sessions and pseudonyms can only be read under the ones of then",
        )
