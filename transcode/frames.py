"""What the pool and its decoders say to each other over pipes: a length of four bytes, then MessagePack.

Answers come from a process that may have been taken over by a hostile picture, so they are data of a closed shape and
are checked like any other input; nothing is ever unpickled.
"""

from typing import BinaryIO

import msgspec

from transcode.errors import Reason
from transcode.plan import Made
from transcode.sniff import PhotoType

LENGTH_BYTES = 4


class SandboxLimits(msgspec.Struct, frozen=True):
    """What one picture may cost. The defaults let a 100-megapixel picture of any accepted kind through.

    Args:
        bytes_max: bytes of the file.
        pixels_max: pixels of the source.
        memory_bytes_max: address space of a decoder. The costliest picture tried, a 4:4:4 HEIC of 10 bits and 100
            megapixels, took 1.6 GiB.
        cpu_seconds_max: processor time for a picture.
        wall_seconds_max: time for a picture, after which its decoder is killed. It is far above the processor time, so
            that a busy machine refuses nobody's picture.
        output_bytes_max: all variants together.
        pictures_max: pictures after which a decoder is replaced, to bound what leaks and what outlives a takeover.
    """

    bytes_max: int = 20 * 1024 * 1024
    pixels_max: int = 100_000_000
    memory_bytes_max: int = 2 * 1024**3
    cpu_seconds_max: int = 20
    wall_seconds_max: float = 60.0
    output_bytes_max: int = 64 * 1024 * 1024
    pictures_max: int = 500


class Request(msgspec.Struct, frozen=True):
    """One picture to make variants of."""

    kind: PhotoType
    data: bytes


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """A decoder's first word: it has loaded its libraries and given up its rights."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The picture is not to be had; see `UnprocessableMedia`."""

    reason: Reason
    diagnosis: str


Answer = Ready | Made | Refused

_encoder = msgspec.msgpack.Encoder()
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
_requests = msgspec.msgpack.Decoder(Request)


def framed(message: Request | Answer) -> bytes:
    """A message as it goes over a pipe."""
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def body_length(prefix: bytes) -> int:
    """The bytes that follow a prefix."""
    return int.from_bytes(prefix, "big")


def decoded_answer(body: bytes) -> Answer:
    """Raises msgspec.DecodeError (ValidationError included) where the body is no answer."""
    return _answers.decode(body)


def read_request(pipe: BinaryIO) -> Request | None:
    """The next request, or None once the pool has closed its end."""
    prefix = pipe.read(LENGTH_BYTES)
    if len(prefix) < LENGTH_BYTES:
        return None
    length = body_length(prefix)
    body = pipe.read(length)
    return _requests.decode(body) if len(body) == length else None
