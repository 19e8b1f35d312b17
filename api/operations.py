"""What the public routes do, without HTTP: decode photos, ask the pipeline, count what came out."""

import asyncio
import hmac
import logging
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, Final

from api.metrics import observe_detection, observe_identification, observe_search
from pipeline.additions import Additions
from pipeline.drawing import Language, draw_item
from pipeline.errors import InvalidField, StoreUnavailable, TokenMissing
from pipeline.identify import Pipeline
from pipeline.photo import Photo, read_photo
from pipeline.schemas import (
    CatalogItem,
    DetectionResult,
    Hints,
    Identification,
    NewItem,
    SearchResult,
    SideName,
)
from pipeline.settings import Settings

log = logging.getLogger("pillscope.api")

PATIENCE_S: Final = 2.0
"""How long a request waits for what was added just before it; then it is answered from what is loaded. Laying out the
index anew takes about one second of a processor."""


class Operations:
    """The public operations over one pipeline.

    Args:
        catalogs: ids of the catalogues that the pipeline's gallery has at the start.
        additions: where own items are added; None = nowhere.

    Photos are decoded in `settings.decode_slots` threads of their own: that bounds memory, keeps the event loop free,
    and a request that is cancelled while it waits for a slot never decodes at all.
    """

    def __init__(
        self, pipeline: Pipeline, catalogs: Collection[str], settings: Settings, additions: Additions | None = None
    ) -> None:
        self.pipeline = pipeline
        self.catalogs = self.index_catalogs = catalogs
        self.additions = additions
        self.admin_token = settings.admin_token
        self.limits = settings.photo_limits
        self.decoders = ThreadPoolExecutor(settings.decode_slots, thread_name_prefix="pillscope-decode")

    async def identify(
        self, front: BinaryIO, back: BinaryIO | None, catalogs: Sequence[str] | None, top_k: int, hints: Hints
    ) -> Identification:
        """One pill, one or two photos. Raises what `read_photo` and the pipeline raise."""
        started = time.perf_counter()
        await self._take_in_additions(catalogs)
        self._check(catalogs)
        front_photo, back_photo = await asyncio.gather(self._decode(front), self._decode_if_given(back))
        decoded = time.perf_counter()
        answer = await self.pipeline.identify(front_photo, back_photo, catalogs=catalogs, top_k=top_k, hints=hints)
        answer = answer.model_copy(update={"timings_ms": _with_decode(answer.timings_ms, started, decoded)})
        observe_identification(answer)
        return answer

    async def detect(self, image: BinaryIO, identify: bool) -> DetectionResult:
        """Every pill in one photo; with `identify`, what each of them can be."""
        started = time.perf_counter()
        await self._take_in_additions()
        photo = await self._decode(image)
        decoded = time.perf_counter()
        answer = await self.pipeline.detect(photo, identify=identify)
        answer = answer.model_copy(update={"timings_ms": _with_decode(answer.timings_ms, started, decoded)})
        observe_detection(answer)
        return answer

    async def search(
        self, *, imprint: str | None, shape: str | None, color: str | None, form: str | None, name: str | None,
        catalogs: Sequence[str] | None, top_k: int,
    ) -> SearchResult:  # fmt: skip
        """Items by what a person reads or sees; at least one of the five must be given."""
        if not any((imprint, shape, color, form, name)):
            raise InvalidField("give at least one of: imprint, shape, color, form, name")
        await self._take_in_additions(catalogs)
        self._check(catalogs)
        answer = await asyncio.to_thread(
            self.pipeline.search,
            imprint=imprint, shape=shape, color=color, form=form, name=name, catalogs=catalogs, top_k=top_k,
        )  # fmt: skip
        observe_search(answer)
        return answer

    async def item(self, item_id: str) -> CatalogItem:
        """The catalogue row of an id. Raises `UnknownItem`."""
        await self._take_in_additions([item_id.partition(":")[0]])
        return self.pipeline.item(item_id)

    async def drawing(self, item_id: str, language: Language) -> str:
        """The pill of a catalogue row, drawn as SVG. Raises `UnknownItem`."""
        return draw_item(await self.item(item_id), language)

    def admit(self, token: str | None) -> None:
        """Let the operator in. Raises `TokenMissing` for everyone else, and for everyone where no token is set."""
        wanted = self.admin_token.get_secret_value() if self.admin_token else ""
        if not wanted or not hmac.compare_digest((token or "").encode(), wanted.encode()):
            raise TokenMissing("adding items needs the admin token: Authorization: Bearer ...")

    async def add(self, new: NewItem, photos: Sequence[tuple[SideName, BinaryIO]], replace: bool) -> CatalogItem:
        """Add a pill to a catalogue of one's own. Raises what `read_photo` and `Additions.add` raise."""
        assert self.additions is not None  # the settings know no token without a folder
        decoded = [(side, await self._decode(file)) for side, file in photos]
        item = await self.additions.add(new, decoded, replace=replace)
        log.info("item added", extra={"item_id": item.item_id, "photos": len(photos)})
        return item

    async def _take_in_additions(self, catalogs: Sequence[str] | None = None) -> None:
        """Answer from what was added last; from what is loaded where that cannot be read.

        Raises `StoreUnavailable` where nothing of it was ever loaded and `catalogs` (None = all) may ask for it: an
        answer as if one's own pills did not exist could name another in their place.
        """
        if self.additions is None:
            return
        try:
            await self.additions.refresh(PATIENCE_S if self.additions.loaded else None)
        except StoreUnavailable:
            if not self.additions.loaded and not (catalogs and set(catalogs) <= set(self.index_catalogs)):
                raise
            log.warning("answering without what was added last")
        self.catalogs = self.pipeline.gallery.catalogs

    def _check(self, catalogs: Sequence[str] | None) -> None:
        if not set(catalogs or ()) <= set(self.catalogs):
            raise InvalidField(f"catalogs: must be among {', '.join(sorted(self.catalogs))}")

    async def _decode(self, file: BinaryIO) -> Photo:
        return await asyncio.get_running_loop().run_in_executor(self.decoders, self._read, file)

    async def _decode_if_given(self, file: BinaryIO | None) -> Photo | None:
        return None if file is None else await self._decode(file)

    def _read(self, file: BinaryIO) -> Photo:
        return read_photo(file.read(self.limits.max_bytes + 1), self.limits)


def _with_decode(timings_ms: dict[str, float], started: float, decoded: float) -> dict[str, float]:
    """The pipeline's stage times with ours around them; `started`, `decoded`: seconds of `perf_counter`."""
    decode, total = (decoded - started) * 1000, (time.perf_counter() - started) * 1000
    return {"decode": round(decode, 1), **timings_ms, "total": round(total, 1)}
