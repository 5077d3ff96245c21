"""Videos for the tests, drawn and encoded by ffmpeg here, so that what is in them is known; each is made once."""

import struct
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import imageio_ffmpeg

FAST = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "1")


@cache
def clip(
    size: str = "96x64",
    fps: str = "30",
    seconds: float = 2.0,
    sound_seconds: float | None = None,
    options: tuple[str, ...] = (),
    suffix: str = ".mp4",
    before: tuple[str, ...] = (),
    filters: str = "",
) -> bytes:
    """A moving test picture with a tone, as a file.

    Args:
        size: pixels, as `96x64`.
        fps: frames a second.
        seconds: of pictures.
        sound_seconds: of the tone; as long as the pictures where not given, 0 for none.
        options: of ffmpeg for the output, which win over those that make it fast.
        suffix: of the file: `.mp4` or `.mov`.
        before: options of ffmpeg before the pictures' input.
        filters: that the picture goes through before it is encoded.
    """
    sound = seconds if sound_seconds is None else sound_seconds
    picture = f"testsrc2=size={size}:rate={fps}:duration={seconds}" + (f",{filters}" if filters else "")
    tone = ("-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={sound}") if sound else ()
    return made(*before, "-f", "lavfi", "-i", picture, *tone, *FAST, *options, suffix=suffix)


def made(*arguments: str, suffix: str = ".mp4", source: bytes | None = None) -> bytes:
    """What ffmpeg makes by these arguments; a source, where there is one, is the file `{source}` in them."""
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "source", Path(folder) / f"out{suffix}"
        if source is not None:
            given.write_bytes(source)
        told = [argument.replace("{source}", str(given)) for argument in arguments]
        command = (imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-y", *told, str(out))
        subprocess.run(command, check=True, timeout=60)
        return out.read_bytes()


def remuxed(data: bytes, *options: str, before: tuple[str, ...] = (), suffix: str = ".mp4") -> bytes:
    """The same streams in another file."""
    return made(*before, "-i", "{source}", "-c", "copy", *options, suffix=suffix, source=data)


def box(data: bytes, *path: str) -> tuple[int, int]:
    """Where the content of a box begins and ends, following the first box of each name; ISO/IEC 14496-12."""
    start, end = 0, len(data)
    for name in path:
        while data[start + 4 : start + 8] != name.encode():
            start += struct.unpack_from(">I", data, start)[0]
            if start >= end:
                raise LookupError(name)
        end = start + struct.unpack_from(">I", data, start)[0]
        start += 8
    return start, end


def with_alias(data: bytes, path: str) -> bytes:
    """A QuickTime file whose pictures are said to lie in another file; QuickTime File Format, data references.

    The index must be behind the media, so that no offset moves.
    """
    name = path.encode()
    record = bytes(10) + bytes([4]) + b"disk".ljust(27, b"\0") + bytes(12) + bytes([4]) + b"file".ljust(63, b"\0")
    record += bytes(16) + struct.pack(">hh", 0, 0) + bytes(16)
    # The file's own path, then the end of the list.
    record += struct.pack(">hh", 2, len(name)) + name + bytes(len(name) % 2) + struct.pack(">hh", -1, 0)
    entry = struct.pack(">I4sI", 12 + len(record), b"alis", 0) + record
    return _replaced(data, ("moov", "trak", "mdia", "minf", "dinf", "dref"), struct.pack(">II", 0, 1) + entry)


def _replaced(data: bytes, path: tuple[str, ...], content: bytes) -> bytes:
    """The file with another content of a box, and the sizes of all that hold it."""
    start, end = box(data, *path)
    grown = len(content) - (end - start)
    changed = bytearray(data[:start] + content + data[end:])
    for depth in range(1, len(path) + 1):
        at = box(data, *path[:depth])[0] - 8
        struct.pack_into(">I", changed, at, struct.unpack_from(">I", data, at)[0] + grown)
    return bytes(changed)


def with_last_delta(data: bytes, ticks: int) -> bytes:
    """A file that says that its last pictures last so many ticks of its clock."""
    start, end = box(data, "moov", "trak", "mdia", "minf", "stbl", "stts")
    assert end - start >= 16
    return data[: end - 4] + struct.pack(">I", ticks) + data[end:]


def claiming_size(data: bytes, width: int, height: int) -> bytes:
    """A file whose index says another size than its pictures."""
    start, _ = box(data, "moov", "trak", "mdia", "minf", "stbl", "stsd")
    # Version and count, then the entry: its size and name, 6 bytes, an index and 16 bytes before the sides.
    at = start + 8 + 8 + 6 + 2 + 16
    return data[:at] + struct.pack(">HH", width, height) + data[at + 4 :]
