"""What the models say of reference photos: faces, a vector and the readings of each, kept in the build's cache."""

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from index.cache import BuildCache, Kind, fingerprint
from index.faces import CUTTER_VERSION, FINDER_VERSION, FoundFace, Proportions, cut_isolated, find_faces
from pipeline.errors import PillscopeError
from pipeline.photo import PhotoLimits, read_photo
from pipeline.ports import Runners
from pipeline.schemas import Reading

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

CHUNK: Final = 32
"""Photos worked on between two writes to the cache."""
AT_ONCE: Final = 4
"""Cut-outs in one call of the reader."""
READER: Final = ("ocr_detector", "ocr_orientation", "ocr_recognizer")
READER_VERSION: Final = "2"
"""Raised when `runners.ocr` would read otherwise with the same models."""
LIMITS: Final = PhotoLimits(max_bytes=50_000_000)


@dataclass(frozen=True, slots=True)
class PhotoJob:
    """One reference photo. `read`: whether its imprint is wanted; `shapes`: what its outline may be, () = unknown."""

    path: Path
    layout: Literal["isolated", "pair", "single"]
    read: bool
    shapes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FaceFacts:
    """One face of a photo. `outline`: None where the photo is one face on black; `readings`: None = not read."""

    vector: Float32  # (D,) unit length
    readings: list[Reading] | None
    outline: Proportions | None


@dataclass(frozen=True, slots=True, eq=False)
class _Photo:
    """A decoded photo with its faces. `key`: names the photo's bytes and what found the faces."""

    job: PhotoJob
    key: str
    pixels: UInt8
    faces: tuple[FoundFace | None, ...]  # None: the picture is one face on black


@dataclass(frozen=True, slots=True, eq=False)
class _Face:
    photo: _Photo
    number: int

    def key(self, model: str) -> str:
        return f"{self.photo.key}:{self.number}:{model}"

    def cut_out(self) -> UInt8:
        face = self.photo.faces[self.number]
        return cut_isolated(self.photo.pixels)[0] if face is None else face.cut_out(self.photo.pixels)


