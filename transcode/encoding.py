"""The one call of ffmpeg that makes everything of a video: decoded once, scaled rung by rung, encoded side by side.

Pure: a plan becomes a command. ffmpeg runs in the folder that it writes to, so all names are relative.
"""

from collections.abc import Iterator
from typing import Any

import ffmpeg

from transcode.encoders import Encoders
from transcode.fingerprints.clips import FRAMES_MAX
from transcode.footage import AUDIO_CODECS, VIDEO_CODECS, Footage, VideoLimits
from transcode.ladder import (
    AUDIO,
    AUDIO_HZ,
    AUDIO_KBPS,
    POSTER,
    PREVIEW,
    PREVIEW_FRAMES,
    SAMPLE_PX,
    SAMPLES,
    SEGMENT_SECONDS,
    SOUND_DIGEST,
    Ladder,
    Rendition,
)

SOURCE = "source"
"""The name of the video in ffmpeg's folder: one that says nothing."""

_STREAMS_MAX = 32
# The decoders of `VIDEO_CODECS` and `AUDIO_CODECS`; AV1's and MP3's have other names. ffmpeg opens no other.
_DECODERS = ",".join(sorted(VIDEO_CODECS | AUDIO_CODECS | {"libdav1d", "mp3float"}))
_POSTER_SECONDS = 1
_SAMPLED = {"format": "rawvideo", "pix_fmt": "rgb24", "fps_mode": "passthrough", "frames:v": FRAMES_MAX}
_PREVIEW_CENTISECONDS = 50
LOUDNESS = {"I": -16, "TP": -1.5, "LRA": 11}
"""EBU R128, as music services play it: loudness, true peak, range."""

# ITU-T H.273's numbers as zscale and swscale name them; what a file does not say is what its size makes likely.
_MATRICES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020"}
_HD_HEIGHT = 720
_HDR_NITS = 100
# The last frames of a video may be a rounding away from where they are due; more that is missing is damage.
_FRAMES_LENT = 2
NAMELESS = {"map_metadata": -1, "map_chapters": -1, "fflags": "+bitexact"}
"""Where and with what it was recorded is nobody's business."""

QUIETLY = ("-nostdin", "-hide_banner", "-loglevel", "error", "-nostats", "-y")


def encoding_arguments(footage: Footage, plan: Ladder, encoders: Encoders, limits: VideoLimits) -> list[str]:
    """ffmpeg's arguments, without its own name.

    Args:
        footage: what the source is.
        plan: what is made.
        encoders: by what.
        limits: what bounds the decoding; time and memory are bounded from outside.
    """
    source = ffmpeg.input(SOURCE, **_reading(plan, limits))
    branches = _Branches(source["v:0"], footage, plan, encoders)
    pictures = [branches.rendition(rendition) for rendition in plan.renditions]
    sound = [_sound(source, footage, plan)] if plan.has_audio else []
    outputs = (
        ffmpeg.output(*pictures, *sound, "%v.m3u8", **_segmented(plan, encoders, limits)),
        ffmpeg.output(branches.poster(), POSTER, format="image2", update=1, **{"frames:v": 1, "q:v": 3}),
        ffmpeg.output(branches.preview(), PREVIEW, format="gif", final_delay=_PREVIEW_CENTISECONDS, **NAMELESS),
        ffmpeg.output(branches.samples(), SAMPLES, **_SAMPLED),
        *([_sound_print(source, footage)] if plan.has_audio else []),
    )
    told = [item for key, value in encoders.global_options.items() for item in (f"-{key}", value)]
    return [*QUIETLY, *told, *ffmpeg.merge_outputs(*outputs).get_args()]


def _reading(plan: Ladder, limits: VideoLimits) -> dict[str, Any]:
    """The demuxer is the one that the content asked for, and it opens no file but its own."""
    return {
        "format": "mov",
        "protocol_whitelist": "file",
        "codec_whitelist": _DECODERS,
        "max_streams": _STREAMS_MAX,
        "max_pixels": limits.pixels_max,
        "threads": limits.threads,
        # Where time stamps are absurd, there is an end all the same.
        "t": f"{plan.seconds + 1:.3f}",
    }


