"""From a photo to ranked medicines: the whole product, top to bottom.

photo -> pill -> cut-out -> evidence (attributes, imprint, embedding, side by side) -> candidates -> decision
"""

import asyncio
import time
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

import cv2
import numpy as np

from pipeline.attributes import Attributes
from pipeline.closer import join, parts_to_look_at
from pipeline.cutout import SquareCrop, crop_around, cut_out, outline
from pipeline.errors import RunnerUnavailable
from pipeline.no_imprint import chance_of_no_imprint
from pipeline.photo import Photo
from pipeline.pills import (
    DetectionLimits,
    clear,
    from_afar,
    independent,
    more_likely,
    one_pill,
    several_pills,
    usable_mask,
)
from pipeline.ports import Float32, Gallery, Runners, UInt8
from pipeline.quality import HIDES, assess, cut_off
from pipeline.ranking import RankingWeights, SideEvidence, rank
from pipeline.read_confidence import chance_on_photo
from pipeline.schemas import (
    Candidate,
    CatalogItem,
    Decision,
    DetectedPill,
    DetectionResult,
    Evidence,
    Hints,
    Identification,
    ImageSize,
    ImprintRead,
    NamedProbability,
    PillBox,
    Quality,
    Reading,
    Reason,
    SearchResult,
    Side,
    SideName,
    Versions,
)
from pipeline.text_search import search
from pipeline.transcript import transcript

T = TypeVar("T")

NO_HINTS: Final = Hints()
JUDGED: Final = 192
"""Side, px, of the crops that the verdict is asked about: it looks at fewer, and they travel to its runner."""


@dataclass(slots=True)
class Walk:
    """What is noted on the way of one request: time per stage (ms, summed over sides) and evidence gone missing."""

    timings_ms: dict[str, float] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            spent = (time.perf_counter() - began) * 1000
            self.timings_ms[name] = round(self.timings_ms.get(name, 0.0) + spent, 2)

    async def optional(self, stage: str, evidence: str, call: Awaitable[T]) -> T | None:
        """Await a runner whose evidence can be done without; its absence is noted, not raised."""
        with self.stage(stage):
            try:
                return await call
            except RunnerUnavailable:
                self.missing.add(evidence)
                return None


@dataclass(frozen=True, slots=True)
class View:
    """One thing that the detector boxed and the verdict let through."""

    box: Float32  # (5,): px of Photo.pixels, score
    crop: SquareCrop
    mask: UInt8  # (S, S) of the crop


@dataclass(frozen=True, slots=True)
class Look:
    """One pill, found and looked at; `reason` says why it was not, where it was not."""

    reason: Reason | None = None
    box: tuple[float, float, float, float] | None = None  # px of Photo.pixels
    score: float = 0.0
    mask: UInt8 | None = None  # (S, S) of the crop
    crop: SquareCrop | None = None
    quality: Quality | None = None
    evidence: SideEvidence = field(default_factory=lambda: SideEvidence(None, None, None))


