"""The walk, with runners that see simple pictures right: what is asked of whom, what happens when one is down."""

import cv2
import numpy as np
import pytest

from pipeline.attributes import ATTRIBUTE_WIDTH, LAYOUT
from pipeline.errors import RunnerUnavailable
from pipeline.identify import Pipeline
from pipeline.photo import Photo
from pipeline.pills import DetectionLimits
from pipeline.ports import Runners
from pipeline.ranking import RankingWeights
from pipeline.schemas import Reading, Versions
from pipeline.vocabulary import COLORS, FORMS, SHAPES
from tests.pipeline.gallery import small_gallery, unit
from tests.pipeline.test_ranking import WEIGHTS

TABLE = 60


COIN = (220, 180, 60)


class Seeing:
    """All five runners: bright ellipses are pills to the detector, golden ones are none by the verdict,
    everything else they say is fixed."""

    def __init__(self, down: tuple[str, ...] = (), text: str = "BETA") -> None:
        self.down, self.text = down, text
        self.calls: list[tuple[str, int]] = []

    def _enter(self, name: str, count: int = 1) -> None:
        self.calls.append((name, count))
        if name in self.down:
            raise RunnerUnavailable(name)

    async def detect(self, frame: np.ndarray) -> np.ndarray:
        self._enter("detector")
        count, _, stats, _ = cv2.connectedComponentsWithStats((frame.max(axis=2) > 150).astype(np.uint8))
        found = [(x, y, x + w, y + h, 0.9) for x, y, w, h, area in stats[1:count] if area > 20]
        return np.array(found, np.float32).reshape(-1, 5)

    async def mask(self, crops: np.ndarray) -> np.ndarray:
        self._enter("background", len(crops))
        return ((crops.max(axis=3) > 150) * 255).astype(np.uint8)

    async def judge(self, crops: np.ndarray) -> np.ndarray:
        self._enter("background", len(crops))
        middle = crops.shape[1] // 2
        coins = np.abs(crops[:, middle, middle].astype(int) - COIN).max(axis=1) < 20
        return np.where(coins, 0.2, 0.8).astype(np.float32)

    async def classify(self, cutouts: np.ndarray) -> np.ndarray:
        self._enter("classifier", len(cutouts))
        row = np.full(ATTRIBUTE_WIDTH, 0.02, np.float32)
        for head, names, name in (("colors", COLORS, "white"), ("shape", SHAPES, "round"), ("form", FORMS, "tablet")):
            row[LAYOUT[head].start + names.index(name)] = 0.95
        return np.tile(row, (len(cutouts), 1))

    async def embed(self, cutouts: np.ndarray) -> np.ndarray:
        self._enter("embedder", len(cutouts))
        return np.tile(unit(1, 0.02, 0, 0), (len(cutouts), 4, 1))

    async def read(self, cutouts: np.ndarray) -> list[list[Reading]]:
        self._enter("ocr", len(cutouts))
        one = Reading(text=self.text, confidence=0.9, box=[80, 150, 300, 230], rotation=0)
        return [[one] for _ in range(len(cutouts))]


def pipeline(seeing: Seeing, weights: RankingWeights = WEIGHTS, limits: DetectionLimits | None = None) -> Pipeline:
    versions = Versions(bundle="0", models={}, index="test", catalogs={})
    return Pipeline(Runners(seeing, seeing, seeing, seeing, seeing), small_gallery(), versions, weights, limits)


def photo(
    *centers: tuple[int, int], size: tuple[int, int] = (600, 800), scale: float = 1.0,
    coins: tuple[tuple[int, int], ...] = (),
) -> Photo:  # fmt: skip
    image = np.full((*size, 3), TABLE, np.uint8)
    for x, y in centers:
        cv2.circle(image, (x, y), 70, (220, 220, 220), -1)
    for x, y in coins:
        cv2.circle(image, (x, y), 70, COIN, -1)
    return Photo(image, scale, int(size[1] / scale), int(size[0] / scale))


async def test_one_photo_gives_ranked_candidates_and_what_was_seen():
    answer = await pipeline(Seeing()).identify(photo((400, 300)))
    assert answer.candidates[0].item_id == "us-nih:1-2"
    assert [c.rank for c in answer.candidates] == list(range(1, len(answer.candidates) + 1))
    side = answer.sides[0]
    assert side.pill is not None
    assert np.abs(np.array(side.pill.box) - [330, 230, 471, 371]).max() < 3
    assert side.imprint is not None
    assert side.imprint.text == "BETA"
    assert side.colors[0].name == "white"
    assert answer.missing == []
    assert {"detect", "cutout", "classify", "embed", "read", "rank", "total"} <= set(answer.timings_ms)


@pytest.mark.parametrize("imprinted", [0.02, 0.97])
async def test_nothing_read_says_how_sure_it_is_that_nothing_is_there(imprinted):
    class Blank(Seeing):
        async def read(self, cutouts):
            return [[] for _ in cutouts]

        async def classify(self, cutouts):
            rows = await super().classify(cutouts)
            rows[:, LAYOUT["imprinted"]] = imprinted
            return rows

    side = (await pipeline(Blank()).identify(photo((400, 300)))).sides[0]
    assert side.imprint is not None
    assert side.imprint.text == ""
    assert (side.imprint.confidence > 0.9) == (imprinted < 0.5)


async def test_boxes_are_in_pixels_of_the_full_photo():
    answer = await pipeline(Seeing()).identify(photo((400, 300), scale=0.25))
    side = answer.sides[0]
    assert side.pill is not None
    assert np.abs(np.array(side.pill.box) - 4 * np.array([330, 230, 471, 371])).max() < 12


