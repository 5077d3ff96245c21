"""What the transcode worker counts, beside `photolog.worker_metrics`."""

from prometheus_client import Counter, Histogram

from schemas.events import MediaKind

ANSWERED = Counter("photolog_transcoded_total", "Requests answered", ["event", "reason"])
PHOTOGRAPH_SECONDS = Histogram(
    "photolog_photograph_seconds",
    "Time from a request's reading until its variants are stored, waiting for a decoder included",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60),
)
VIDEO_SECONDS = Histogram(
    "photolog_video_seconds",
    "Time from a request's reading until everything made of a video is stored, waiting for a turn included",
    buckets=(2, 5, 10, 30, 60, 120, 300, 600, 1_800),
)
VOICE_SECONDS = Histogram(
    "photolog_voice_seconds",
    "Time from a request's reading until everything made of a voice note is stored, waiting for a turn included",
    buckets=(0.5, 1, 2, 5, 10, 20, 60, 120),
)
SECONDS: dict[MediaKind, Histogram] = {
    "photo": PHOTOGRAPH_SECONDS,
    "video": VIDEO_SECONDS,
    "voice": VOICE_SECONDS,
}
