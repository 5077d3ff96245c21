"""Where clients get media from the edge: open addresses of what everybody may see, signed ones of the rest."""

from photolog.ids import now_ms
from photolog.media.addresses import Picture, StoredFile
from photolog.media.signing import AddressSigner, derived_key
from photolog.settings import Settings, key_bytes


class EdgeAddresses:
    """Writes addresses.

    Args:
        public_url: what clients call the edge.
        signer: signs what not everybody may see.
    """

    def __init__(self, public_url: str, signer: AddressSigner) -> None:
        self._public_url = public_url.rstrip("/")
        self._signer = signer

    def open(self, address: Picture | StoredFile) -> str:
        """The address of what everybody may see. It is good for as long as they may."""
        return f"{self._public_url}{address.path}"

    def signed(self, address: Picture | StoredFile, viewer_id: int | None, seconds: int) -> str:
        """The address of what this viewer may see, for so many seconds and for as long as they may."""
        return f"{self._public_url}{self._signer.sign(address.path, viewer_id, seconds)}"


def edge_addresses(settings: Settings) -> EdgeAddresses | None:
    """As the settings say; None where there is no edge."""
    public_url = settings.edge.public_url
    return None if public_url is None else EdgeAddresses(public_url, address_signer(settings))


def address_signer(settings: Settings) -> AddressSigner:
    """Signs and reads addresses with the keys of the settings."""
    own = [key_bytes(key) for key in settings.edge.signing_keys]
    return AddressSigner(own or [derived_key(key_bytes(settings.secrets.hash_key))], now_ms)