class Pipeline:
    """The walk, with the runners and the gallery it was handed."""

    def __init__(
        self, runners: Runners, gallery: Gallery, versions: Versions, weights: RankingWeights,
        limits: DetectionLimits | None = None,
    ) -> None:  # fmt: skip
        self._runners = runners
        self.gallery = gallery
        self._versions = versions
        self.weights = weights
        self._limits = limits or DetectionLimits()

    async def identify(
        self, front: Photo, back: Photo | None = None, *, catalogs: Sequence[str] | None = None, top_k: int = 5,
        hints: Hints = NO_HINTS,
    ) -> Identification:  # fmt: skip
        """Which medicine is on the photo(s)?

        Args:
            front, back: one pill each; which is which does not matter, the better assignment is taken.
            catalogs: ids to look in; None = all.
            top_k: number of candidates.
            hints: what a person added.

        Raises:
            RunnerUnavailable: the detector is down. Every other runner is done without, and named in `missing`.
        """
        walk = Walk()
        with walk.stage("total"):
            photos: list[tuple[SideName, Photo]] = [("front", front)]
            if back is not None:
                photos.append(("back", back))
            looks = await asyncio.gather(*(self.look(photo, walk) for _, photo in photos))
            decision, reason, candidates = await self._answer(looks, hints, catalogs, top_k, walk)
            sides = [_side(name, look, photo, self.weights) for (name, photo), look in zip(photos, looks, strict=True)]
        return Identification(
            decision=decision, reason=reason, candidates=candidates, sides=sides, missing=sorted(walk.missing),
            versions=self._versions, timings_ms=walk.timings_ms,
        )  # fmt: skip

    async def detect(self, photo: Photo, *, identify: bool = False, top_k: int = 5) -> DetectionResult:
        """Every pill in the photo with its outline; with `identify`, what each can be (one side seen)."""
        walk = Walk()
        pills: list[DetectedPill] = []
        with walk.stage("total"):
            boxes = await self._find(photo.pixels, walk)
            boxes = boxes[boxes[:, 4] >= self._limits.score][: self._limits.most_pills]
            for start in range(0, len(boxes), self._limits.at_once):
                views = await self._cut(photo, boxes[start : start + self._limits.at_once], walk)
                looks = await self._judge(photo, views, walk, evidence=identify)
                answers = (
                    await asyncio.gather(*(self._answer([look], Hints(), None, top_k, walk) for look in looks))
                    if identify
                    else [None] * len(looks)
                )
                pills += [_detected(look, photo, answer) for look, answer in zip(looks, answers, strict=True)]
        return DetectionResult(
            pills=pills, image=ImageSize(width=photo.width, height=photo.height), missing=sorted(walk.missing),
            versions=self._versions, timings_ms=walk.timings_ms,
        )  # fmt: skip

    def search(
        self, *, imprint: str | None = None, shape: str | None = None, color: str | None = None,
        form: str | None = None, name: str | None = None, catalogs: Sequence[str] | None = None, top_k: int = 5,
    ) -> SearchResult:  # fmt: skip
        """Items by what a person reads and types; `score` is agreement here, not a probability."""
        walk, gallery = Walk(), self.gallery
        with walk.stage("total"):
            found = search(
                gallery, imprint=imprint, shape=shape, color=color, form=form, name=name, catalogs=catalogs,
                top_k=top_k,
            )  # fmt: skip
            candidates = [
                candidate(gallery.item(row), number, agreement, evidence)
                for number, (row, agreement, evidence) in enumerate(found, start=1)
            ]
        return SearchResult(candidates=candidates, versions=self._versions, timings_ms=walk.timings_ms)

    def item(self, item_id: str) -> CatalogItem:
        """One catalogue row. Raises `pipeline.errors.UnknownItem`."""
        return self.gallery.find(item_id)

    def use(self, gallery: Gallery) -> None:
        """Answer from another gallery from now on; answers on their way end with the one they began with."""
        self.gallery = gallery
        self._versions = self._versions.model_copy(update={"index": gallery.version, "catalogs": gallery.catalogs})

    async def look(self, photo: Photo, walk: Walk, *, evidence: bool = True) -> Look:
        """Find the one pill of a photo, cut it out and, if `evidence` is wanted, ask every runner about it."""
        boxes = await self._find_one(photo, walk)
        boxes = independent(boxes[boxes[:, 4] >= self._limits.lone_score], self._limits.inside)
        views = await self._cut(photo, boxes[: self._limits.at_once], walk)
        if not views:
            return Look(reason="no_pill")
        pills = np.stack([view.box for view in views])
        if several_pills(pills, self._limits):
            return Look(reason="several_pills")
        chosen = one_pill(pills, self._limits)
        if chosen is None:
            return Look(reason="no_pill")
        (look,) = await self._judge(photo, [views[chosen]], walk, evidence=evidence)
        return look

    async def _find_one(self, photo: Photo, walk: Walk) -> Float32:
        """As `_find`, where one pill is expected: unless it is clear, a second look from afar."""
        near = await self._find(photo.pixels, walk)
        if clear(near, self._limits):
            return near
        canvas, (x, y) = from_afar(photo.pixels)
        far = await self._find(canvas, walk)
        far[:, :4] -= np.array([x, y, x, y], np.float32)
        return more_likely(near, far, photo.pixels)

    async def _find(self, image: UInt8, walk: Walk) -> Float32:
        """Boxes (N, 5) in px of `image`, best first; where some are small, after a closer look."""
        height, width = image.shape[:2]
        frame = self._limits.frame
        with walk.stage("detect"):
            boxes = await self._detect(image)
            likely = boxes[boxes[:, 4] >= self._limits.lone_score]
            parts = parts_to_look_at(likely, (width, height), frame) if self._limits.closer else []
            if not parts:
                return boxes
            found = [await self._detect(image[p.y : p.y + p.height, p.x : p.x + p.width]) for p in parts]
            return join(boxes, parts, found, (width, height), frame)

    async def _detect(self, image: UInt8) -> Float32:
        """Ask the detector, with no more pixels than it looks at. (N, 5) in px of `image`, best first."""
        factor = min(1.0, self._limits.frame / max(image.shape[:2]))
        if factor < 1:
            shrunk = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            boxes = (await self._runners.detector.detect(np.asarray(shrunk, np.uint8))).copy()
        else:
            boxes = (await self._runners.detector.detect(np.ascontiguousarray(image))).copy()
        boxes[:, :4] /= factor
        return boxes

    async def _cut(self, photo: Photo, boxes: Float32, walk: Walk) -> list[View]:
        """Tell pill from background in every box (N, 5), and leave out what is none by the verdict."""
        if not len(boxes):
            return []
        crops = [crop_around(photo.pixels, (float(b[0]), float(b[1]), float(b[2]), float(b[3]))) for b in boxes]
        pixels = np.stack([crop.pixels for crop in crops])
        few = np.stack([cv2.resize(one, (JUDGED, JUDGED), interpolation=cv2.INTER_AREA) for one in pixels])
        found, chances = await asyncio.gather(
            walk.optional("cutout", "mask", self._runners.background.mask(pixels)),
            walk.optional("judge", "mask", self._runners.background.judge(np.asarray(few, np.uint8))),
        )
        return [
            View(box, crop, usable_mask(None if found is None else found[i], box, crop))
            for i, (box, crop) in enumerate(zip(boxes, crops, strict=True))
            if chances is None or chances[i] >= self._limits.pill
        ]

    async def _judge(self, photo: Photo, views: Sequence[View], walk: Walk, *, evidence: bool) -> list[Look]:
        """Judge every view and, where asked, ask the runners about all that are good enough at once."""
        looks, cutouts, order = [], [], []
        height, width = photo.pixels.shape[:2]
        for i, view in enumerate(views):
            box, crop, mask = view.box, view.crop, view.mask
            pill_px = float(max(box[2] - box[0], box[3] - box[1])) / photo.scale
            with walk.stage("quality"):
                quality, reason = assess(crop.pixels, mask, pill_px, cut=cut_off(mask, crop, width, height))
            looks.append(
                Look(reason, (float(box[0]), float(box[1]), float(box[2]), float(box[3])), float(box[4]), mask, crop,
                     quality)
            )  # fmt: skip
            if reason is None and evidence:
                cutouts.append(cut_out(crop.pixels, mask))
                order.append(i)
        if cutouts:
            gathered = await self._evidence(np.stack(cutouts), walk)
            for i, side in zip(order, gathered, strict=True):
                look = looks[i]
                looks[i] = Look(None, look.box, look.score, look.mask, look.crop, look.quality, side)
        return looks

    async def _evidence(self, cutouts: UInt8, walk: Walk) -> list[SideEvidence]:
        """Attributes, imprint and vectors of (N, S, S, 4) cut-outs, asked for side by side."""
        runners = self._runners
        rows, readings, vectors = await asyncio.gather(
            walk.optional("classify", "attributes", runners.classifier.classify(cutouts)),
            walk.optional("read", "imprint", runners.ocr.read(cutouts)),
            walk.optional("embed", "visual", runners.embedder.embed(cutouts)),
        )
        return [
            SideEvidence(
                vectors=None if vectors is None else vectors[i],
                readings=None if readings is None else readings[i],
                attributes=None if rows is None else Attributes.from_row(rows[i]),
            )
            for i in range(len(cutouts))
        ]

    async def _answer(
        self, looks: Sequence[Look], hints: Hints, catalogs: Sequence[str] | None, top_k: int, walk: Walk
    ) -> tuple[Decision, Reason | None, list[Candidate]]:
        """Rank what was seen. A side that could not be judged is left out; if none could, its reason is the answer."""
        good = [look for look in looks if look.reason is None]
        if not good:
            return "unidentified", looks[0].reason, []
        gallery = self.gallery
        with walk.stage("rank"):
            ranking = await asyncio.to_thread(
                rank, gallery, [look.evidence for look in good], hints, catalogs, self.weights, limit=top_k
            )
        if ranking.decision == "unidentified":
            return "unidentified", ranking.reason, []
        candidates = [
            candidate(gallery.item(answer.row), number, answer.probability, answer.evidence)
            for number, answer in enumerate(ranking.answers, start=1)
        ]
        certain = ranking.decision == "identified" and not all(_partly_hidden(look) for look in good)
        return ("identified" if certain else "candidates"), ranking.reason, candidates


