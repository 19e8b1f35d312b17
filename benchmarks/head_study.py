"""`python -m benchmarks head_study --data DIR`: Optuna looks for the loss and its settings, on a frozen trunk.

Trials train the projection as `benchmarks.embedding_losses` does and are judged by MRR on one half of the consumer
development photos, split by pill group; poor ones are stopped early. What was chosen is then measured on the other
half, which no trial saw. The study is kept as a table and a figure. Runs in the training environment.
"""

import argparse
import csv
import hashlib
import shutil
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np
import optuna
import torch
from matplotlib import pyplot
from pytorch_metric_learning import losses, miners
from torch import Tensor

from benchmarks.embedding_losses import Features, Loss, features, outcomes, start, trained
from benchmarks.options import add_models, parse_with_data
from benchmarks.report import RESULTS, table, write
from benchmarks.retrieval_scores import Outcome, outcome_rows, reciprocal_rank
from benchmarks.rows import Row
from training.consumer import load_photos
from training.embed_net import ArcFace

TRIALS: Final = 16
STEPS: Final = 200
LOOK_EVERY: Final = 50
STORE: Final = Path("runs") / "losses" / "head_study.log"


def tuning_half(data: Path) -> list[bool]:
    """Whether each known photo is for choosing; by pill group, so that no pill is in both halves."""
    known, _ = load_photos(data)
    return [hashlib.sha256(photo.pill_group.encode()).digest()[0] % 2 == 0 for photo in known]


def loss_of(trial: optuna.Trial, prototypes: Tensor) -> tuple[Loss, list[Tensor]]:
    """A loss with settings that the trial chooses."""
    kind = trial.suggest_categorical("loss", ["arcface", "triplet", "multi-similarity", "contrastive"])
    if kind == "arcface":
        margin = trial.suggest_float("arcface_margin", 0.0, 0.4)
        head = ArcFace(prototypes.clone(), trial.suggest_float("arcface_scale", 10, 48, log=True))
        return (lambda v, y: head(v, y, margin)), list(head.parameters())
    if kind == "triplet":
        gap = trial.suggest_float("triplet_margin", 0.05, 0.5)
        triplet, mine = losses.TripletMarginLoss(margin=gap), miners.TripletMarginMiner(gap, "semihard")
        return (lambda v, y: triplet(v, y, mine(v, y))), []
    if kind == "multi-similarity":
        beta = trial.suggest_float("ms_beta", 10, 80, log=True)
        return losses.MultiSimilarityLoss(alpha=2, beta=beta, base=trial.suggest_float("ms_base", 0.3, 0.8)), []
    return losses.ContrastiveLoss(pos_margin=0.0, neg_margin=trial.suggest_float("negative_margin", 0.4, 1.2)), []


def study(kept: Features, data: Path) -> optuna.Study:
    """All trials; those that ran before are not run again."""
    half = tuning_half(data)
    prototypes = start(kept)(torch.from_numpy(kept.references)).detach()

    def mrr(project: torch.nn.Linear) -> float:
        chosen = [o for o, own in zip(outcomes(kept, project, data), half, strict=True) if own]
        return float(np.mean([reciprocal_rank(o) for o in chosen]))

    def objective(trial: optuna.Trial) -> float:
        def tell(step: int, project: torch.nn.Linear) -> None:
            if step % LOOK_EVERY == 0:
                trial.report(mrr(project), step)
                if trial.should_prune():
                    raise optuna.TrialPruned

        torch.manual_seed(0)
        loss, own = loss_of(trial, prototypes)
        rate = trial.suggest_float("rate", 2e-5, 2e-3, log=True)
        decay = trial.suggest_float("decay", 1e-3, 0.3, log=True)
        return mrr(trained(kept, loss, own, steps=STEPS, rate=rate, decay=decay, tell=tell))

    STORE.parent.mkdir(parents=True, exist_ok=True)
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(STORE)))
    made = optuna.create_study(
        study_name="head", storage=storage, load_if_exists=True, direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=4), pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
    )  # fmt: skip
    made.optimize(objective, n_trials=max(TRIALS - len(made.trials), 0))
    return made


def draw(made: optuna.Study, before: float, path: Path) -> None:
    """Every trial's course, by loss."""
    mpl.use("Agg")
    figure, axis = pyplot.subplots(figsize=(7, 4), layout="constrained")
    colors = {
        name: f"tab:{c}"
        for name, c in zip(
            ("arcface", "triplet", "multi-similarity", "contrastive"), ("blue", "red", "green", "orange"), strict=True
        )
    }
    for trial in made.trials:
        steps = sorted(trial.intermediate_values)
        name = trial.params.get("loss", "arcface")
        axis.plot([0, *steps], [before, *(trial.intermediate_values[s] for s in steps)], color=colors[name], lw=1,
                  ls="-" if trial.state.name == "COMPLETE" else ":")  # fmt: skip
    for name, color in colors.items():
        axis.plot([], [], color=color, label=name)
    axis.axhline(before, color="black", lw=0.8, label="as shipped")
    axis.set(xlabel="steps", ylabel="MRR, tuning half", title="Loss and settings on a frozen trunk (dotted: pruned)")
    axis.legend(fontsize=8)
    figure.savefig(path, dpi=80, metadata={"Software": None})
    pyplot.close(figure)


def write_trials(made: optuna.Study, path: Path) -> None:
    """One line a trial: how it ended, its MRR (of a pruned one the last it reported) and what it chose."""
    chosen = sorted({name for trial in made.trials for name in trial.params})
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, ["number", "state", "value", *chosen], restval="")
        writer.writeheader()
        for trial in made.trials:
            values = {"value": trial.value, **trial.params}
            shown = {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in values.items()}
            writer.writerow({"number": trial.number, "state": trial.state.name.lower(), **shown})


def main(argv: list[str]) -> None:
    """Entry of `python -m benchmarks head_study`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks head_study", description=__doc__)
    add_models(parser)
    arguments = parse_with_data(parser, argv)
    torch.set_num_threads(1)
    data = arguments.data
    kept, half = features(data, arguments.models), tuning_half(data)
    made = study(kept, data)
    best = made.best_trial
    torch.manual_seed(0)
    prototypes = start(kept)(torch.from_numpy(kept.references)).detach()
    loss, own = loss_of(optuna.trial.FixedTrial(best.params), prototypes)
    chosen = trained(kept, loss, own, steps=STEPS, rate=best.params["rate"], decay=best.params["decay"])

    def rows(name: str, project: torch.nn.Linear) -> list[Row]:
        halves: dict[bool, list[Outcome]] = {True: [], False: []}
        for outcome, tuning in zip(outcomes(kept, project, data), half, strict=True):
            halves[tuning].append(outcome)
        return [
            row for tuning, what in ((True, "tuning half"), (False, "other half"))
            for row in outcome_rows("head", f"{name}, {what}", halves[tuning], "photos")
        ]  # fmt: skip

    before = rows("as shipped", start(kept))
    settings = ", ".join(f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in best.params.items())
    found = before + rows(f"best of {len(made.trials)} ({settings})", chosen)
    print(table(found))
    write_trials(made, RESULTS / "head_study_trials.csv")
    shutil.copyfile(
        STORE, RESULTS / "head_study.jsonl"
    )  # the study as Optuna keeps it, to be looked into or gone on with
    draw(made, next(row.value for row in before if row.metric == "MRR"), RESULTS / "head_study.png")
    path = write("head_study", "Loss and settings found by Optuna", "python -m benchmarks head_study --data DIR", found)
    print(f"written to {path}")
