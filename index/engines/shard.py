"""What every engine shares: the photos of a build in shards, and a worker that keeps its models warm between them.

A photo's facts depend on that photo, the models and nothing else (ONNX Runtime on one thread gives the same bits in any
batch), so which worker looks at which shard does not show in the index.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from index.cache import BuildCache
from index.photos import CHUNK, FaceFacts, PhotoJob, PhotoStudy
from runners.local import load_local_runners
from runners.session import MODELS_DIR, read_manifest


@dataclass(slots=True)
class Studied:
    """What the models said of photos, by path; `unreadable`: why some could not be decoded."""

    facts: dict[Path, list[FaceFacts]] = field(default_factory=dict)
    unreadable: dict[Path, str] = field(default_factory=dict)

    def add(self, other: "Studied") -> None:
        self.facts |= other.facts
        self.unreadable |= other.unreadable


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a worker is opened with. `cache`: a file that all workers of this host share, or None."""

    models_dir: Path | None
    cache: Path | None


class Worker:
    """The models in one process, each on one thread; opened once, then asked shard by shard.

    Raises:
        runners.session.ModelError: a model is missing or not the one in the manifest.
    """

    def __init__(self, place: Workplace) -> None:
        self._runners = load_local_runners(place.models_dir)
        self._versions = model_hashes(place.models_dir)
        self._cache = place.cache or Path(":memory:")

    def study(self, jobs: Sequence[PhotoJob]) -> Studied:
        """Every photo of a shard."""
        with BuildCache(self._cache) as cache:
            study = PhotoStudy(self._runners, self._versions, cache, workers=1, progress=_silent)
            facts = asyncio.run(study.study(jobs))
        return Studied(facts, study.unreadable)


def model_hashes(models_dir: Path | None) -> Mapping[str, str]:
    """SHA-256 of each model by name."""
    return {name: entry.sha256 for name, entry in read_manifest(models_dir or MODELS_DIR).models.items()}


def shards(jobs: Sequence[PhotoJob], size: int = CHUNK) -> list[Sequence[PhotoJob]]:
    """The photos in order, `size` at a time."""
    return [jobs[start : start + size] for start in range(0, len(jobs), size)]


class Progress:
    """Tells now and then how far a build is. `tell`: is called with one line."""

    def __init__(self, photos: int, tell: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._photos, self._tell, self._clock = photos, tell, clock
        self._done = self._faces = 0
        self._began = clock()

    def add(self, photos: int, faces: int) -> None:
        self._done += photos
        self._faces += faces
        left = (self._clock() - self._began) / max(1, self._done) * (self._photos - self._done)
        self._tell(f"{self._done}/{self._photos} photos, {self._faces} faces, {left / 60:.0f} min left")


def _silent(_: str) -> None:
    return None
