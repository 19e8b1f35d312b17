"""A build looks at every photo once, goes on where it was stopped, and replaces an index whole or not at all."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from index.build import Part, Recipe, build, centred, photo_jobs
from index.cache import BuildCache
from index.errors import ImportRefused
from index.importers import table, us_nih
from index.importers.rows import Imprint, Source
from index.manifest import CATALOG, MANIFEST, VECTORS
from index.photos import FaceFacts, PhotoJob, PhotoStudy
from index.read_imprint import read_imprints, told_apart, versions_of
from index.search import LoadedIndex
from pipeline.ports import Runners
from pipeline.schemas import Reading
from tests.index import tables
from tests.index.small_index import build_small, facts, parts
from tests.index.test_faces import RedBackground, RedDetector

VERSIONS = dict.fromkeys(
    ("detector", "background", "embedder", "ocr_detector", "ocr_orientation", "ocr_recognizer"), "1"
)


class CountingModels:
    """Embeds a cut-out as its mean colour and reads "RED" on red ones; counts what it was asked."""

    def __init__(self) -> None:
        self.embedded = self.read_count = 0
        self.fail = False

    async def embed(self, cutouts: np.ndarray) -> np.ndarray:
        if self.fail:
            raise ConnectionError
        self.embedded += len(cutouts)
        means = cutouts[..., :3].reshape(len(cutouts), -1, 3).mean(axis=1).astype(np.float32)
        vectors = np.pad(means, ((0, 0), (0, 5)))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.stack([vectors, np.roll(vectors, 4, axis=1)], axis=1)  # a second turn, which is not for the index

    async def read(self, cutouts: np.ndarray) -> list[list[Reading]]:
        self.read_count += len(cutouts)
        return [
            [Reading(text="RED", confidence=0.9, box=[0, 0, 9, 9], rotation=0)] if cutout[192, 192, 0] > 150 else []
            for cutout in cutouts
        ]

    async def classify(self, cutouts: np.ndarray) -> np.ndarray:
        raise AssertionError("a build does not classify")

    def study(self, cache: BuildCache, **versions: str) -> PhotoStudy:
        runners = Runners(RedDetector(), RedBackground(), self, self, self)
        return PhotoStudy(runners, VERSIONS | versions, cache, workers=2, progress=lambda _: None)


def disc(path: Path, color: tuple[int, int, int], background: int = 0) -> Path:
    """A photo of one round pill."""
    image = np.full((224, 224, 3), background, np.uint8)
    cv2.circle(image, (112, 112), 60, color[::-1], -1)
    cv2.imwrite(str(path), image)
    return path


@pytest.fixture
def jobs(tmp_path) -> list[PhotoJob]:
    red, blue = disc(tmp_path / "red.png", (220, 20, 20)), disc(tmp_path / "blue.png", (20, 20, 220))
    pair = disc(tmp_path / "paper.png", (220, 20, 20), background=200)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a photo")
    return [
        PhotoJob(red, "isolated", True), PhotoJob(blue, "isolated", False), PhotoJob(pair, "pair", True),
        PhotoJob(broken, "single", True),
    ]  # fmt: skip


async def test_every_photo_is_cut_embedded_and_read_where_asked(tmp_path, jobs):
    models = CountingModels()
    with BuildCache(tmp_path / "cache" / "found.sqlite") as cache:
        study = models.study(cache)
        found = await study.study(jobs)
    red, blue, pair, broken = (found[job.path] for job in jobs)
    assert [len(faces) for faces in (red, blue, pair, broken)] == [1, 1, 1, 0]
    assert red[0].vector.argmax() == 0
    assert blue[0].vector.argmax() == 2
    assert [r.text for r in red[0].readings] == ["RED"]
    assert blue[0].readings is None  # not asked for
    assert red[0].outline is None
    assert pair[0].outline.ratio == pytest.approx(1.0, abs=0.05)
    assert list(study.unreadable) == [jobs[3].path]


async def test_a_stopped_build_goes_on_where_it_was(tmp_path, jobs):
    models = CountingModels()
    path = tmp_path / "found.sqlite"
    with BuildCache(path) as cache:
        before = await models.study(cache).study(jobs)
    assert (models.embedded, models.read_count) == (3, 2)
    with BuildCache(path) as cache:
        again = await models.study(cache).study(jobs)
        assert (models.embedded, models.read_count) == (3, 2)
        assert again.keys() == before.keys()
        for job in jobs:
            for face, known in zip(again[job.path], before[job.path], strict=True):
                assert np.array_equal(face.vector, known.vector)
                assert face.readings == known.readings
        await models.study(cache, embedder="2").study(jobs)  # a new embedder asks for vectors only
        assert (models.embedded, models.read_count) == (6, 2)
        await models.study(cache, detector="2").study(jobs)  # a new detector: the photo that it was needed for
        assert (models.embedded, models.read_count) == (7, 3)


async def test_a_failing_model_stops_the_build_and_keeps_what_was_found(tmp_path, jobs):
    models = CountingModels()
    models.fail = True
    with BuildCache(tmp_path / "found.sqlite") as cache:
        with pytest.raises(ConnectionError):
            await models.study(cache).study(jobs)
        models.fail = False
        assert len(await models.study(cache).study(jobs)) == 4


def test_photos_are_looked_at_once_and_those_to_be_read_first(tmp_path):
    small = parts(tmp_path)
    jobs = photo_jobs(small, "missing")
    assert [(job.path.name, job.read) for job in jobs] == [
        ("b_0.jpg", True), ("b_1.jpg", True), ("p.webp", True), ("q.webp", True),
        ("a_0.jpg", False), ("a_1.jpg", False),
    ]  # fmt: skip
    assert not any(job.read for job in photo_jobs(small, "nothing"))
    assert all(job.read for job in photo_jobs(small, "all"))
    assert [job.layout for job in jobs[1:3]] == ["isolated", "pair"]


def reading(text: str, rotation: int = 0, confidence: float = 0.9, top: float = 0) -> Reading:
    return Reading(text=text, confidence=confidence, box=[0, top, 90, top + 30], rotation=rotation)


def test_an_imprint_is_read_where_the_table_states_none(tmp_path):
    small, found = parts(tmp_path), facts()
    path = Path("nih/b_1.jpg")
    found[path] = [FaceFacts(found[path][0].vector, [reading("lilly 4464")], None)]
    other = Path("nih/a_0.jpg")
    found[other] = [FaceFacts(found[other][0].vector, [reading("NOISE")], None)]
    build(small, found, tmp_path / "index", Recipe())
    index = LoadedIndex(tmp_path / "index")
    item = index.find("us-nih:2-4464")
    assert (item.imprint_front, item.imprint_back, item.imprint_source) == (None, "LILLY 4464", "read")
    assert index.find("us-nih:93-7270").imprint_front == "TEVA 7270"  # what the table says stays


def test_likely_turns_are_versions_and_doubtful_lines_are_dropped():
    readings = [
        reading("7270", 180, top=40), reading("TEVA", 180), reading("0727", 0), reading("V31", 0, 0.8),
        reading("O", 90, 0.99), reading("TEXTURE", 270, 0.3),
    ]  # fmt: skip
    assert versions_of(readings) == ["TEVA 7270", "0727 V31"]
    assert versions_of([]) == []
    front, back = [reading("A1"), reading("IV", 180)], [reading("5")]
    assert read_imprints(front, back) == (Imprint(front="A1", back="5"), Imprint(front="IV", back="5"))
    assert read_imprints([], []) == ()


@pytest.mark.parametrize(
    ("stated", "front", "back", "expected"),
    [
        (Imprint(front="TEVA 7270"), ["7270"], ["TEVA"], Imprint(front="7270", back="TEVA")),
        (Imprint(front="TEVA 7270"), ["TEVA", "7270"], [], Imprint(front="TEVA 7270", back=None)),
        (Imprint(front="CCP", back="78"), ["78"], ["CCP"], Imprint(front="78", back="CCP")),
        (
            Imprint(front="TEVA 7270"),
            ["TEVA7Z7O"],
            [],
            Imprint(front="TEVA 7270", back=None),
        ),  # in one run, look-alikes
        (
            Imprint(front="PLIVA 647 PLIVA 647"),
            ["PLIVA647"],
            ["647 PLIVA"],
            Imprint(front="PLIVA 647", back="PLIVA 647"),
        ),
        (Imprint(front="TEVA 7270"), ["TEVA"], [], None),  # where is 7270?
        (Imprint(front="TEVA 7270"), ["TEVA", "7270"], ["TEVA"], None),  # which one misread?
        (Imprint(front="93 5"), ["93"], ["5"], None),  # one letter is read anywhere
    ],
)
def test_readings_tell_which_side_a_stated_imprint_is_on(stated, front, back, expected):
    assert told_apart(stated, [reading(text) for text in front], [reading(text) for text in back]) == expected


def test_a_stated_imprint_gets_its_sides_when_all_is_read(tmp_path):
    small, found = parts(tmp_path), facts()
    for file, text in (("nih/a_0.jpg", "7270"), ("nih/a_1.jpg", "TEVA")):
        found[Path(file)] = [FaceFacts(found[Path(file)][0].vector, [reading(text)], None)]
    build(small, found, tmp_path / "index", Recipe())
    index = LoadedIndex(tmp_path / "index")
    item, twin = index.find("us-nih:93-7270"), index.find("us-nih:615-7740")
    assert (item.imprint_front, item.imprint_back, item.sides_known) == ("7270", "TEVA", True)
    assert item.imprint_source == "catalog"
    assert (twin.imprint_front, twin.sides_known) == ("TEVA 7270", False)  # its versions contradict each other


def test_the_manifest_tells_what_was_built(tmp_path):
    folder = build_small(tmp_path, Recipe(models={"embedder": "ab" * 32}, command="python -m index build"))
    manifest = json.loads((folder / MANIFEST).read_text())
    assert manifest["vectors"] == {"count": 6, "dimension": 32, "storage": "float16", "method": "exact"}
    assert manifest["models"] == {"embedder": "ab" * 32}
    nih = manifest["catalogs"]["us-nih"]
    assert (nih["items"], nih["with_photo"]) == (3, 3)
    assert nih["imprints"] == {"catalog": 1, "none": 1, "twin": 1}
    assert manifest["catalogs"]["tw-tfda"]["date"] == "2026-08-10"
    assert {path.name for path in folder.iterdir()} == {CATALOG, VECTORS, MANIFEST}
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"index"}  # nothing is left lying about


def test_the_file_of_facts_holds_no_address_and_no_free_space(tmp_path):
    with closing(sqlite3.connect(build_small(tmp_path) / CATALOG)) as database:
        assert database.execute("PRAGMA freelist_count").fetchone() == (0,)
        assert not [line for line in database.iterdump() if "http" in line]


def test_a_build_that_fails_leaves_the_old_index_as_it_was(tmp_path, monkeypatch):
    folder = build_small(tmp_path)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full_disk(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("index.build.write_vectors", full_disk)
    with pytest.raises(OSError, match="no space"):
        build_small(tmp_path)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"index"}


def test_a_folder_of_something_else_is_never_replaced(tmp_path):
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "thesis.txt").write_text("years of work")
    with pytest.raises(ImportRefused, match=r"thesis\.txt"):
        build_small(tmp_path)
    assert (tmp_path / "index" / "thesis.txt").read_text() == "years of work"


def test_two_catalogues_of_one_id_are_refused(tmp_path):
    catalog = us_nih.load(tables.write(tmp_path / "us_nih.csv", tables.NIH))
    own = table.load(tables.write(tmp_path / "own.csv", tables.OWN), Source("us-nih", "x", "x", "x", ""))
    with pytest.raises(ImportRefused, match="share an id"):
        build([Part(catalog, None), Part(own, None)], {}, tmp_path / "index", Recipe())
    assert not (tmp_path / "index").exists()


def test_what_all_photos_of_a_catalogue_share_is_taken_out_of_their_vectors():
    rng = np.random.default_rng(5)
    own = rng.normal(size=(400, 16))
    vectors = own + 6.0 * np.eye(16)[0]  # one studio's light on every photo
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    paths = [Path(f"{i}.jpg") for i in range(400)]
    found = {path: [FaceFacts(vector, None, None)] for path, vector in zip(paths, vectors, strict=True)}
    shifted = np.stack([centred(paths, found)[path][0].vector for path in paths])
    np.testing.assert_allclose(np.linalg.norm(shifted, axis=1), 1, atol=1e-5)
    assert vectors[:, 0].mean() > 0.8
    assert shifted[:, 0].mean() < 0.6
    few = centred(paths[:1], {paths[0]: found[paths[0]], Path("stranger.jpg"): found[paths[1]]})
    assert few.keys() == {paths[0]}
    assert few[paths[0]][0].vector @ vectors[0] > 0.999  # one photo's mean is the pill itself
