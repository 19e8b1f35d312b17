"""`python -m benchmarks losses --data DIR`: metric losses side by side, at one budget, on one split.

What differs is the loss alone. The trunk is that of the shipped embedder (128 px), kept as it is; its features are
computed once. Each loss then trains the same linear projection, from the same start (the shipped one), on the same
batches for the same number of steps, two minutes of one core or less. Runs in the training environment.

Measured on the 60 consumer development photos against all NIH sides, which no loss saw.
"""

import argparse
import csv
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_metric_learning import losses, miners
from torch import Tensor
from torch.nn import functional

from benchmarks.options import add_models, parse_with_data
from benchmarks.packed_views import packed
from benchmarks.report import table, write
from benchmarks.retrieval_scores import NOWHERE, Outcome, outcome_rows
from benchmarks.rows import Row
from runners.session import MODELS_DIR
from training.consumer import load_photos, truth
from training.embed_net import ArcFace, EmbedNet
from training.embedder import embed_all
from training.real_cutouts import Cutter
from training.shipped import load_shipped

Float32 = NDArray[np.float32]

PART: Final = "loss"
STEPS: Final = 800
SIDES_A_BATCH: Final = 42
"""Each with its reference and its views: 126 features a step."""
RATE: Final = 3e-4
KEPT: Final = Path("runs") / "losses"


@dataclass(frozen=True, slots=True)
class Features:
    """Pooled trunk features, (n, 1280) each."""

    references: Float32  # of all sides
    sides: NDArray[np.int64]  # (SIDES,) which of them have views
    views: Float32  # (VIEWS, SIDES, 1280)
    queries: Float32  # of every turn of every consumer photo
    owner: NDArray[np.int64]  # photo of each query row, known photos first
    weight: Float32  # (256, 1280) of the shipped projection
    bias: Float32  # (256,)


def features(data: Path, models: Path | None) -> Features:
    """Computed the first time (a minute of one core), kept under runs/losses/; `models` as in `packed`."""
    path = KEPT / f"features-{Cutter(models).version}.npz"
    if not path.is_file():
        pictures = packed(data, models)
        net = EmbedNet().to(memory_format=torch.channels_last)
        sample = torch.from_numpy(pictures.references[::40]).permute(0, 3, 1, 2).float()
        load_shipped(net, MODELS_DIR / "embedder.onnx", sample)
        net.eval()
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            path,
            references=embed_all(net.features, pictures.references).numpy(),
            sides=pictures.sides,
            views=np.stack([embed_all(net.features, view).numpy() for view in pictures.views]),
            queries=embed_all(net.features, pictures.queries).numpy(),
            owner=pictures.owner,
            weight=net.project.weight.detach().numpy(),
            bias=net.project.bias.detach().numpy(),
        )
    with np.load(path) as kept:
        return Features(**kept)


Loss = Callable[[Tensor, Tensor], Tensor]
"""Unit vectors (N, D) and class numbers (N,) -> a scalar."""


def choices(prototypes: Tensor, scale: float = 24.0, margin: float = 0.15) -> dict[str, tuple[Loss, list[Tensor]]]:
    """The losses by name, each with the parameters it brings along."""
    arcface, softmax = ArcFace(prototypes.clone(), scale), ArcFace(prototypes.clone(), scale)
    several = ArcFace(prototypes.clone(), scale)
    triplet = losses.TripletMarginLoss(margin=0.2)
    mine = miners.TripletMarginMiner(margin=0.2, type_of_triplets="semihard")
    contrastive, similar = losses.ContrastiveLoss(pos_margin=0.0, neg_margin=0.8), losses.MultiSimilarityLoss()

    def heads(vectors: Tensor, labels: Tensor) -> Tensor:
        """The sum that ePillID's authors trained with: cross-entropy, ArcFace, triplet and contrastive."""
        metric = triplet(vectors, labels, mine(vectors, labels)) + contrastive(vectors, labels)
        return several(vectors, labels, margin) + several(vectors, labels, 0.0) + metric

    return {
        "cross-entropy over cosines": (lambda v, y: softmax(v, y, 0.0), list(softmax.parameters())),
        "ArcFace": (lambda v, y: arcface(v, y, margin), list(arcface.parameters())),
        "triplet, semi-hard": (lambda v, y: triplet(v, y, mine(v, y)), []),
        "contrastive": (contrastive, []),
        "multi-similarity": (similar, []),
        "multi-head sum": (heads, list(several.parameters())),
    }


