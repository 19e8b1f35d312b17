"""`python -m benchmarks backbones --data DIR`: backbones, distillation, gradient reversal and drawn pills side by side.

Every row has the same processor time, pictures and loss (`benchmarks.backbone_training`), and is measured on the 60
consumer development photos against all NIH sides. Neither these photos nor any other photo of their pills but the
references is trained on. Of networks with a start only the last stages are trained, those from ImageNet from a
projection fitted to the teacher. Rows that were finished before are not trained again; what they kept stands under
runs/backbones/. Runs in the training environment.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.backbone_nets import Start, Student, begin, cost, fit_projection
from benchmarks.backbone_training import Course, Lesson, Pictures, tensor, train
from benchmarks.embedding_losses import features, ranked, start
from benchmarks.options import add_models, parse_with_data
from benchmarks.packed_views import SIZE, Packed, drawn_pictures, packed, real_pictures
from benchmarks.report import write
from benchmarks.retrieval_scores import Outcome, outcome_rows, reciprocal_rank
from benchmarks.rows import Row, bootstrap
from training.journal import Journal

KEPT: Final = Path("runs") / "backbones"
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


@torch.inference_mode()
def in_batches(call: Callable[[Tensor], Tensor], rows: Pictures) -> Tensor:
    """`call` over what a `Lesson` holds, 64 at a time."""
    return torch.cat([call(tensor(rows[start : start + 64])) for start in range(0, len(rows), 64)])


class Lowered:
    """Pictures as a student's kept part sees them: made once for every network and start, as the rows share them."""

    def __init__(self, student: Student, name: str, pictures: Packed) -> None:
        self.student, self.folder = student.eval(), KEPT / pictures.version / name
        self.references = self.seen("references", pictures.references)
        self.queries = self.seen("queries", pictures.queries)
        self.pictures = pictures

    def views(self) -> Pictures:
        """(VIEWS, k, ...) of the sides that are trained on."""
        return self.stacked("views", self.pictures.views)

    def stacked(self, name: str, views: Pictures) -> Pictures:
        """Views by number: (v, k, ...)."""
        return np.stack([self.seen(f"{name}{number}", view) for number, view in enumerate(views)])

    def seen(self, name: str, rows: Pictures) -> Pictures:
        """Of (n, S, S, 3) uint8; kept as float16, and left as they are where the student keeps nothing."""
        if not self.student.frozen:
            return rows
        path = self.folder / f"{name}.npy"
        if not path.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            aside = path.with_suffix(".part.npy")
            np.save(aside, in_batches(self.student.lower, rows).to(torch.float16).contiguous().numpy())
            aside.replace(path)
        return np.load(path, mmap_mode="c")

    def vectors(self, student: Student) -> tuple[Tensor, Tensor]:
        """(n, D) of all sides and (m, D) of the queries, before they are normalised."""
        student.eval()
        both = [
            in_batches(lambda rows: student.project(student.upper(rows)), rows)
            for rows in (self.references, self.queries)
        ]
        return both[0], both[1]


