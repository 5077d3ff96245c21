"""Pictures for the tests, drawn and encoded here, so that what is in them is known.

`quarters` is the picture that most tests use: red, green, blue and yellow quarters, so that every turn and mirroring
shows, in muted colours that lie inside every colour space.
"""

import io
import struct
import zlib
from collections.abc import Callable

import pillow_heif
import pyvips
from PIL import Image, ImageOps
from PIL.Image import Transpose

from transcode.fingerprints.prints import BLURHASH_CHARACTERS, Prints
from transcode.fingerprints.thumbprint import THUMBPRINT_BYTES
from transcode.sniff import PhotoType

RED, GREEN, BLUE, YELLOW = (180, 60, 60), (60, 150, 60), (60, 60, 170), (190, 180, 60)
Colour = tuple[int, int, int]
# Of the right form, for where nothing is decoded; its hash is one that a signed long holds as a negative number.
PRINTS = Prints(2**63 + 5, bytes(THUMBPRINT_BYTES), "L" * BLURHASH_CHARACTERS)

# What EXIF orientation n does to the stored picture when it is shown, undone.
_STORED_BY_ORIENTATION = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_90,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_270,
}


def quarters(width: int = 1200, height: int = 900) -> Image.Image:
    """Red top left, green top right, blue bottom left, yellow bottom right."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(GREEN, (width // 2, 0, width, height))
    picture.paste(BLUE, (0, height // 2, width // 2, height))
    picture.paste(YELLOW, (width // 2, height // 2, width, height))
    return picture


def corners(data: bytes) -> tuple[Colour, ...]:
    """The colours in the middle of each quarter of an encoded picture, in reading order."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    width, height = picture.size
    points = [(x * width // 4, y * height // 4) for y in (1, 3) for x in (1, 3)]
    found = [picture.getpixel(point) for point in points]
    return tuple((int(one[0]), int(one[1]), int(one[2])) for one in found if isinstance(one, tuple))


def jpeg(picture: Image.Image, **options: object) -> bytes:
    """Encode as JPEG with Pillow's options."""
    return saved(picture, "JPEG", quality=92, **options)


def png(picture: Image.Image, **options: object) -> bytes:
    """Encode as PNG with Pillow's options."""
    return saved(picture, "PNG", **options)


def heic(picture: Image.Image, **info: object) -> bytes:
    """Encode as HEIC; `exif` with an orientation also writes HEIF's own rotation and mirroring."""
    return heic_of_primaries(picture, 1, **info)


def heic_of_primaries(picture: Image.Image, colour_primaries: int, **info: object) -> bytes:
    """Encode as HEIC that names its colours by a number of ITU-T H.273: 1 for sRGB's, 12 for Display P3's."""
    file = pillow_heif.from_pillow(picture)
    file.info.update(info)
    buffer = io.BytesIO()
    file.save(buffer, quality=92, color_primaries=colour_primaries, matrix_coefficients=1)
    return buffer.getvalue()


def encoded(picture: Image.Image, kind: PhotoType, **options: object) -> bytes:
    """Encode as one of the kinds that are accepted."""
    encoders: dict[PhotoType, Callable[..., bytes]] = {PhotoType.JPEG: jpeg, PhotoType.PNG: png, PhotoType.HEIC: heic}
    return encoders[kind](picture, **options)


def exif(orientation: int) -> bytes:
    """EXIF with an orientation, a camera's name and a place."""
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010F] = "SecretCamera"
    gps = block.get_ifd(0x8825)
    gps.update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    return block.tobytes()


def stored_for(picture: Image.Image, orientation: int) -> Image.Image:
    """The pixels that a camera stores so that the orientation shows the picture upright."""
    turn = _STORED_BY_ORIENTATION.get(orientation)
    stored = picture if turn is None else picture.transpose(turn)
    check = stored.copy()
    check.getexif()[0x0112] = orientation
    assert ImageOps.exif_transpose(check).tobytes() == picture.tobytes()
    return stored


def profile(name: str) -> bytes:
    """An ICC profile that libvips carries: srgb, p3 or cmyk."""
    return bytes(pyvips.Image.profile_load(name))


def adobe_rgb_profile() -> bytes:
    """An ICC profile of Adobe RGB (1998): its primaries adapted to D50, and a gamma of 563/256."""
    primaries = {"r": (0.60974, 0.31111, 0.01947), "g": (0.20528, 0.62567, 0.06087), "b": (0.14919, 0.06322, 0.74457)}
    description = b"desc" + bytes(4) + (6).to_bytes(4, "big") + b"Adobe\0" + bytes(8 + 3 + 67)
    tags = {b"desc": description, b"cprt": b"text" + bytes(4) + b"none\0", b"wtpt": _xyz(0.9642, 1.0, 0.82491)}
    for name, place in primaries.items():
        tags[f"{name}XYZ".encode()] = _xyz(*place)
        tags[f"{name}TRC".encode()] = b"curv" + bytes(4) + struct.pack(">IH", 1, 563)
    at, table, data = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for tag, value in tags.items():
        table += tag + struct.pack(">II", at + len(data), len(value))
        data += value + bytes(-len(value) % 4)
    head = struct.pack(">I4sI4s4s4s", at + len(data), bytes(4), 0x02100000, b"mntr", b"RGB ", b"XYZ ").ljust(36, b"\0")
    illuminant = _xyz(0.9642, 1.0, 0.82491)[8:]
    return (head + b"acsp" + bytes(28) + illuminant).ljust(128, b"\0") + table + data


def _xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def deep_png(picture: Image.Image) -> bytes:
    """A PNG of 16 bits a sample."""
    image = pyvips.Image.new_from_memory(picture.tobytes(), *picture.size, 3, "uchar").cast("ushort") * 257
    return bytes(image.cast("ushort").copy(interpretation="rgb16").pngsave_buffer(bitdepth=16))


def png_bomb(width: int, height: int) -> bytes:
    """A valid PNG of one-bit black pixels: a few kilobytes for hundreds of millions of pixels."""
    squeezer = zlib.compressobj(9)
    row = b"\0" * (1 + (width + 7) // 8)
    packed = b"".join(squeezer.compress(row) for _ in range(height)) + squeezer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def saved(picture: Image.Image, form: str, **options: object) -> bytes:
    """Encode in any format that Pillow writes."""
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()
