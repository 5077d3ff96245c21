"""How long requests may take, by what they may wait for."""

from gateway.deadlines import command_seconds_max, marked_seconds_max, request_seconds_max
from photolog.settings import GatewaySettings, KafkaSettings, LimitSettings, Settings


def test_a_request_has_what_it_may_wait_for_and_some_seconds_beside() -> None:
    settings = Settings.model_construct(
        kafka=KafkaSettings(bootstrap_servers="a:1", append_timeout_ms=2_000),
        gateway=GatewaySettings(host="a", port=1, public_url="b", position_wait_ms=500, request_seconds=3),
        limits=LimitSettings(session_cache_seconds=10),
    )
    assert request_seconds_max(settings) == 5.5
    assert command_seconds_max(settings) == 7.5
    assert marked_seconds_max(settings) == 17.5