def _partly_hidden(look: Look) -> bool:
    """An imprint may go on where it cannot be seen: enough to propose, never to be certain."""
    return look.quality is not None and not HIDES.isdisjoint(look.quality.issues)


def candidate(item: CatalogItem, number: int, score: float, evidence: Evidence) -> Candidate:
    """The public form of one ranked item."""
    return Candidate(
        rank=number, item_id=item.item_id, catalog=item.catalog, name=item.name, manufacturer=item.manufacturer,
        score=round(score, 4), evidence=evidence, imprint_front=item.imprint_front, imprint_back=item.imprint_back,
        shape=item.shape, colors=item.colors, form=item.form, same_appearance=item.same_appearance,
        drawing_url=f"/v1/items/{item.item_id}/drawing.svg",
    )  # fmt: skip


def _side(name: SideName, look: Look, photo: Photo, weights: RankingWeights) -> Side:
    """The public form of what was seen on one photo."""
    attributes = look.evidence.attributes
    return Side(
        side=name,
        pill=None if look.box is None else PillBox(box=_full_size(look.box, photo), score=_probability(look.score)),
        imprint=_imprint(look.evidence.readings, attributes, weights),
        colors=[] if attributes is None else _named(attributes.colors, at_least=0.3),
        shape=None if attributes is None else _named(attributes.shape)[0],
        form=None if attributes is None else _named(attributes.form)[0],
        quality=look.quality,
    )


