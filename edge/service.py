"""The edge as an ASGI application: who may see it, then the picture or the file.

An unsigned address is answered where anybody may see the media, and kept by caches; a signed one where its viewer may
still see it, and kept by nobody. What is not there and what may not be seen are answered alike.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from edge import metrics, playlists
from edge.answers import Access, etag_of, is_known
from edge.bootstrap import EdgeServices, Wired, connect
from edge.files import FileAnswer, opened
from edge.negotiation import negotiate
from edge.pictures import PictureJob
from edge.ranges import NotSatisfiable, wanted_part
from edge.resizing import RECIPE
from gateway.middleware import ROUTE, RequestFrame
from gateway.queries import health
from gateway.shown_media import see_media
from gateway.visibility import nothing_here
from photolog.library_logs import quieten
from photolog.media.addresses import Picture, PictureFormat, StoredFile, parse_address
from photolog.media.sizes import LISTED
from photolog.settings import Settings, load_settings
from photolog.telemetry import configure_logging, serve_metrics
from schemas.events import MediaVariant

REQUEST_SECONDS_MAX = 9.0
"""How long a picture may take. It is less than a cache waits for it, and than `edge.purger.SETTLE_SECONDS`."""
PICTURE_ROUTE = "/media/{media_id}/{width}x{height}/{fit}.{format}"
FILE_ROUTE = "/media/{media_id}/file/{name}"
Connect = Callable[[Settings], AbstractAsyncContextManager[Wired]]


def application() -> Starlette:
    """What uvicorn serves: everything from the settings."""
    settings = load_settings()
    configure_logging(settings.log_level, "edge")
    quieten("botocore", "cassandra", "pyvips", "urllib3")
    serve_metrics(settings)
    return create_app(settings)


def create_app(
    settings: Settings,
    connected: Connect = connect,
    further: Callable[[EdgeServices], Sequence[BaseRoute]] = lambda services: (),
) -> Starlette:
    """The application. Its routes are there once it has started, because they stand on connected engines.

    Args:
        settings: all settings.
        connected: gives the services for the application's life.
        further: routes beside its own.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with connected(settings) as wired:
            media = Route("/media/{rest:path}", partial(answer, wired.services), methods=["GET"])
            app.router.routes[:] = [media, *health.routes(wired.probes), *further(wired.services)]
            yield

    secure = (settings.edge.public_url or "").startswith("https:")
    frame = Middleware(RequestFrame, seconds_max=REQUEST_SECONDS_MAX, secure=secure)
    app = Starlette(lifespan=lifespan, middleware=[frame], exception_handlers={HTTPException: _to_the_frame})
    app.router.redirect_slashes = False
    return app


async def _to_the_frame(request: Request, error: Exception) -> Response:
    """What the router refuses becomes a problem where all errors do."""
    raise error


async def answer(services: EdgeServices, request: Request) -> Response:
    """A picture or a file.

    Raises:
        NotFound: it is not there, or may not be seen.
        Forbidden: its signature is not ours, or its time is over.
        Busy: too many pictures are being made.
    """
    services.pinned.pin_known()
    # As it came: an address has one spelling, and what was escaped is another.
    path = request.scope["raw_path"].decode("latin-1")
    address = parse_address(path)
    request.scope[ROUTE] = FILE_ROUTE if isinstance(address, StoredFile) else PICTURE_ROUTE
    query = request.scope["query_string"].decode("latin-1")
    permit = services.signer.verify(path, query) if query else None
    if address is None or (permit is None and isinstance(address, Picture) and not _is_listed(address)):
        raise nothing_here()
    shown = await see_media(services.rows, permit.viewer_id if permit else None, address.media_id)
    access = Access(shown, signed=permit is not None, viewer_id=permit.viewer_id if permit else None)
    if isinstance(address, Picture):
        return await _picture(services, request, address, access)
    return await _file(services, request, address, access)


def _is_listed(picture: Picture) -> bool:
    return (picture.width, picture.height) in LISTED


async def _picture(services: EdgeServices, request: Request, asked: Picture, access: Access) -> Response:
    negotiated = asked.format is PictureFormat.AUTO
    form = negotiate(request.headers.get("accept")) if negotiated else asked.format
    source = access.source()
    job = PictureJob(Picture(asked.media_id, asked.width, asked.height, asked.fit, form), source)
    headers = access.headers(services.shared_seconds)
    headers["etag"] = etag_of(RECIPE, job.picture.path, source.object_key)
    if negotiated:
        headers["vary"] = "Accept"
    _count("picture", access)
    if is_known(request.headers.get("if-none-match"), headers["etag"]):
        return Response(status_code=304, headers=headers)
    return Response(await services.pictures.get(job), headers=headers, media_type=f"image/{form}")


async def _file(services: EdgeServices, request: Request, asked: StoredFile, access: Access) -> Response:
    stored = access.shown.stored(asked.name)
    if access.signed and stored.content_type in playlists.CONTENT_TYPES:
        return await _signed_playlist(services, asked, stored, access)
    headers = access.headers(services.shared_seconds)
    headers |= {"etag": etag_of(asked.path, stored.object_key, stored.size_bytes), "accept-ranges": "bytes"}
    _count("file", access)
    if is_known(request.headers.get("if-none-match"), headers["etag"]):
        return Response(status_code=304, headers=headers)
    try:
        part = wanted_part(
            request.headers.get("range"), request.headers.get("if-range"), stored.size_bytes, headers["etag"]
        )
    except NotSatisfiable:
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{stored.size_bytes}"})
    whole = FileAnswer(stored, part)
    headers |= whole.headers
    if request.method == "HEAD":
        return Response(status_code=whole.status, headers=headers, media_type=stored.content_type)
    chunks = await opened(services.bucket, whole, request.scope)
    return StreamingResponse(chunks, whole.status, headers=headers, media_type=stored.content_type)


async def _signed_playlist(services: EdgeServices, asked: StoredFile, stored: MediaVariant, access: Access) -> Response:
    def sign(name: str) -> str:
        path = StoredFile(asked.media_id, name).path
        return services.signer.sign(path, access.viewer_id, playlists.NAMED_SECONDS)

    text = (await services.sources.read(stored)).decode()
    _count("file", access)
    signed = playlists.signed_playlist(text, sign)
    return Response(signed, headers=access.headers(services.shared_seconds), media_type=stored.content_type)


def _count(kind: str, access: Access) -> None:
    metrics.ANSWERS.labels(kind, "signed" if access.signed else "public").inc()
