"""Which of ffmpeg's encoders makes a rendition, by what the machine has: names and flags, nothing else differs."""

from enum import StrEnum
from typing import Any

import msgspec

from transcode.ladder import Rendition, VideoCodec

# What hardware encodes has a least size.
_TRIAL_SIZE = "320x240"
_VAAPI_DEVICE = "/dev/dri/renderD128"


class EncoderKind(StrEnum):
    """Where pictures are encoded."""

    SOFTWARE = "software"
    NVENC = "nvenc"
    VAAPI = "vaapi"
    VIDEOTOOLBOX = "videotoolbox"


class Encoders(msgspec.Struct, frozen=True):
    """How pictures are encoded.

    Args:
        kind: by what.
        h264_preset: of x264: how hard it tries.
        av1_preset: of SVT-AV1, 0 to 13, the fastest last. Beyond 9 its own authors warn of artefacts.
    """

    kind: EncoderKind = EncoderKind.SOFTWARE
    h264_preset: str = "veryfast"
    av1_preset: int = 9

    def name(self, codec: VideoCodec) -> str:
        """ffmpeg's name of the encoder of a codec."""
        return _NAMES[self.kind][codec]

    def options(self, rendition: Rendition) -> dict[str, Any]:
        """What the encoder is told about quality, beside what holds for all of them."""
        kbps = rendition.kbps_max
        if self.name(rendition.codec) == "libx264":
            level = f"{rendition.level / 10:.1f}"
            own = {"preset": self.h264_preset, "crf": rendition.crf, "profile": "high", "level": level}
            # A key frame that a cut brought would be in one rendition only.
            return own | {"x264-params": "scenecut=0:open-gop=0"} | _capped(kbps)
        if self.name(rendition.codec) == "libsvtav1":
            return {"preset": self.av1_preset, "crf": rendition.crf} | _capped(kbps)
        if self.kind is EncoderKind.NVENC:
            return {"rc": "vbr", "cq": rendition.crf, "no-scenecut": 1, "b:v": 0} | _capped(kbps)
        # Neither of the others holds a quality under a bound of bits, so they are told the bits.
        return {"b": f"{kbps * 2 // 3}k"} | _capped(kbps)

    @property
    def global_options(self) -> dict[str, str]:
        """What ffmpeg is told once."""
        return {"vaapi_device": _VAAPI_DEVICE} if self.kind is EncoderKind.VAAPI else {}

    def needs_upload(self, codec: VideoCodec) -> bool:
        """Whether frames are to be brought to the device first."""
        return self.name(codec).endswith("_vaapi")

    def trial(self) -> list[str]:
        """ffmpeg's arguments for a moment of grey by each encoder, which end in 0 where the machine has them."""
        picture = f"color=gray:size={_TRIAL_SIZE}:rate=30:duration=0.2,format=yuv420p"
        arguments = [*(item for key, value in self.global_options.items() for item in (f"-{key}", value))]
        arguments += ["-f", "lavfi", "-i", picture]
        for codec in VideoCodec:
            arguments += ["-map", "0:v", "-c:v", self.name(codec)]
            arguments += ["-vf", "format=nv12,hwupload"] if self.needs_upload(codec) else []
            arguments += ["-f", "null", "-"]
        return ["-nostdin", "-hide_banner", "-loglevel", "error", *arguments]


_NAMES = {
    EncoderKind.SOFTWARE: {VideoCodec.H264: "libx264", VideoCodec.AV1: "libsvtav1"},
    EncoderKind.NVENC: {VideoCodec.H264: "h264_nvenc", VideoCodec.AV1: "av1_nvenc"},
    EncoderKind.VAAPI: {VideoCodec.H264: "h264_vaapi", VideoCodec.AV1: "av1_vaapi"},
    # Apple's chips decode AV1 and do not encode it.
    EncoderKind.VIDEOTOOLBOX: {VideoCodec.H264: "h264_videotoolbox", VideoCodec.AV1: "libsvtav1"},
}


def _capped(kbps: int) -> dict[str, str]:
    return {"maxrate": f"{kbps}k", "bufsize": f"{2 * kbps}k"}
