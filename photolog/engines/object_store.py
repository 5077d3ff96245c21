"""The S3 bucket that holds media, for asyncio. The gateway signs addresses; clients and workers move the bytes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from photolog.errors import StoreUnavailable
from photolog.settings import S3Settings

T = TypeVar("T")
_CONNECTIONS_MAX = 32
_ABSENT = {"404", "NoSuchKey", "NoSuchUpload", "NotFound"}
# Not 403: wrong credentials of ours say nothing about the object, and trying again with better ones helps.
_REFUSED = {"400", "409", "411", "412", "416"}


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """What the bucket knows of an object; size in bytes."""

    size_bytes: int
    etag: str
    content_type: str


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object as a listing has it; `modified` in Unix seconds."""

    key: str
    etag: str
    size_bytes: int
    modified: float = 0.0


@dataclass(frozen=True, slots=True)
class WholeObject:
    """An object's bytes, and what they are served with."""

    data: bytes
    etag: str
    content_type: str
    cache_control: str | None


@dataclass(frozen=True, slots=True)
class UploadPart:
    """A part of a multipart upload, as S3 answered it."""

    number: int
    etag: str
    size_bytes: int | None = None


class ObjectRefused(Exception):
    """S3 refused the request as it stands (unknown upload, wrong part, bad range); trying again would not help."""


class ObjectAbsent(ObjectRefused):
    """There is no such object or upload."""


