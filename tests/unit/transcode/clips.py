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
