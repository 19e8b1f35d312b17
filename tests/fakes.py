"""A pipeline that knows no pills, for tests of what stands in front of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from pipeline.errors import UnknownItem
from pipeline.photo import Photo
from pipeline.schemas import (
    Candidate,
    CatalogItem,
    DetectedPill,
    DetectionResult,
    Evidence,
    Hints,
    Identification,
    ImageSize,
    NewItem,
    SearchResult,
    SideName,
    Versions,
)

VERSIONS = Versions(bundle="0", models={}, index="0", catalogs={"us-nih": "2026-01-01", "kr-mfds": "2026-01-02"})
ITEM = CatalogItem(item_id="us-nih:93-7270", catalog="us-nih", name="Test tablet", shape="oval", colors=["white"])


def candidate() -> Candidate:
    return Candidate(
        rank=1, item_id=ITEM.item_id, catalog=ITEM.catalog, name=ITEM.name, manufacturer=None, score=0.5,
        evidence=Evidence(), imprint_front=None, imprint_back=None, shape="oval", colors=["white"], form="tablet",
        same_appearance=[], drawing_url=f"/v1/items/{ITEM.item_id}/drawing.svg",
    )  # fmt: skip


class FakeAdditions:
    """Takes every item and keeps none."""

    loaded = True

    async def refresh(self, patience_s: float | None = None) -> None:
        pass

    async def add(self, new: NewItem, photos: Sequence[tuple[SideName, Photo]], *, replace: bool) -> CatalogItem:
        return ITEM.model_copy(update={"item_id": f"{new.catalog}:{new.key}", "catalog": new.catalog})


class FakePipeline:
    """Answers at once and remembers what it was asked; `before` is awaited first and may raise or hang."""

    gallery = VERSIONS  # as far as it is asked for its catalogues

    def __init__(self, before: Callable[[], Awaitable[None]] | None = None) -> None:
        self.before = before
        self.asked: dict[str, object] = {}
        self.cancelled = asyncio.Event()
        self.started = asyncio.Event()

    async def _enter(self) -> None:
        self.started.set()
        try:
            if self.before:
                await self.before()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def identify(
        self, front: Photo, back: Photo | None, *, catalogs: Sequence[str] | None, top_k: int, hints: Hints
    ) -> Identification:
        self.asked = {"front": front, "back": back, "catalogs": catalogs, "top_k": top_k, "hints": hints}
        await self._enter()
        return Identification(
            decision="candidates", reason=None, candidates=[candidate()], sides=[], missing=["imprint"],
            versions=VERSIONS, timings_ms={"detect": 1.0, "total": 2.0},
        )  # fmt: skip

    async def detect(self, photo: Photo, *, identify: bool) -> DetectionResult:
        await self._enter()
        found = {"decision": "candidates", "candidates": [candidate()]} if identify else {}
        pill = DetectedPill(box=[1, 2, 3, 4], score=0.9, polygon=[(1, 2), (3, 2), (3, 4)], **found)
        size = ImageSize(width=photo.width, height=photo.height)
        return DetectionResult(pills=[pill], image=size, versions=VERSIONS, timings_ms={})

    def search(self, **query: object) -> SearchResult:
        self.asked = query
        return SearchResult(candidates=[candidate()], versions=VERSIONS, timings_ms={})

    def item(self, item_id: str) -> CatalogItem:
        if item_id != ITEM.item_id:
            raise UnknownItem("no catalogue holds this item")
        return ITEM