def start(kept: Features) -> torch.nn.Linear:
    """The shipped projection."""
    project = torch.nn.Linear(kept.weight.shape[1], kept.weight.shape[0])
    with torch.no_grad():
        project.weight.copy_(torch.from_numpy(kept.weight))
        project.bias.copy_(torch.from_numpy(kept.bias))
    return project


def trained(
    kept: Features, loss: Loss, own: list[Tensor], *, steps: int = STEPS, rate: float = RATE, decay: float = 0.02,
    tell: Callable[[int, torch.nn.Linear], None] = lambda step, project: None,
) -> torch.nn.Linear:  # fmt: skip
    """The projection after `steps` batches of sides, each with its reference and views. `tell` hears of every step."""
    rng, project = np.random.default_rng(3), start(kept)
    optimizer = torch.optim.AdamW(project.parameters(), lr=rate, weight_decay=decay)
    prototypes = torch.optim.SGD(own, lr=0.15) if own else None
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    stacked = np.concatenate([kept.references[kept.sides][None], kept.views])
    for step in range(steps):
        chosen = rng.choice(len(kept.sides), SIDES_A_BATCH, replace=False)
        batch = torch.from_numpy(stacked[:, chosen].reshape(-1, stacked.shape[-1]))
        labels = torch.from_numpy(np.tile(kept.sides[chosen], len(stacked)))
        value = loss(functional.normalize(project(batch)), labels)
        for which in (optimizer, prototypes):
            if which is not None:
                which.zero_grad()
        value.backward()
        for which in (optimizer, prototypes):
            if which is not None:
                which.step()
        schedule.step()
        tell(step + 1, project)
    return project


@torch.inference_mode()
def outcomes(kept: Features, project: torch.nn.Linear, data: Path) -> list[Outcome]:
    """The development photos against all NIH sides."""
    references, queries = project(torch.from_numpy(kept.references)), project(torch.from_numpy(kept.queries))
    return ranked(references, queries, kept.owner, data)


def ranked(references: Tensor, queries: Tensor, owner: NDArray[np.int64], data: Path) -> list[Outcome]:
    """The development photos against all NIH sides, both centred as the product does it.

    Args:
        references: (n, D) of all sides, in the order of nih/crops.csv; not normalised.
        queries: (m, D) of every turn of every consumer photo; not normalised.
        owner: (m,) photo of each query, known photos first.
    """
    known, _ = load_photos(data)
    answers = truth(data)
    with (data / "nih" / "crops.csv").open(encoding="utf-8") as handle:
        groups = [frozenset(answers[row["appearance_id"].split("|")[0]]) for row in csv.DictReader(handle)]
    middle = queries[torch.from_numpy(owner >= len(known))].mean(dim=0)
    sides = functional.normalize(references - middle)
    sides = functional.normalize(sides - sides.mean(dim=0))
    cosines = (functional.normalize(queries - middle) @ sides.T).numpy()
    found = []
    for number, photo in enumerate(known):
        rows = cosines[owner == number]
        if not len(rows):
            found.append(Outcome.missed())
            continue
        best: dict[frozenset[str], float] = {}
        for group, score in zip(groups, rows.max(axis=0), strict=True):
            best[group] = max(float(score), best.get(group, -1.0))
        own = best.get(frozenset(answers[photo.appearance]))
        place = NOWHERE if own is None else sum(score > own for score in best.values())
        found.append(Outcome((place,), max(best.values())))
    return found


def main(argv: list[str]) -> None:
    """Entry of `python -m benchmarks losses`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks losses", description=__doc__)
    add_models(parser)
    arguments = parse_with_data(parser, argv)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    data = arguments.data
    kept = features(data, arguments.models)
    first = start(kept)
    rows: list[Row] = outcome_rows(PART, "none: as shipped", outcomes(kept, first, data), "photos")
    with torch.no_grad():
        prototypes = first(torch.from_numpy(kept.references))
    for name, (loss, own) in choices(prototypes).items():
        began = time.process_time()
        project = trained(kept, loss, own)
        spent = f"{name} ({time.process_time() - began:.0f} s of a core)"
        rows += outcome_rows(PART, spent, outcomes(kept, project, data), "photos")
    print(table(rows))
    path = write("losses", "Metric losses on one frozen trunk", "python -m benchmarks losses --data DIR", rows)
    print(f"written to {path}")