def _detected(look: Look, photo: Photo, answer: tuple[Decision, Reason | None, list[Candidate]] | None) -> DetectedPill:
    """The public form of one of many pills."""
    assert look.box is not None and look.crop is not None and look.mask is not None  # noqa: PT018
    points = outline(look.mask) * look.crop.scale + np.array(look.crop.origin, np.float32) + 0.5  # centres to borders
    points = np.clip(points, 0, [photo.pixels.shape[1], photo.pixels.shape[0]]) / photo.scale
    return DetectedPill(
        box=_full_size(look.box, photo), score=_probability(look.score),
        polygon=[(round(float(x), 1), round(float(y), 1)) for x, y in points],
        decision=answer[0] if answer else None, reason=answer[1] if answer else None,
        candidates=answer[2] if answer else None,
    )  # fmt: skip


def _full_size(box: tuple[float, float, float, float], photo: Photo) -> list[float]:
    return [round(value / photo.scale, 1) for value in box]


def _imprint(
    readings: Sequence[Reading] | None, attributes: Attributes | None, weights: RankingWeights
) -> ImprintRead | None:
    """The most believable reading; an empty one says how sure it is that nothing is there to be read."""
    if readings is None:
        return None
    best = transcript(readings)
    if not best.text:
        return ImprintRead(text="", confidence=_probability(chance_of_no_imprint(attributes)))
    return ImprintRead(text=best.text, confidence=_probability(chance_on_photo(best.confidence, weights)))


def _named(probabilities: dict[str, float], at_least: float = 0.0) -> list[NamedProbability]:
    """Names by falling probability; the best one always, the others from `at_least` on."""
    order = sorted(probabilities.items(), key=lambda pair: -pair[1])
    return [
        NamedProbability(name=name, probability=_probability(p))
        for i, (name, p) in enumerate(order)
        if i == 0 or p >= at_least
    ]


def _probability(value: float) -> float:
    return round(float(np.clip(value, 0, 1)), 4)
