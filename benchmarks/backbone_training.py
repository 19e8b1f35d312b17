"""One training for every network that `benchmarks.backbones` compares: the same pictures, loss and processor time.

The teacher is the shipped embedder. What it makes of a side's exact reference is where the student is to put every
picture of that side: cosine to it, and cross-entropy over all sides that are trained on, whose prototypes the teacher's
vectors are and stay. So a network without a pretrained start is distilled, not left to a few thousand pictures.
"""

import time
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.backbone_nets import Student
from training.embed_net import ArcFace, look_alikes
from training.journal import Journal

Pictures = NDArray[np.uint8] | NDArray[np.float16]

SIDES_A_BATCH: Final = 16
"""Each with its reference and two views: 48 pictures a step."""
DRAWN_A_BATCH: Final = 4
"""Of the sides, where drawn ones are trained on."""
SCALE: Final = 24.0
ALIKE: Final = 0.985
COSINE_WEIGHT: Final = 5.0
WARM_UP: Final = 0.06
"""Share of the budget in which the rate rises."""
PROTOTYPE_RATE: Final = 0.15
DECAY: Final = 0.02
REVERSAL: Final = 0.3
SAVE_SECONDS: Final = 40.0


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is trained on: pictures, (..., S, S, 3) uint8, or what a student's kept part made of them, (..., C, H, W).

    `exact`: (k, ...) references, one a class; `views`: (v, k, ...); `drawn_from`: classes from this one on are drawn;
    `real`: (r, ...) pictures of the other domain, none = no gradient reversal; `targets`: (k, D) the teacher's vectors,
    none = a head of own prototypes.
    """

    exact: Pictures
    views: Pictures
    drawn_from: int
    real: Pictures | None = None
    targets: Tensor | None = None
    seed: int = 0

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """(B, ...) float32 and (B,) class numbers of one step: references first, then their views."""
        rng = np.random.default_rng((self.seed, step))
        drawn = DRAWN_A_BATCH if self.drawn_from < len(self.exact) else 0
        chosen = rng.choice(self.drawn_from, min(SIDES_A_BATCH - drawn, self.drawn_from), replace=False)
        if drawn:
            chosen = np.append(chosen, rng.choice(np.arange(self.drawn_from, len(self.exact)), drawn, replace=False))
        rows = np.concatenate([self.exact[chosen], *(view[chosen] for view in self.views)])
        return tensor(rows), torch.from_numpy(np.tile(chosen, 1 + len(self.views)))

    def strangers(self, step: int) -> Tensor:
        """(SIDES_A_BATCH, ...) float32 of the real pictures of one step."""
        assert self.real is not None
        rng = np.random.default_rng((self.seed, step, 1))
        return tensor(self.real[rng.integers(0, len(self.real), SIDES_A_BATCH)])


def tensor(rows: Pictures) -> Tensor:
    """(N, S, S, 3) uint8 pictures -> (N, 3, S, S) float32; (N, C, H, W) as they are; channels last in memory."""
    batch = torch.from_numpy(np.ascontiguousarray(rows))
    if batch.dtype == torch.uint8:
        batch = batch.permute(0, 3, 1, 2)
    return batch.float().contiguous(memory_format=torch.channels_last)


class Reversed(torch.autograd.Function):
    """The identity whose gradient comes back turned round and scaled (Ganin and Lempitsky, 2015,
    https://arxiv.org/abs/1409.7495)."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return features.view_as(features)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradients[0], None


class Critic(nn.Module):
    """Tells views from real photos by pooled features; what it learns comes back reversed."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, views: Tensor, real: Tensor, strength: float) -> tuple[Tensor, float]:
        """Mean loss of both domains; and the share of right guesses, .5 = cannot tell."""
        guesses = [self.layers(Reversed.apply(features, strength))[:, 0] for features in (views, real)]
        losses = [
            functional.binary_cross_entropy_with_logits(guess, torch.full_like(guess, domain))
            for domain, guess in enumerate(guesses)
        ]
        right = ((guesses[0] < 0).float().mean() + (guesses[1] > 0).float().mean()) / 2
        return (losses[0] + losses[1]) / 2, float(right)


@dataclass(slots=True)
class Course:
    """How a training went."""

    steps: int = 0
    pictures: int = 0
    seconds: float = 0.0  # of one core
    loss: list[float] = field(default_factory=list)
    critic: list[float] = field(default_factory=list)


def rate_at(share: float) -> float:
    """Of the highest rate, at a share in [0, 1] of the budget: up in a line, down in a cosine."""
    if share < WARM_UP:
        return max(share / WARM_UP, 0.02)
    return 0.5 * (1 + float(np.cos(np.pi * min((share - WARM_UP) / (1 - WARM_UP), 1.0))))


def train(
    student: Student, lesson: Lesson, prototypes: Tensor, *, seconds: float, rate: float, journal: Journal,
    spent: float = 0.0,
) -> Course:  # fmt: skip
    """Train `student`, in place, until `seconds` of processor time are spent; goes on from the journal's checkpoint.

    Args:
        prototypes: (k, D) start of the classes; the teacher's vectors where `lesson` has them, and then they stay.
        spent: seconds that the start has cost already.
    """
    torch.manual_seed(lesson.seed)
    critic = Critic(student.project.in_features)
    head = ArcFace(prototypes, SCALE, look_alikes(prototypes, ALIKE) if lesson.targets is not None else None)
    weights = [p for p in student.parameters() if p.requires_grad]
    if lesson.real is not None:
        weights += list(critic.parameters())
    optimizer = torch.optim.AdamW(weights, lr=rate, weight_decay=DECAY)
    own = torch.optim.SGD(head.parameters(), lr=PROTOTYPE_RATE)
    course = Course(seconds=spent)
    parts: dict[str, Any] = {"student": student, "critic": critic, "head": head, "optimizer": optimizer, "own": own}
    if (state := journal.resume()) is not None:
        for name, part in parts.items():
            part.load_state_dict(state[name])
        course = Course(**state["course"])
    student.train()
    began, base, saved = time.process_time(), course.seconds, course.seconds
    while course.seconds < seconds:
        share = course.seconds / seconds
        for which, highest in ((optimizer, rate), (own, PROTOTYPE_RATE)):
            which.param_groups[0]["lr"] = highest * rate_at(share)
        images, labels = lesson.batch(course.steps)
        count = len(images)
        if lesson.real is not None:
            images = torch.cat([images, lesson.strangers(course.steps)])
        features = student.upper(images)
        vectors = functional.normalize(student.project(features[:count]))
        loss = head(vectors, labels, 0.0)
        if lesson.targets is not None:
            loss = loss + COSINE_WEIGHT * (1 - (vectors * lesson.targets[labels]).sum(dim=1)).mean()
        course.loss.append(loss.item())
        if lesson.real is not None:
            views = features[count // (1 + len(lesson.views)) : count]  # exact references are neither domain
            domain, right = critic(views, features[count:], REVERSAL * (2 / (1 + np.exp(-10 * share)) - 1))
            loss = loss + domain
            course.critic.append(right)
        optimizer.zero_grad()
        own.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 5.0)
        optimizer.step()
        if lesson.targets is None:
            own.step()
        course.steps += 1
        course.pictures += len(images)
        course.seconds = base + time.process_time() - began
        if course.seconds - saved > SAVE_SECONDS or course.seconds >= seconds:
            saved = course.seconds
            journal.save(
                {name: part.state_dict() for name, part in parts.items()}
                | {"course": {name: getattr(course, name) for name in Course.__slots__}}
            )
    student.eval()
    return course
