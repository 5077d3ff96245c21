"""What lives outside the log: user names, credentials, sessions, reservations, uploads, grants; subject keys are
beside.
"""

from gateway.vault.credentials import CREDENTIALS_DDL
from gateway.vault.erasures import ERASURES_DDL
from gateway.vault.exports import EXPORTS_DDL
from gateway.vault.grants import GRANTS_DDL
from gateway.vault.nodes import NODES_DDL
from gateway.vault.reservations import RESERVATIONS_DDL
from gateway.vault.sessions import SESSIONS_DDL
from gateway.vault.uploads import UPLOADS_DDL
from gateway.vault.usernames import USERNAMES_DDL

VAULT_DDL: tuple[str, ...] = (
    *USERNAMES_DDL,
    CREDENTIALS_DDL,
    SESSIONS_DDL,
    RESERVATIONS_DDL,
    NODES_DDL,
    *UPLOADS_DDL,
    *ERASURES_DDL,
    *EXPORTS_DDL,
    GRANTS_DDL,
)