@pytest.mark.parametrize(
    ("runner", "evidence"),
    [("background", "mask"), ("classifier", "attributes"), ("embedder", "visual"), ("ocr", "imprint")],
)
async def test_a_runner_that_is_down_is_named_and_done_without(runner, evidence):
    answer = await pipeline(Seeing(down=(runner,))).identify(photo((400, 300)))
    assert answer.missing == [evidence]
    assert answer.candidates


async def test_without_the_detector_there_is_no_answer():
    with pytest.raises(RunnerUnavailable, match="detector"):
        await pipeline(Seeing(down=("detector",))).identify(photo((400, 300)))


async def test_nothing_else_is_asked_about_a_photo_without_a_pill():
    seeing = Seeing()
    answer = await pipeline(seeing).identify(photo())
    assert (answer.decision, answer.reason, answer.candidates) == ("unidentified", "no_pill", [])
    assert {name for name, _ in seeing.calls} == {"detector"}


async def test_several_pills_are_not_guessed_at():
    answer = await pipeline(Seeing()).identify(photo((200, 300), (600, 300)))
    assert (answer.decision, answer.reason) == ("unidentified", "several_pills")


async def test_a_pill_of_a_few_pixels_is_too_small():
    small = np.full((600, 800, 3), TABLE, np.uint8)
    cv2.circle(small, (400, 300), 5, (220, 220, 220), -1)
    answer = await pipeline(Seeing()).identify(Photo(small, 1.0, 800, 600))
    assert answer.reason == "too_small"


async def test_a_bad_second_photo_does_not_spoil_the_first():
    answer = await pipeline(Seeing()).identify(photo((400, 300)), photo())
    assert answer.candidates[0].item_id == "us-nih:1-2"
    assert [side.pill is None for side in answer.sides] == [False, True]


async def test_every_pill_of_a_pouch_is_outlined_and_identified_in_bounded_groups():
    seeing = Seeing()
    many = photo(*[(100 + 200 * i, 120 + 300 * j) for i in range(4) for j in range(2)])
    limits = DetectionLimits(at_once=3, most_pills=7)
    answer = await pipeline(seeing, limits=limits).detect(many, identify=True)
    assert len(answer.pills) == 7
    assert all(pill.candidates and len(pill.polygon) > 8 for pill in answer.pills)
    assert max(count for name, count in seeing.calls if name == "embedder") == 3
    for pill in answer.pills:
        polygon = np.array(pill.polygon)
        assert np.abs(polygon.min(axis=0) - pill.box[:2]).max() < 4
        assert np.abs(polygon.max(axis=0) - pill.box[2:]).max() < 4


async def test_what_is_no_pill_by_the_verdict_is_none():
    answer = await pipeline(Seeing()).detect(photo((200, 300), coins=((600, 300),)), identify=True)
    assert len(answer.pills) == 1
    assert answer.pills[0].box[2] < 300
    answer = await pipeline(Seeing()).identify(photo((200, 300), coins=((600, 300),)))
    assert answer.candidates, "a coin beside the pill is not a second pill"
    answer = await pipeline(Seeing()).identify(photo(coins=((400, 300),)))
    assert (answer.decision, answer.reason) == ("unidentified", "no_pill")


async def test_without_the_background_remover_every_box_is_believed():
    answer = await pipeline(Seeing(down=("background",))).detect(photo((200, 300), coins=((600, 300),)))
    assert len(answer.pills) == 2
    assert answer.missing == ["mask"]


async def test_small_pills_of_a_large_photo_are_looked_at_again_closer():
    seeing = Seeing()
    image = np.full((1500, 2000, 3), TABLE, np.uint8)
    for x in (300, 900, 1700):
        cv2.circle(image, (x, 700), 40, (220, 220, 220), -1)
    answer = await pipeline(seeing).detect(Photo(image, 0.5, 4000, 3000))
    assert len(answer.pills) == 3
    assert sum(name == "detector" for name, _ in seeing.calls) > 4
    boxes = sorted(pill.box for pill in answer.pills)
    assert np.abs(np.array(boxes) - [[2 * x - 80, 1320, 2 * x + 80, 1480] for x in (300, 900, 1700)]).max() < 8

    once = Seeing()
    await pipeline(once, limits=DetectionLimits(closer=False)).detect(Photo(image, 0.5, 4000, 3000))
    assert sum(name == "detector" for name, _ in once.calls) == 1


async def test_a_pill_cut_off_by_the_photo_is_never_certain():
    sure = WEIGHTS.model_copy(update={"identified": 0.0, "readable": -100.0})
    whole = await pipeline(Seeing(), sure).identify(photo((400, 300)))
    cut = await pipeline(Seeing(), sure).identify(photo((20, 300)))
    assert whole.decision == "identified"
    assert cut.decision == "candidates"
    assert cut.sides[0].quality is not None
    assert "cut_off" in cut.sides[0].quality.issues


async def test_detect_alone_asks_for_no_evidence():
    seeing = Seeing()
    answer = await pipeline(seeing).detect(photo((200, 300)))
    assert answer.pills[0].candidates is None
    assert {name for name, _ in seeing.calls} == {"detector", "background"}


def test_search_ranks_by_what_was_typed():
    found = pipeline(Seeing()).search(imprint="delta", color="white")
    assert [c.item_id for c in found.candidates] == ["kr-mfds:kr1"]
    assert pipeline(Seeing()).search(name="gamma").candidates[0].item_id == "us-nih:1-3"
    assert pipeline(Seeing()).search().candidates == []