class ObjectStore:
    """One bucket.

    Every call raises `StoreUnavailable` when S3 does not answer, and `ObjectRefused` when it refuses.
    """

    def __init__(self, settings: S3Settings) -> None:
        self._settings = settings
        self._client = _client(settings, settings.endpoint_url)
        public = settings.public_endpoint_url
        self._signer = _client(settings, public) if public else self._client

    async def create_upload(self, key: str, content_type: str) -> str:
        """Begin a multipart upload; its id."""
        answer = await self._told(
            ("UploadId",),
            self._client.create_multipart_upload,
            Bucket=self._settings.bucket,
            Key=key,
            ContentType=content_type,
        )
        return str(answer["UploadId"])

    def presign_part(self, key: str, upload_id: str, number: int) -> str:
        """The address to PUT one part to, valid for `presign_seconds`."""
        return str(
            self._signer.generate_presigned_url(
                "upload_part",
                Params={"Bucket": self._settings.bucket, "Key": key, "UploadId": upload_id, "PartNumber": number},
                ExpiresIn=self._settings.presign_seconds,
            )
        )

    def presign_get(self, key: str, seconds: int) -> str:
        """The address to GET an object from, valid for so long."""
        params = {"Bucket": self._settings.bucket, "Key": key}
        return str(self._signer.generate_presigned_url("get_object", Params=params, ExpiresIn=seconds))

    async def upload_part(self, key: str, upload_id: str, number: int, data: bytes) -> UploadPart:
        """Write one part of a multipart upload; all but the last have at least five megabytes."""
        answer = await self._told(
            ("ETag",),
            self._client.upload_part,
            Bucket=self._settings.bucket,
            Key=key,
            UploadId=upload_id,
            PartNumber=number,
            Body=data,
        )
        return UploadPart(number, str(answer["ETag"]), len(data))

    async def list_parts(self, key: str, upload_id: str) -> list[UploadPart]:
        """The parts that have arrived, by number."""
        answer = await self._told(
            ("UploadId",),
            self._client.list_parts,
            Bucket=self._settings.bucket,
            Key=key,
            UploadId=upload_id,
            MaxParts=1000,
        )
        return [UploadPart(part["PartNumber"], part["ETag"], part["Size"]) for part in answer.get("Parts", ())]

    async def complete_upload(self, key: str, upload_id: str, parts: Sequence[UploadPart]) -> None:
        """Join the parts into the object."""
        listed = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        await self._call(
            self._client.complete_multipart_upload,
            Bucket=self._settings.bucket,
            Key=key,
            UploadId=upload_id,
            MultipartUpload={"Parts": listed},
        )

    async def abort_upload(self, key: str, upload_id: str) -> None:
        """Free the parts of an upload; nothing happens where it is gone already."""
        try:
            await self._call(
                self._client.abort_multipart_upload, Bucket=self._settings.bucket, Key=key, UploadId=upload_id
            )
        except ObjectRefused:
            return

    async def head(self, key: str) -> ObjectHead | None:
        """Size and type of an object, None where there is none."""
        try:
            answer = await self._told(
                ("ContentLength", "ETag"), self._client.head_object, Bucket=self._settings.bucket, Key=key
            )
        except ObjectAbsent:
            return None
        return ObjectHead(answer["ContentLength"], answer["ETag"], answer.get("ContentType", ""))

    async def read_range(self, key: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`, fewer at the end of the object."""
        return await self._read(key, Range=f"bytes={start}-{start + length - 1}")

    async def get(self, key: str) -> bytes:
        """A whole object; mind its size first."""
        return await self._read(key)

    async def whole(self, key: str) -> WholeObject | None:
        """A whole object with what it is served with, None where there is none; mind its size first."""

        def read() -> WholeObject:
            answer = self._client.get_object(Bucket=self._settings.bucket, Key=key)
            data = _body(answer)
            return WholeObject(data, answer["ETag"], answer.get("ContentType", ""), answer.get("CacheControl"))

        try:
            return await self._call(read)
        except ObjectAbsent:
            return None

    async def put(self, key: str, data: bytes, content_type: str, cache_control: str | None = None) -> None:
        """Write an object whole."""
        extra = {"CacheControl": cache_control} if cache_control else {}
        await self._call(
            self._client.put_object,
            Bucket=self._settings.bucket,
            Key=key,
            Body=data,
            ContentType=content_type,
            **extra,
        )

    async def put_file(self, key: str, path: Path, content_type: str, cache_control: str | None = None) -> None:
        """Write an object whole, from a file, of which only a piece at a time is in memory."""

        def send() -> None:
            extra = {"CacheControl": cache_control} if cache_control else {}
            with path.open("rb") as file:
                self._client.put_object(
                    Bucket=self._settings.bucket, Key=key, Body=file, ContentType=content_type, **extra
                )

        await self._call(send)

    async def copy(self, key: str, to_key: str) -> None:
        """Copy an object inside the bucket, with what it is served with. Raises ObjectAbsent where there is none."""
        source = {"Bucket": self._settings.bucket, "Key": key}
        await self._call(self._client.copy_object, Bucket=self._settings.bucket, Key=to_key, CopySource=source)

    async def delete(self, key: str) -> None:
        """Delete an object; nothing happens where it is gone already."""
        await self._call(self._client.delete_object, Bucket=self._settings.bucket, Key=key)

    async def keys(self, prefix: str, after: str = "") -> AsyncIterator[list[str]]:
        """The keys that begin with a prefix, in their order, a page at a time; those behind `after`, if given."""
        async for page in self.listed(prefix, after):
            yield [one.key for one in page]

    async def listed(self, prefix: str, after: str = "") -> AsyncIterator[list[ListedObject]]:
        """The objects whose keys begin with a prefix, as `keys`.

        The server's own token is not gone on with: s3proxy's begins anew where a key holds a `=`.
        """
        while True:
            behind = {"StartAfter": after} if after else {}
            page = await self._told(
                ("IsTruncated",),
                self._client.list_objects_v2,
                Bucket=self._settings.bucket,
                Prefix=prefix,
                **behind,
            )
            found = [
                # s3proxy lists an object that goes at that moment without its tag.
                ListedObject(item["Key"], item.get("ETag", ""), item["Size"], item["LastModified"].timestamp())
                for item in page.get("Contents", ())
            ]
            yield found
            if not page.get("IsTruncated") or not found:
                return
            after = found[-1].key

    async def unfinished_uploads(self, prefix: str) -> list[tuple[str, str]]:
        """The key and id of each multipart upload under a prefix that was neither completed nor aborted."""
        found: list[tuple[str, str]] = []
        behind: dict[str, str] = {}
        while True:
            page = await self._told(
                ("IsTruncated",),
                self._client.list_multipart_uploads,
                Bucket=self._settings.bucket,
                Prefix=prefix,
                **behind,
            )
            # Not every server filters by prefix, so we do as well.
            uploads = [(item["Key"], item["UploadId"]) for item in page.get("Uploads", ())]
            found += [(key, upload_id) for key, upload_id in uploads if key.startswith(prefix)]
            if not page.get("IsTruncated") or not uploads:
                return found
            behind = {"KeyMarker": uploads[-1][0], "UploadIdMarker": uploads[-1][1]}

    async def ensure_bucket(self) -> None:
        """Create the bucket where it is missing."""
        try:
            await self._call(self._client.head_bucket, Bucket=self._settings.bucket)
        except ObjectRefused:
            await self._call(self._client.create_bucket, Bucket=self._settings.bucket)

    async def _read(self, key: str, **extra: str) -> bytes:
        def read() -> bytes:
            return _body(self._client.get_object(Bucket=self._settings.bucket, Key=key, **extra))

        return await self._call(read)

    async def _told(self, needed: tuple[str, ...], function: Callable[..., Any], **arguments: Any) -> Any:
        """An answer that says what is needed of it: one that was cut off among its headers parses well all the same."""
        answer = await self._call(function, **arguments)
        if not all(name in answer for name in needed):
            raise _cut_short()
        return answer

    async def _call(self, function: Callable[..., T], **arguments: Any) -> T:
        try:
            return await asyncio.to_thread(partial(function, **arguments))
        except ClientError as error:
            status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
            code = str(error.response.get("Error", {}).get("Code", ""))
            if status == "404" or code in _ABSENT:
                raise ObjectAbsent(f"S3: {error}") from error
            if status in _REFUSED:
                raise ObjectRefused(f"S3: {error}") from error
            raise StoreUnavailable(f"S3: {error}") from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"S3: {error}") from error


def _body(answer: Any) -> bytes:
    """All bytes of an object. Raises StoreUnavailable where the answer was cut off, its own length with it or not."""
    data = bytes(answer["Body"].read())
    if len(data) != answer.get("ContentLength") or "ETag" not in answer:
        raise _cut_short()
    return data


def _cut_short() -> StoreUnavailable:
    return StoreUnavailable("S3: the answer was cut short")


def _client(settings: S3Settings, endpoint_url: str | None) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=settings.region,
        aws_access_key_id=settings.access_key.get_secret_value() if settings.access_key else None,
        aws_secret_access_key=settings.secret_key.get_secret_value() if settings.secret_key else None,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if endpoint_url else "auto"},
            # Newer default checksums are unknown to many S3-compatible servers.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=3,
            read_timeout=20,
            retries={"max_attempts": 3, "mode": "standard"},
            max_pool_connections=_CONNECTIONS_MAX,
        ),
    )
