"""Go on with the embedder over every catalogue's faces and real photos:
`python -m training embedder_finish --config configs/embedder_finish.yaml --data DIR`, then
`python -m export embedder --checkpoint runs/embedder_finish/best.pt`.

It starts from an exported model and stays near it: a low rate, the running average of the weights, and at the end a
blend of that average with the start. Synthetic views alone drive the net away from photos, however well it learns them.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import tqdm

from index.search import SHIPPED, LoadedIndex
from training.embed_batches import Batches, joined
from training.embed_net import ArcFace, EmbedNet, look_alikes
from training.embedder import centre_on_real_photos, embed_all
from training.gallery_faces import VIEWED, embed_gallery, gallery_faces
from training.journal import Journal
from training.options import read_options
from training.real_crops import real_crops
from training.shipped import load_shipped
from training.trainee import Trainee

START_BATCHES = 3
"""Batches that the batch norms' statistics are set on."""


def imprints_of(index: Path = SHIPPED) -> dict[str, str]:
    """What each item carries, as one text; items without a known imprint are left out."""
    tables = LoadedIndex(index).tables
    return {
        tables.item_id(row): " ".join(sorted(f"{front or ''}|{back or ''}" for front, back in versions))
        for row, versions in enumerate(tables.versions)
        if versions
    }


def blended(start: dict[str, Tensor], end: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """`share` of `end` and the rest of `start`, tensor by tensor; counters are those of `end`."""
    return {
        name: torch.lerp(start[name], value, share) if value.is_floating_point() else value
        for name, value in end.items()
    }


def _fresh(config: dict[str, Any], net: EmbedNet, batches: Batches, vectors: Tensor) -> dict[str, Any]:
    """Fill `net` with the exported model. Returns its weights (`start`), the prototypes, which are alike."""
    sample = torch.cat([batches.batch(2**31 - step)[0] for step in range(START_BATCHES)]).float()
    load_shipped(net, Path(config["go_on_from"]), sample)
    _, first = np.unique(batches.classes, return_index=True)
    rng = np.random.default_rng(config["seed"])
    photos = np.stack([batches.maker.again(crop.rgba, rng)[..., :3] for crop in batches.real])
    means = torch.zeros(int(batches.real_classes.max()) + 1 - len(first), vectors.shape[1])
    means.index_add_(0, torch.from_numpy(batches.real_classes - len(first)), embed_all(net.eval(), photos))
    prototypes = torch.cat([vectors[torch.from_numpy(first)], means])
    return {
        "start": {name: value.clone() for name, value in net.state_dict().items()},
        "prototypes": prototypes,
        "alike": look_alikes(prototypes, config["alike"]).nonzero().int(),
    }


def train(config: dict[str, Any], data: Path) -> dict[str, Any]:
    """Run, or go on with, the training that `config` describes. Returns the metrics."""
    torch.manual_seed(config["seed"])
    journal = Journal(config.get("name", "embedder_finish"))
    faces = gallery_faces(data)
    vectors = embed_gallery(faces, None)
    classes = joined(faces, imprints_of(), vectors, config["same"])
    state = journal.resume()
    first = 0 if state is None else int(state["step"])
    batches = Batches(faces, classes, real_crops(data, VIEWED), data, config, first=first)
    net = EmbedNet(config["dimension"]).to(memory_format=torch.channels_last)
    if state is None:
        state = _fresh(config, net, batches, torch.from_numpy(vectors))
    prototypes = state["prototypes"]
    alike = torch.zeros(len(prototypes), len(prototypes), dtype=torch.bool)
    alike[tuple(state["alike"].long().T)] = True
    head = ArcFace(prototypes, config["scale"], alike)
    print(f"{len(prototypes)} classes of {len(classes)} faces and {len(batches.real)} photos; "
          f"{len(state['alike']) // 2} pairs alike", flush=True)  # fmt: skip
    weights = [p for p in net.parameters() if p.requires_grad]
    trainee = Trainee(net, [(weights, config["rate"])], config["steps"], config["weight_decay"])
    prototype_steps = torch.optim.SGD(head.parameters(), lr=config["prototype_rate"])
    if "step" in state:
        trainee.resume(state)
    loader = DataLoader(batches, batch_size=None, num_workers=config["workers"], prefetch_factor=4)
    began, spent, losses = time.monotonic(), time.process_time(), []
    net.train()
    for step, (images, labels) in enumerate(tqdm(loader, initial=first, total=config["steps"], disable=None),
                                            start=first):  # fmt: skip
        batch = images.float().contiguous(memory_format=torch.channels_last)
        margin = config["margin"] * min(1.0, 4 * step / config["steps"])
        loss = head(net(batch), labels, margin)
        prototype_steps.zero_grad()
        trainee.learn(loss)
        prototype_steps.step()
        losses.append(loss.item())
        done = step + 1
        if done % config["log_every"] == 0 or done == config["steps"]:
            row = {"step": done, "loss": round(float(np.mean(losses)), 4),
                   "minutes": round((time.monotonic() - began) / 60, 2),
                   "core_minutes": round((time.process_time() - spent) / 60, 2)}  # fmt: skip
            journal.log(row)
            print(row, flush=True)
            losses = []
        if done % config["save_every"] == 0 or done == config["steps"]:
            journal.save({
                "step": done, **trainee.state(), "prototypes": head.prototypes.detach(),
                "start": state["start"], "alike": state["alike"],
            })  # fmt: skip
    return finish(config, journal, data)


def finish(config: dict[str, Any], journal: Journal, data: Path) -> dict[str, Any]:
    """Blend, centre and keep the weights of the last checkpoint."""
    state = journal.resume()
    assert state is not None
    net = EmbedNet(config["dimension"])
    net.load_state_dict(blended(state["start"], state["average"], config["blend"]))
    centre_on_real_photos(net, config["input"], data)
    journal.keep({"average": net.state_dict(), "config": config})
    metrics = {"classes": len(state["prototypes"]), "steps": int(state["step"]), "config": config}
    journal.metrics(metrics)
    return metrics


def main(argv: list[str]) -> None:
    """Command line: see `--help`."""
    options = read_options("embedder_finish", __doc__, argv)
    print(train(options.config, options.data))