class PhotoStudy:
    """Puts photos through detector, background remover, embedder and reader; asks the cache first.

    Args:
        runners: the models.
        versions: their hashes by name (detector, background, embedder and the three of the reader).
        cache: what earlier builds found.
        workers: calls of the reader at once, each on one core.
        progress: called with one line of text now and then.

    `unreadable` collects the photos that could not be decoded, and why.
    """

    def __init__(
        self,
        runners: Runners,
        versions: Mapping[str, str],
        cache: BuildCache,
        *,
        workers: int,
        progress: Callable[[str], None],
    ) -> None:
        self._runners = runners
        self._cache = cache
        self._workers = workers
        self._progress = progress
        self._finders = fingerprint(FINDER_VERSION, versions["detector"], versions["background"])
        self._cutter = fingerprint(CUTTER_VERSION)
        self._embedder = versions["embedder"]
        self._reader = fingerprint(READER_VERSION, *(versions[name] for name in READER))
        self.unreadable: dict[Path, str] = {}

    async def study(self, jobs: Sequence[PhotoJob]) -> dict[Path, list[FaceFacts]]:
        """Faces of every photo, in the order of `find_faces`. A photo without a face, or an unreadable one, has []."""
        started = time.monotonic()
        found: dict[Path, list[FaceFacts]] = {}
        for start in range(0, len(jobs), CHUNK):
            found.update(await self._study_chunk(jobs[start : start + CHUNK]))
            done = min(start + CHUNK, len(jobs))
            left = (time.monotonic() - started) / done * (len(jobs) - done)
            faces = sum(map(len, found.values()))
            self._progress(f"{done}/{len(jobs)} photos, {faces} faces, {left / 60:.0f} min left")
        return found

    async def cut_outs(self, job: PhotoJob) -> list[UInt8]:
        """(CUTOUT_SIZE, CUTOUT_SIZE, 4) uint8 RGBA of each face that `study` would find, in its order."""
        photo = await self._open(job)
        return [] if photo is None else [_Face(photo, number).cut_out() for number in range(len(photo.faces))]

    async def _study_chunk(self, jobs: Sequence[PhotoJob]) -> dict[Path, list[FaceFacts]]:
        photos = [photo for job in jobs if (photo := await self._open(job)) is not None]
        faces = [_Face(photo, number) for photo in photos for number in range(len(photo.faces))]
        vectors = await self._ask("vector", self._embedder, faces, self._embed)
        readings = await self._ask("readings", self._reader, [f for f in faces if f.photo.job.read], self._read)
        facts: dict[Path, list[FaceFacts]] = {job.path: [] for job in jobs}
        for face in faces:
            outline = face.photo.faces[face.number]
            facts[face.photo.job.path].append(
                FaceFacts(
                    vector=np.frombuffer(vectors[face], "<f4"),
                    readings=_unpack_readings(readings[face]) if face in readings else None,
                    outline=None if outline is None else Proportions.of(outline.mask),
                )
            )
        return facts

    async def _open(self, job: PhotoJob) -> _Photo | None:
        """Decode a photo and find its faces."""
        try:
            data = job.path.read_bytes()
            pixels = read_photo(data, LIMITS).pixels
        except (OSError, PillscopeError) as error:
            self.unreadable[job.path] = str(error)
            return None
        sha256 = hashlib.sha256(data).hexdigest()
        if job.layout == "isolated":
            return _Photo(job, f"{sha256}:{self._cutter}", pixels, (None,) * len(cut_isolated(pixels)))
        key = f"{sha256}:{job.layout}:{'/'.join(job.shapes)}:{self._finders}"
        packed = self._cache.get("faces", key)
        if packed is None:
            most = 2 if job.layout == "pair" else 1
            detector, background = self._runners.detector, self._runners.background
            faces = await find_faces(pixels, detector, background, most, job.shapes)
            packed = _frame([face.pack() for face in faces])
            self._cache.put("faces", [(key, packed)])
        return _Photo(job, key, pixels, tuple(map(FoundFace.unpack, _unframe(packed))))

    async def _ask(
        self, kind: Kind, model: str, faces: Sequence[_Face], ask: Callable[[UInt8], Awaitable[list[bytes]]]
    ) -> dict["_Face", bytes]:
        """What a model says of each face: from the cache, else by asking it once for all that are missing."""
        answers = {face: self._cache.get(kind, face.key(model)) for face in faces}
        missing = [face for face, answer in answers.items() if answer is None]
        if missing:
            fresh = await ask(np.stack([face.cut_out() for face in missing]))
            answers.update(zip(missing, fresh, strict=True))
            self._cache.put(kind, [(face.key(model), answer) for face, answer in zip(missing, fresh, strict=True)])
        return {face: answer for face, answer in answers.items() if answer is not None}

    async def _embed(self, cutouts: UInt8) -> list[bytes]:
        vectors = await self._runners.embedder.embed(cutouts)
        return [vector.astype("<f4").tobytes() for vector in vectors[:, 0]]  # the queries bring the other turns

    async def _read(self, cutouts: UInt8) -> list[bytes]:
        free = asyncio.Semaphore(self._workers)

        async def read(part: UInt8) -> list[list[Reading]]:
            async with free:
                return await self._runners.ocr.read(part)

        parts = [cutouts[start : start + AT_ONCE] for start in range(0, len(cutouts), AT_ONCE)]
        return [_pack_readings(face) for part in await asyncio.gather(*map(read, parts)) for face in part]


def _pack_readings(readings: Sequence[Reading]) -> bytes:
    return json.dumps([reading.model_dump() for reading in readings], ensure_ascii=False).encode()


def _unpack_readings(data: bytes) -> list[Reading]:
    return [Reading.model_validate(reading) for reading in json.loads(data)]


def _frame(parts: Sequence[bytes]) -> bytes:
    """Several byte strings as one, each behind its length."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _unframe(data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        stop = start + 4 + int.from_bytes(data[start : start + 4], "big")
        yield data[start + 4 : stop]
        start = stop
