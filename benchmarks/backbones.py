"""`python -m benchmarks backbones --data DIR`: backbones, distillation, gradient reversal and drawn pills side by side.

Every row has the same processor time, pictures and loss (`benchmarks.backbone_training`), and is measured on the 60
consumer development photos against all NIH sides. None of these photos, nor any of their pills, is trained on but for
the pills' reference photos. Networks with a start begin with a projection fitted to the teacher. Rows that were
finished before are not trained again; what they kept stands under runs/backbones/. Runs in the training environment.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from benchmarks.backbone_nets import Start, Student, begin, cost, fit_projection
from benchmarks.backbone_training import Course, Lesson, tensor, train
from benchmarks.embedding_losses import ranked
from benchmarks.options import add_models, parse_with_data
from benchmarks.packed_views import SIZE, Packed, drawn_pictures, packed, real_pictures
from benchmarks.report import write
from benchmarks.retrieval_scores import Outcome, outcome_rows, reciprocal_rank
from benchmarks.rows import Row, bootstrap
from training.embedder import embed_all
from training.journal import Journal

Float32 = NDArray[np.float32]

PART: Final = "backbones"
RATES: Final[dict[Start, float]] = {"scratch": 2e-3, "ImageNet": 8e-4, "shipped": 2e-4}


@dataclass(frozen=True, slots=True)
class Variant:
    """One row. `beside`: the row that differs from it by one thing."""

    title: str
    net: str
    start: Start
    beside: str
    teacher: bool = True
    real: bool = False  # gradient reversal against real crops
    drawn: bool = False  # Korean items as further classes


LITE0: Final = "tf_efficientnet_lite0"
VARIANTS: Final = {
    "lite0": Variant("EfficientNet-Lite0 from ImageNet, distilled", LITE0, "ImageNet", "shipped"),
    "mobilenetv2": Variant("MobileNetV2 from ImageNet, distilled", "mobilenetv2_100", "ImageNet", "lite0"),
    "mobilenetv4": Variant("MobileNetV4-conv-small from scratch, distilled", "mobilenetv4_conv_small", "scratch",
                           "lite0"),
    "repvit": Variant("RepViT-M0.9 from scratch, distilled", "repvit_m0_9", "scratch", "lite0"),
    "alone": Variant("EfficientNet-Lite0 from ImageNet, no teacher", LITE0, "ImageNet", "lite0", teacher=False),
    "on": Variant("shipped weights, going on", LITE0, "shipped", "shipped"),
    "reversal": Variant("shipped weights, going on with gradient reversal", LITE0, "shipped", "on", real=True),
    "drawn": Variant("shipped weights, going on with drawn Korean pills", LITE0, "shipped", "on", drawn=True),
}  # fmt: skip


def vectors(student: Student, pictures: Packed) -> tuple[Tensor, Tensor]:
    """(n, D) of all sides and (m, D) of the queries, before they are normalised."""
    student.eval()

    def projected(images: Tensor) -> Tensor:
        return student.project(student.features(images))

    return embed_all(projected, pictures.references), embed_all(projected, pictures.queries)


def sample(pictures: Packed) -> Tensor:
    """What the norms of the shipped network are set on: references and views, half each."""
    step = max(len(pictures.sides) // 64, 1)
    return tensor(np.concatenate([pictures.references[pictures.sides[::step]], pictures.views[0][::step]]))


def shipped_vectors(pictures: Packed) -> tuple[Tensor, Tensor]:
    """The teacher's `vectors`; made once a process."""
    return vectors(begin(LITE0, "shipped", sample(pictures), None), pictures)


def lesson_of(variant: Variant, pictures: Packed, teacher: Tensor, data: Path, models: Path | None) -> Lesson:
    """What a variant is trained on. `teacher`: (n, D) of all sides, normalised."""
    exact, views = pictures.references[pictures.sides], pictures.views
    targets = teacher[torch.from_numpy(pictures.sides)]
    if variant.drawn:
        drawn, drawn_views = drawn_pictures(data, models)
        net = begin(LITE0, "shipped", sample(pictures), None).eval()
        exact, views = np.concatenate([exact, drawn]), np.concatenate([views, drawn_views], axis=1)
        targets = torch.cat([targets, embed_all(net, drawn)])
    real = real_pictures(data, models) if variant.real else None
    return Lesson(exact, views, len(pictures.sides), real, targets if variant.teacher else None)


@torch.no_grad()
def started(variant: Variant, lesson: Lesson, pictures: Packed, wheels: Path | None) -> tuple[Student, Tensor]:
    """A variant's network before its first step, and the classes' prototypes.

    From ImageNet the projection is fitted: to the teacher's vectors, or without one to the features' main directions.
    """
    student = begin(variant.net, variant.start, sample(pictures), wheels)
    if variant.start != "ImageNet":
        assert lesson.targets is not None
        return student, lesson.targets
    features = embed_all(student.eval().features, lesson.exact)
    if lesson.targets is not None:
        fit_projection(student.project, features, lesson.targets)
        return student, lesson.targets
    mean = features.mean(dim=0)
    directions = torch.linalg.svd(features - mean, full_matrices=False)[2][: student.project.out_features]
    fit_projection(student.project, features, (features - mean) @ directions.T)
    return student, functional.normalize(student.project(features))


