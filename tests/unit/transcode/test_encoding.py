"""The one call of ffmpeg: what it may read, and what it is told to make."""

import itertools
import re

import msgspec
import pytest

from tests.unit.transcode.test_ladder import footage
from transcode.encoders import EncoderKind, Encoders
from transcode.encoding import encoding_arguments
from transcode.footage import Footage, VideoLimits
from transcode.ladder import VideoCodec, ladder


def arguments(source: Footage, kind: EncoderKind = EncoderKind.SOFTWARE) -> list[str]:
    return encoding_arguments(source, ladder(source), Encoders(kind), VideoLimits())


def told(command: list[str]) -> dict[str, str]:
    return {name: value for name, value in itertools.pairwise(command) if name.startswith("-")}


def graph(command: list[str]) -> str:
    return told(command)["-filter_complex"]


def test_the_source_is_read_once_by_the_demuxer_of_its_type_and_names_no_other_file() -> None:
    command = arguments(footage(1920, 1080))
    assert command.count("-i") == 1
    reading = told(command[: command.index("-i") + 2])
    assert (reading["-i"], reading["-f"], reading["-protocol_whitelist"]) == ("source", "mov", "file")
    assert reading["-max_pixels"] == str(VideoLimits().pixels_max)
    assert set(reading["-codec_whitelist"].split(",")) >= {"h264", "hevc", "aac", "libdav1d"}
    assert float(reading["-t"]) == pytest.approx(11.0)


def test_the_picture_of_each_second_and_the_sound_as_it_is_are_kept_as_prints() -> None:
    command = arguments(footage(640, 360))
    assert "floor(t)" in graph(command)
    assert command[-1] == "sound.hash"
    silent = arguments(msgspec.structs.replace(footage(640, 360), audio_codec=None))
    assert silent[-1] == "samples.rgb"


def test_everything_comes_out_of_one_graph_in_which_each_rung_is_scaled_once() -> None:
    command = arguments(footage(1920, 1080))
    assert command.count("-filter_complex") == 1
    assert re.findall(r"scale=(\d+:\d+)", graph(command)) == ["1920:1080", "1280:720", "640:360", "320:180", "128:128"]
    assert told(command)["-var_stream_map"] == (
        "v:0,name:h264-1080 v:1,name:h264-720 v:2,name:h264-360 v:3,name:av1-1080 v:4,name:av1-720 v:5,name:av1-360 "
        "a:0,name:audio"
    )


def test_nothing_that_the_file_says_of_itself_is_passed_on() -> None:
    command = arguments(footage(640, 360))
    assert command.count("-map_metadata") == command.count("-map_chapters") == 2


def test_a_silent_video_has_no_sound_to_encode() -> None:
    command = arguments(footage(640, 360, audio=None))
    assert "loudnorm" not in graph(command)
    assert "-c:a" not in command


def test_only_what_is_hdr_is_tone_mapped() -> None:
    hlg = msgspec.structs.replace(footage(1920, 1080), transfer=18, primaries=9, matrix=9)
    assert "tonemap=hable" in graph(arguments(hlg))
    assert "tonemap" not in graph(arguments(footage(1920, 1080)))


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (EncoderKind.SOFTWARE, ("libx264", "libsvtav1")),
        (EncoderKind.NVENC, ("h264_nvenc", "av1_nvenc")),
        (EncoderKind.VAAPI, ("h264_vaapi", "av1_vaapi")),
        (EncoderKind.VIDEOTOOLBOX, ("h264_videotoolbox", "libsvtav1")),
    ],
)
def test_a_setting_changes_the_encoders_and_nothing_of_the_plan(kind: EncoderKind, names: tuple[str, str]) -> None:
    options = told(arguments(footage(640, 360), kind))
    assert (options["-c:v:0"], options["-c:v:1"]) == names
    assert options["-var_stream_map"] == told(arguments(footage(640, 360)))["-var_stream_map"]
    assert ("-vaapi_device" in options) is (kind is EncoderKind.VAAPI)


def test_every_kind_has_an_encoder_for_every_codec() -> None:
    assert all(Encoders(kind).name(codec) for kind in EncoderKind for codec in VideoCodec)
