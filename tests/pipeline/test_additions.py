"""The gallery is renewed once for all who wait, and also when none of them waits to the end."""

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest

from pipeline.additions import Additions
from pipeline.errors import StoreUnavailable
from pipeline.ports import NewFace
from pipeline.schemas import NewItem


class SlowStore:
    """Every gallery takes its time; `galleries` counts them, `broken` fails the next."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.number, self.galleries, self.broken = seconds, 1, 0, False
        self.began = threading.Event()

    def generation(self) -> int:
        return self.number

    def gallery(self) -> tuple[int, str]:
        self.galleries += 1
        shown = self.number
        self.began.set()
        time.sleep(self.seconds)
        if self.broken:
            raise StoreUnavailable("gone")
        return shown, f"gallery {shown}"

    def add(self, new: NewItem, faces: Sequence[NewFace], *, replace: bool) -> None:
        raise NotImplementedError


class Shows:
    """A pipeline, as far as it is told what to answer from."""

    gallery = "nothing"

    def __init__(self) -> None:
        self.told = asyncio.Event()

    def use(self, gallery: str) -> None:
        self.gallery = gallery
        self.told.set()


async def test_what_was_kept_is_there_before_the_first_request() -> None:
    store, shows = SlowStore(0.1), Shows()
    additions = Additions(shows, None, store)  # type: ignore[arg-type]
    additions.load()
    assert shows.gallery == "gallery 1"
    await additions.refresh(0.0)
    assert store.galleries == 1


async def test_a_renewal_that_outlasts_every_request_still_ends() -> None:
    store, shows = SlowStore(0.5), Shows()
    additions = Additions(shows, None, store)  # type: ignore[arg-type]
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):  # the deadline of a request
                await additions.refresh()
    await asyncio.wait_for(shows.told.wait(), 20)
    assert shows.gallery == "gallery 1"
    assert store.galleries == 1


async def test_who_has_no_patience_is_answered_from_what_is_there() -> None:
    store, shows = SlowStore(0.5), Shows()
    additions = Additions(shows, None, store)  # type: ignore[arg-type]
    async with asyncio.timeout(0.4):
        await additions.refresh(0.05)
    assert shows.gallery == "nothing"
    await additions.refresh()
    assert shows.gallery == "gallery 1"


async def test_all_who_wait_share_one_renewal_and_see_what_came_while_it_went_on() -> None:
    store, shows = SlowStore(0.5), Shows()
    additions = Additions(shows, None, store)  # type: ignore[arg-type]
    waiting = [asyncio.create_task(additions.refresh()) for _ in range(5)]
    await asyncio.to_thread(store.began.wait)
    store.number = 2  # added after the renewal had begun
    waiting.append(asyncio.create_task(additions.refresh()))
    await asyncio.gather(*waiting)
    assert shows.gallery == "gallery 2"
    assert store.galleries == 2


async def test_a_failed_renewal_is_told_and_tried_again() -> None:
    store, shows = SlowStore(0.0), Shows()
    additions = Additions(shows, None, store)  # type: ignore[arg-type]
    store.broken = True
    with pytest.raises(StoreUnavailable):
        await additions.refresh()
    store.broken = False
    await additions.refresh()
    assert shows.gallery == "gallery 1"