def run(
    key: str, pictures: Packed, teacher: Tensor, data: Path, *, models: Path | None, wheels: Path | None, seconds: float
) -> None:
    """Train one variant to its end, or go on with it; its weights and vectors stay under runs/backbones/KEY."""
    variant, journal = VARIANTS[key], Journal(f"backbones/{key}")
    done = journal.folder / "done.npz"
    if done.is_file():
        return
    torch.manual_seed(0)
    lesson = lesson_of(variant, pictures, teacher, data, models)
    began = time.process_time()
    student, prototypes = started(variant, lesson, pictures, wheels)
    spent = time.process_time() - began
    course = train(
        student, lesson, prototypes, seconds=seconds, rate=RATES[variant.start], journal=journal, spent=spent
    )
    journal.keep({"net": student.state_dict(), "variant": asdict(variant), "course": asdict(course)})
    references, queries = vectors(student, pictures)
    aside = done.with_suffix(".part.npz")
    np.savez(aside, references=references.numpy(), queries=queries.numpy())
    aside.replace(done)


def difference(row: Sequence[Outcome], beside: Sequence[Outcome], title: str, other: str) -> Row:
    """MRR of a row less that of another on the same photos, with the interval of the paired difference."""
    pairs = list(zip(row, beside, strict=True))

    def measure(chosen: Sequence[tuple[Outcome, Outcome]]) -> float:
        return float(np.mean([reciprocal_rank(a) - reciprocal_rank(b) for a, b in chosen]))

    low, high = bootstrap(pairs, measure)
    return Row(PART, title, f"MRR less that of: {other}", measure(pairs), low, high, len(pairs), "photos")


def rows_of(key: str, found: dict[str, list[Outcome]]) -> list[Row]:
    """All rows of one finished variant; `found`: outcomes by variant, "shipped" among them."""
    variant = VARIANTS[key]
    rows = outcome_rows(PART, variant.title, found[key], "photos")
    if variant.beside in found:
        other = VARIANTS[variant.beside].title if variant.beside in VARIANTS else "shipped weights"
        rows.append(difference(found[key], found[variant.beside], variant.title, other))
    return rows


def cost_rows(title: str, student: Student) -> list[Row]:
    """Time and size of a variant's network."""
    times, megabytes = cost(student, SIZE)
    low, high = np.percentile(times, [2.5, 97.5])
    return [
        Row(PART, title, "ms a picture", float(np.median(times)), float(low), float(high), len(times), "calls"),
        Row(PART, title, "MB as float16", megabytes, megabytes, megabytes, 1, "file"),
    ]


def told(title: str, course: Course) -> str:
    """One line of the table of trainings."""
    early, late = np.mean(course.loss[:10]), np.mean(course.loss[-20:])
    critic = f"{np.mean(course.critic[-40:]):.2f}" if course.critic else ""
    cells = (title, course.steps, course.pictures, f"{course.seconds:.0f}", f"{early:.2f}", f"{late:.2f}", critic)
    return "| " + " | ".join(map(str, cells)) + " |"


def main(argv: list[str]) -> None:
    """Entry of `python -m benchmarks backbones`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks backbones", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0, help="of one core for every row")
    parser.add_argument("--only", nargs="*", choices=sorted(VARIANTS), default=list(VARIANTS), help="rows to train")
    parser.add_argument("--wheels", type=Path, default=None, help="folder with the wheels of pretrained starts")
    add_models(parser)
    arguments = parse_with_data(parser, argv)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    data, models = arguments.data, arguments.models
    pictures = packed(data, models)
    teacher = shipped_vectors(pictures)
    for key in arguments.only:
        run(key, pictures, functional.normalize(teacher[0]), data, models=models, wheels=arguments.wheels,
            seconds=60 * arguments.minutes)  # fmt: skip
        print(f"{key} done", flush=True)
    report(pictures, teacher, data)


def report(pictures: Packed, teacher: tuple[Tensor, Tensor], data: Path) -> None:
    """Table of every variant that is finished."""
    found = {"shipped": ranked(*teacher, pictures.owner, data)}
    kept = {key: Journal(f"backbones/{key}") for key in VARIANTS}
    finished = [key for key in VARIANTS if (kept[key].folder / "done.npz").is_file()]
    for key in finished:
        with np.load(kept[key].folder / "done.npz") as done:
            both = torch.from_numpy(done["references"]), torch.from_numpy(done["queries"])
        found[key] = ranked(*both, pictures.owner, data)
    rows = outcome_rows(PART, "shipped weights", found["shipped"], "photos")
    courses, timed = [], set[str]()
    for key in finished:
        variant, state = VARIANTS[key], kept[key].resume()
        assert state is not None
        rows += rows_of(key, found)
        courses.append(told(variant.title, Course(**state["course"])))
        if variant.net not in timed:  # the same network costs the same
            timed.add(variant.net)
            student = Student(variant.net, variant.start)
            student.load_state_dict(state["student"])
            rows += cost_rows(variant.title, student)
    heading = "| row | steps | pictures | core-seconds | loss, first 10 steps | last 20 | critic right |"
    notes = "\n".join(["\n\n## Trainings", "Seed 0. Loss: with a teacher 5 (1 - cosine) + cross-entropy over the "
                       "sides, without one cross-entropy alone.", "", heading, "|---" * 7 + "|", *courses])  # fmt: skip
    path = write("backbones", "Backbones and ways to train them, side by side", "python -m benchmarks backbones "
                 "--data DIR", rows, notes)  # fmt: skip
    print(f"{path.read_text(encoding='utf-8')}\nwritten to {path}")