class _Branches:
    """The pictures, split as often as they are used. Largest first: a rung is scaled from the one above it."""

    def __init__(self, pictures: Any, footage: Footage, plan: Ladder, encoders: Encoders) -> None:
        self._plan = plan
        self._encoders = encoders
        self._uses = 0
        even = pictures.filter("fps", fps=f"{plan.rate[0]}/{plan.rate[1]}", start_time=0)
        even = even.filter("tpad", stop=_FRAMES_LENT, stop_mode="clone").filter("trim", end_frame=plan.frames)
        self._rungs = [_in_plain_colours(even, footage, plan.sizes[0]).filter_multi_output("split")]
        for size in plan.sizes[1:]:
            self._rungs.append(self._next_of(-1).filter("scale", *size).filter_multi_output("split"))

    def rendition(self, rendition: Rendition) -> Any:
        """The pictures as the encoder of a rendition takes them."""
        branch = self._next_of(self._plan.sizes.index((rendition.width, rendition.height)))
        if self._encoders.needs_upload(rendition.codec):
            return branch.filter("format", "nv12").filter("hwupload")
        return branch

    def poster(self) -> Any:
        """One picture, not the very first, which is often black, in the colours that a JPEG is read with."""
        number = min(round(_POSTER_SECONDS * self._plan.fps), self._plan.frames // 2)
        chosen = self._next_of(0).filter("select", f"eq(n,{number})")
        return chosen.filter("scale", out_color_matrix="bt601", out_range="full")

    def preview(self) -> Any:
        """Three pictures from the whole of it, half a second each, with a palette of their own."""
        numbers = [self._plan.frames * (2 * at + 1) // (2 * PREVIEW_FRAMES) for at in range(PREVIEW_FRAMES)]
        chosen = self._next_of(-1).filter("select", "+".join(f"eq(n,{number})" for number in numbers))
        chosen = chosen.filter("tpad", stop=PREVIEW_FRAMES, stop_mode="clone").filter("trim", end_frame=PREVIEW_FRAMES)
        chosen = chosen.filter("scale", *self._plan.preview_size)
        timed = chosen.filter("settb", "1/100").filter("setpts", f"N*{_PREVIEW_CENTISECONDS}")
        both = timed.filter_multi_output("split")
        return ffmpeg.filter([both[0], both[1].filter("palettegen")], "paletteuse")

    def samples(self) -> Any:
        """The picture at each full second, small, for fingerprints."""
        chosen = self._next_of(-1).filter("select", "isnan(prev_selected_t)+gt(floor(t),floor(prev_selected_t))")
        return chosen.filter("scale", SAMPLE_PX, SAMPLE_PX, flags="area").filter("format", "rgb24")

    def _next_of(self, rung: int) -> Any:
        self._uses += 1
        return self._rungs[rung][self._uses]


def _in_plain_colours(pictures: Any, footage: Footage, size: tuple[int, int]) -> Any:
    """Eight bits of BT.709, as every screen shows them."""
    if footage.is_hdr:
        pictures = _tone_mapped(pictures.filter("scale", *size).filter("format", "yuv420p10le"), footage)
    else:
        likely = "bt709" if footage.height >= _HD_HEIGHT else "smpte170m"
        known = "auto" if footage.matrix in _MATRICES else likely
        pictures = pictures.filter("scale", *size, in_color_matrix=known, out_color_matrix="bt709", out_range="tv")
    said = {"color_primaries": "bt709", "color_trc": "bt709", "colorspace": "bt709", "range": "tv"}
    return pictures.filter("format", "yuv420p").filter("setsar", 1).filter("setparams", **said)


def _tone_mapped(pictures: Any, footage: Footage) -> Any:
    """From PQ or HLG in BT.2020, whatever else the file says of itself, to linear light, a curve, and back."""
    linear = pictures.filter("zscale", tin=footage.transfer, pin=9, min=9, rin="tv", t="linear", npl=_HDR_NITS).filter(
        "format", "gbrpf32le"
    )
    mapped = linear.filter("zscale", p="bt709").filter("tonemap", "hable", desat=0)
    return mapped.filter("zscale", t="bt709", m="bt709", r="tv")


def _sound(source: Any, footage: Footage, plan: Ladder) -> Any:
    """Stereo at an even loudness, exactly as long as the pictures: cut, or filled up with silence.

    One pass, so that a long quiet beginning is raised as it is heard; two passes would decode twice.
    """
    sound = source[f"a:{footage.audio_track}"].filter("aresample", AUDIO_HZ, **{"async": 1, "first_pts": 0})
    sound = sound.filter("aformat", channel_layouts="stereo").filter("loudnorm", **LOUDNESS)
    return sound.filter("aresample", AUDIO_HZ).filter("apad").filter("atrim", end=f"{plan.seconds:.6f}")


def _sound_print(source: Any, footage: Footage) -> Any:
    """The digest of the sound as it is in the file, whatever it is wrapped in."""
    sound = source[f"a:{footage.audio_track}"]
    return ffmpeg.output(sound, SOUND_DIGEST, format="hash", hash="sha256", acodec="copy")


def _segmented(plan: Ladder, encoders: Encoders, limits: VideoLimits) -> dict[str, Any]:
    """HLS with one file for each rendition: fragmented MP4, whose segments are ranges of it."""
    options: dict[str, Any] = {
        "format": "hls",
        "hls_segment_type": "fmp4",
        "hls_time": SEGMENT_SECONDS,
        "hls_playlist_type": "vod",
        "hls_flags": "single_file+independent_segments",
        "hls_segment_filename": "%v.mp4",
        "var_stream_map": " ".join(_streams(plan)),
        "g": plan.keyframe_frames,
        "keyint_min": plan.keyframe_frames,
        "threads": limits.threads,
        **NAMELESS,
    }
    for at, rendition in enumerate(plan.renditions):
        options[f"c:v:{at}"] = encoders.name(rendition.codec)
        options |= {f"{key}:v:{at}": value for key, value in encoders.options(rendition).items()}
    if plan.has_audio:
        options |= {"c:a": "aac", "b:a": f"{AUDIO_KBPS}k", "ar": AUDIO_HZ, "ac": 2}
    return options


def _streams(plan: Ladder) -> Iterator[str]:
    yield from (f"v:{at},name:{rendition.name}" for at, rendition in enumerate(plan.renditions))
    if plan.has_audio:
        yield f"a:0,name:{AUDIO}"
