"""Asking for one's data: the archive is built by the leaving worker, never in a request."""

from typing import Literal

import msgspec

from gateway.endpoint import Answer, Call, Endpoint
from gateway.services import Services
from gateway.vault.port import ExportRow
from gateway.visibility import nothing_here
from photolog.timestamps import rfc3339


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """An export; `url` is good for as long as signed addresses are, and given anew with each answer."""

    export_id: str
    state: Literal["running", "ready"]
    requested_at: str
    expires_at: str | None = None
    size_bytes: int | None = None
    url: str | None = None


async def begin(services: Services, call: Call) -> Answer:
    """Ask for all of one's data. Whoever has an export that is under way, or ready, gets that one again."""
    row = ExportRow(account_id=call.viewer, export_id=services.ids.next(), requested_ms=services.clock_ms())
    return Answer(_shown(services, await services.vault.exports.begin(row)), status=202)


async def export(services: Services, call: Call) -> Answer:
    """How far the viewer's export is, and where to fetch it."""
    row = await services.vault.exports.get(call.viewer)
    if row is None or row.export_id != call.id("export_id"):
        raise nothing_here()
    return Answer(_shown(services, row))


def _shown(services: Services, row: ExportRow) -> Export:
    if row.finished_ms is None:
        return Export(export_id=str(row.export_id), state="running", requested_at=rfc3339(row.requested_ms))
    return Export(
        export_id=str(row.export_id),
        state="ready",
        requested_at=rfc3339(row.requested_ms),
        expires_at=rfc3339(row.finished_ms + services.settings.limits.export_seconds * 1_000),
        size_bytes=row.size_bytes,
        url=services.objects.presign_get(row.object_key, services.settings.s3.presign_seconds),
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/v1/me/export", begin, "Ask for all of one's data", "accounts", response=Export, status=202),
    Endpoint("GET", "/v1/me/exports/{export_id}", export, "How far an export is", "accounts", response=Export),
)
