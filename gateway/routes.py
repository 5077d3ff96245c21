"""Every endpoint of the gateway, one line for each capability."""

from gateway.commands import accounts as account_commands
from gateway.commands import operator, sessions
from gateway.endpoint import Endpoint
from gateway.queries import accounts as account_queries

ENDPOINTS: tuple[Endpoint, ...] = (
    *account_commands.ENDPOINTS,
    *sessions.ENDPOINTS,
    *account_queries.ENDPOINTS,
    *operator.ENDPOINTS,
)
