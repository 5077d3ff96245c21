"""The photograph that benchmarks of pictures are made with."""

import pyvips
import skimage.data


def photograph(width: int, height: int) -> bytes:
    """A photograph that ships in scikit-image, enlarged, with a sensor's noise so that it is as hard to decode.

    Args:
        width: pixels.
        height: pixels.
    """
    pixels = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    own_height, own_width, bands = pixels.shape
    image = pyvips.Image.new_from_memory(pixels.tobytes(), own_width, own_height, bands, "uchar")
    image = image.copy(interpretation="srgb").resize(width / own_width, vscale=height / own_height)
    noise = pyvips.Image.gaussnoise(width, height, mean=0, sigma=4, seed=1)
    return bytes((image + noise).cast("uchar").jpegsave_buffer(Q=90))