def sample(pictures: Packed) -> Tensor:
    """What the norms of the shipped network are set on: references and views, half each."""
    step = max(len(pictures.sides) // 64, 1)
    return tensor(np.concatenate([pictures.references[pictures.sides[::step]], pictures.views[0][::step]]))


@dataclass(frozen=True, slots=True)
class Setting:
    """What all rows share. `models`: folder that cut the pictures; `wheels`: folder of pretrained starts."""

    pictures: Packed
    data: Path
    models: Path | None
    wheels: Path | None
    seconds: float

    def student(self, variant: Variant) -> Student:
        """The network before its first step."""
        return begin(variant.net, variant.start, sample(self.pictures), self.wheels)

    def lowered(self, variant: Variant) -> tuple[Student, Lowered]:
        """The network and its pictures."""
        student = self.student(variant)
        return student, Lowered(student, f"{variant.net}-{variant.start}", self.pictures)

    def teacher(self) -> tuple[Tensor, Tensor]:
        """The shipped embedder's `Lowered.vectors`, of the features that the comparison of losses keeps, too."""
        kept = features(self.data, self.models)
        project = start(kept)
        with torch.inference_mode():
            return project(torch.from_numpy(kept.references)), project(torch.from_numpy(kept.queries))


def lesson_of(variant: Variant, setting: Setting, lowered: Lowered, teacher: Tensor) -> Lesson:
    """What a variant is trained on. `teacher`: (n, D) of all sides, normalised."""
    sides = setting.pictures.sides
    exact, views, targets = lowered.references[sides], lowered.views(), teacher[torch.from_numpy(sides)]
    if variant.drawn:
        drawn, drawn_views = drawn_pictures(setting.data, setting.models)
        faces = lowered.seen("drawn", drawn)
        exact, views = np.concatenate([exact, faces]), np.concatenate([views, lowered.stacked("drawn", drawn_views)], 1)
        student = setting.student(VARIANTS["on"]).eval()
        shipped = in_batches(lambda rows: student.project(student.upper(rows)), faces)
        targets = torch.cat([targets, functional.normalize(shipped)])
    real = lowered.seen("real", real_pictures(setting.data, setting.models)) if variant.real else None
    return Lesson(exact, views, len(sides), real, targets if variant.teacher else None)


@torch.no_grad()
def prepared(variant: Variant, student: Student, lesson: Lesson) -> Tensor:
    """Set the projection of a network before its first step, in place. Returns the classes' prototypes.

    From ImageNet the projection is fitted: to the teacher's vectors, or without one to the features' main directions.
    """
    if variant.start != "ImageNet":
        assert lesson.targets is not None
        return lesson.targets
    features = in_batches(student.eval().upper, lesson.exact)
    if lesson.targets is not None:
        fit_projection(student.project, features, lesson.targets)
        return lesson.targets
    centred = features - features.mean(dim=0)
    directions = torch.linalg.svd(centred, full_matrices=False)[2][: student.project.out_features]
    fit_projection(student.project, features, centred @ directions.T)
    return functional.normalize(student.project(features))


def run(key: str, setting: Setting, teacher: Tensor) -> None:
    """Train one variant to its end, or go on with it; its weights and vectors stay under runs/backbones/KEY."""
    variant, journal = VARIANTS[key], Journal(f"backbones/{key}")
    done = journal.folder / "done.npz"
    if done.is_file():
        return
    torch.manual_seed(0)
    student, lowered = setting.lowered(variant)
    lesson = lesson_of(variant, setting, lowered, teacher)
    prototypes = prepared(variant, student, lesson)
    before = lowered.vectors(student) if variant.start == "ImageNet" else None
    course = train(student, lesson, prototypes, seconds=setting.seconds, rate=RATES[variant.start], journal=journal)
    journal.keep({"net": student.state_dict(), "variant": asdict(variant), "course": asdict(course)})
    vectors = dict(zip(("references", "queries"), lowered.vectors(student), strict=True))
    if before is not None:
        vectors |= dict(zip(("references_before", "queries_before"), before, strict=True))
    aside = done.with_suffix(".part.npz")
    np.savez(aside, **{name: rows.numpy() for name, rows in vectors.items()})
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
    if f"{key}, before" in found:
        rows = outcome_rows(PART, f"{variant.title}: before its first step", found[f"{key}, before"], "photos") + rows
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
    parser.add_argument(
        "--only", nargs="*", choices=sorted(VARIANTS), default=list(VARIANTS),
        help="rows to train, in this order; none = the table of those that are finished",
    )  # fmt: skip
    parser.add_argument("--wheels", type=Path, default=None, help="folder with the wheels of pretrained starts")
    parser.add_argument("--untimed", action="store_true", help="leave time and size of the networks out of the table")
    add_models(parser)
    arguments = parse_with_data(parser, argv)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    data, models = arguments.data, arguments.models
    setting = Setting(packed(data, models), data, models, arguments.wheels, 60 * arguments.minutes)
    teacher = setting.teacher()
    for key in arguments.only:
        run(key, setting, functional.normalize(teacher[0]))
        print(f"{key} done", flush=True)
    report(setting.pictures, teacher, data, timed=not arguments.untimed)


def report(pictures: Packed, teacher: tuple[Tensor, Tensor], data: Path, *, timed: bool) -> None:
    """Table of every variant that is finished."""
    found = {"shipped": ranked(*teacher, pictures.owner, data)}
    kept = {key: Journal(f"backbones/{key}") for key in VARIANTS}
    finished = [key for key in VARIANTS if (kept[key].folder / "done.npz").is_file()]
    for key in finished:
        with np.load(kept[key].folder / "done.npz") as done:
            kinds = {key: "", f"{key}, before": "_before"}
            for name, kind in kinds.items():
                if f"queries{kind}" in done:
                    both = (torch.from_numpy(done[f"{part}{kind}"]) for part in ("references", "queries"))
                    found[name] = ranked(*both, pictures.owner, data)
    rows = outcome_rows(PART, "shipped weights", found["shipped"], "photos")
    courses, told_of = [], set[str]()
    for key in finished:
        variant, state = VARIANTS[key], kept[key].resume()
        assert state is not None
        rows += rows_of(key, found)
        courses.append(told(variant.title, Course(**state["course"])))
        if timed and variant.net not in told_of:  # the same network costs the same
            told_of.add(variant.net)
            student = Student(variant.net, variant.start)
            student.load_state_dict(state["student"])
            rows += cost_rows(variant.title, student)
    heading = "| row | steps | pictures | core-seconds | loss, first 10 steps | last 20 | critic right |"
    notes = "\n".join(["\n\n## Trainings", "Seed 0. Loss: with a teacher 5 (1 - cosine) + cross-entropy over the "
                       "sides, without one cross-entropy alone.", "", heading, "|---" * 7 + "|", *courses])  # fmt: skip
    path = write("backbones", "Backbones and ways to train them, side by side", "python -m benchmarks backbones "
                 "--data DIR", rows, notes)  # fmt: skip
    print(f"{path.read_text(encoding='utf-8')}\nwritten to {path}")
