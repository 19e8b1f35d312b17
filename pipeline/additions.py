"""Adding pills to catalogues of one's own while serving: photos -> faces -> kept, and searchable from then on.

A photo goes the way of every photo (`pipeline.identify`): found, cut out, judged, embedded. What could not be
identified cannot be added either.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from pipeline.cutout import cut_out
from pipeline.errors import InvalidField, RunnerUnavailable
from pipeline.identify import Pipeline, Walk
from pipeline.photo import Photo
from pipeline.ports import Embedder, NewFace, OwnItems, UInt8
from pipeline.schemas import CatalogItem, NewItem, Reason, SideName

SAID: Final[dict[Reason, str]] = {
    "no_pill": "no pill was found in it",
    "several_pills": "there is more than one pill in it",
    "too_blurry": "it is too blurry",
    "too_dark": "it is too dark",
    "too_small": "the pill in it is too small",
}


class Additions:
    """Adds to a store, and keeps a pipeline's gallery up to what is in it."""

    def __init__(self, pipeline: Pipeline, embedder: Embedder, store: OwnItems) -> None:
        self._pipeline, self._embedder, self._store = pipeline, embedder, store
        self._shown = -1
        self._renewal: asyncio.Task[None] | None = None

    @property
    def loaded(self) -> bool:
        """Whether the pipeline shows what was kept, if perhaps not the last of it."""
        return self._shown >= 0

    def load(self) -> None:
        """Show all that was kept, before the first request: no answer after a restart may lack it.

        Raises:
            StoreUnavailable: what was added cannot be read.
        """
        self._shown, gallery = self._store.gallery()
        self._pipeline.use(gallery)

    async def refresh(self, patience_s: float | None = None) -> None:
        """Let the pipeline answer from all that was added so far, by this process or another.

        One renewal serves all who wait for it, and ends whoever gives up waiting: else, on a machine that needs longer
        for it than a request may take, it would begin anew with every request and never end.

        Args:
            patience_s: seconds to wait for it; None = until it is done.

        Raises:
            StoreUnavailable: what was added cannot be read.
        """
        for _ in range(2):  # the renewal that is under way may have begun before the last addition; the next has not
            if await asyncio.to_thread(self._store.generation) == self._shown:
                return
            if self._renewal is None or self._renewal.done():
                self._renewal = asyncio.create_task(self._renew())
                self._renewal.add_done_callback(_heard)
            renewal = self._renewal  # another may take its place as soon as it is done
            done, _ = await asyncio.wait({renewal}, timeout=patience_s)
            if not done:
                return
            renewal.result()

    async def _renew(self) -> None:
        shown, gallery = await asyncio.to_thread(self._store.gallery)
        self._pipeline.use(gallery)
        self._shown = shown

    async def add(self, new: NewItem, photos: Sequence[tuple[SideName, Photo]], *, replace: bool) -> CatalogItem:
        """Add one item with at least one photo; it is searchable when this returns.

        Raises:
            InvalidField: a photo that shows no pill clearly, a key that is taken, no room.
            RunnerUnavailable: a runner that adding needs is down. Nothing was added then.
            StoreUnavailable: it cannot be kept right now.
        """
        cutouts = [await self._cut_out(side, photo) for side, photo in photos]
        vectors = await self._embedder.embed(np.stack(cutouts))
        faces = [
            NewFace(side, _png(cutout), vector[0])  # the queries bring the other turns
            for (side, _), cutout, vector in zip(photos, cutouts, vectors, strict=True)
        ]
        await asyncio.to_thread(self._store.add, new, faces, replace=replace)
        await self.refresh()
        return self._pipeline.item(f"{new.catalog}:{new.key}")

    async def _cut_out(self, side: SideName, photo: Photo) -> UInt8:
        """(S, S, 4) uint8 RGBA of the one pill in a photo."""
        walk = Walk()
        look = await self._pipeline.look(photo, walk, evidence=False)
        if look.reason is not None:
            raise InvalidField(f"{side}: {SAID[look.reason]}")
        if walk.missing:  # an answer can do without the outline, a reference that stays cannot
            raise RunnerUnavailable("background")
        assert look.crop is not None and look.mask is not None  # noqa: PT018
        return cut_out(look.crop.pixels, look.mask)


def _heard(task: asyncio.Task[None]) -> None:
    """Take a failure note of, also when all who waited for it have left; the next request tries again."""
    if not task.cancelled():
        task.exception()


def _png(cutout: UInt8) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(cutout, cv2.COLOR_RGBA2BGRA))[1].tobytes()
