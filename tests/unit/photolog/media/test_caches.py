"""What a cache is told, and what comes of it when it does not do it."""

import httpx
import pytest

from photolog.errors import SettingsError, StoreUnavailable
from photolog.media.caches import KEYS_MAX, HttpCaches, connect_caches
from photolog.settings import EdgeSettings


def caches(answer: httpx.Response | Exception, seen: list[httpx.Request]) -> HttpCaches:
    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    return HttpCaches(["http://one.test/", "http://two.test"], "secret", client)


async def test_each_cache_is_told_all_keys_in_one_call(seen: list[httpx.Request]) -> None:
    await caches(httpx.Response(200, text="2"), seen).purge(["post:1", "author:2"])
    assert [(request.method, request.url.host) for request in seen] == [("PURGE", "one.test"), ("PURGE", "two.test")]
    assert {request.headers["xkey"] for request in seen} == {"post:1 author:2"}
    assert {request.headers["photolog-purge-secret"] for request in seen} == {"secret"}


async def test_more_keys_than_a_line_holds_are_told_in_several(seen: list[httpx.Request]) -> None:
    keys = [f"post:{number}" for number in range(KEYS_MAX + 1)]
    await caches(httpx.Response(200), seen).purge(keys)
    told = [key for request in seen if request.url.host == "one.test" for key in request.headers["xkey"].split()]
    assert told == keys


@pytest.mark.parametrize("answer", [httpx.Response(403), httpx.Response(503), httpx.ConnectError("refused")])
async def test_one_that_does_not_do_it_is_away(answer: httpx.Response | Exception, seen: list[httpx.Request]) -> None:
    with pytest.raises(StoreUnavailable, match=r"one\.test"):
        await caches(answer, seen).purge(["post:1"])


@pytest.fixture
def seen() -> list[httpx.Request]:
    return []


async def test_caches_without_a_secret_to_show_them_are_a_mistake_and_none_need_none() -> None:
    async with connect_caches(EdgeSettings()) as none:
        await none.purge(["post:1"])
    with pytest.raises(SettingsError, match="PURGE_SECRET"):
        async with connect_caches(EdgeSettings(caches=["http://one.test"])):
            pass
