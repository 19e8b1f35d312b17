"""Train the embedder: `python -m training embedder --config configs/embedder.yaml --data DIR`."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import tqdm

from pipeline.cutout import cut_out
from runners.embedder import turned
from training.consumer import load_photos
from training.cutouts import PillImage, load_nih_crops
from training.embed_net import ArcFace, EmbedNet, look_alikes
from training.journal import Journal
from training.options import read_options
from training.real_cutouts import Cutter, consumer_queries
from training.shipped import load_shipped
from training.step_batches import StepBatches
from training.views import ConsumerViews


def load_for_export(checkpoint: Path) -> EmbedNet:
    """(N, 3, S, S) float32 RGB in [0, 255] of cut-outs on black -> (N, 256) L2-normalised.

    `input_size` of the result is the S to run it at: 224 px in place of 128 cost a third of the right answers.
    """
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    net = EmbedNet(state["average"]["project.weight"].shape[0])
    net.load_state_dict(state["average"])
    net.input_size = int(state["config"]["input"])
    return net.eval()


def exact_views(pills: list[PillImage], size: int) -> np.ndarray:
    """(n, size, size, 3) uint8: the references as the index embeds them."""
    return np.stack([cut_out(p.rgba[..., :3], p.rgba[..., 3], size=size)[..., :3] for p in pills])


class Views(StepBatches):
    """Batches of consumer-like views."""

    def __init__(self, pills: list[PillImage], data: Path, config: dict[str, Any], first: int) -> None:
        super().__init__(config, first)
        self.pills = pills
        sizes = (config["small_size"], config["size"])
        common = {"pool": 250, "seed": config["seed"], "lamps": config["lamps"]}
        self.makers = {size: ConsumerViews(data, size=size, **common) for size in sizes}

    def size_at(self, step: int) -> int:
        small = step < self.config["steps"] * self.config["small_share"]
        return int(self.config["small_size" if small else "size"])

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """(batch, 3, S, S) uint8 and (batch,) int64 class numbers of one step."""
        rng = np.random.default_rng((self.config["seed"], step))
        size = self.size_at(step)
        labels = rng.choice(len(self.pills), self.config["batch"], replace=False)
        images = np.empty((len(labels), size, size, 3), np.uint8)
        for row, label in enumerate(labels):
            rgba = self.pills[label].rgba
            if rng.random() < self.config["exact_share"]:
                images[row] = cut_out(rgba[..., :3], rgba[..., 3], size=size)[..., :3]
            else:
                images[row] = self.makers[size].view(rgba, rng)[..., :3]
            # long pills have two upright poses, round ones four that the runner tries; learn them all as one
            images[row] = np.rot90(images[row], 2 * rng.integers(2))
        return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(labels)


@torch.inference_mode()
def embed_all(call: Any, images: np.ndarray) -> Tensor:
    """`call` over (n, S, S, 3) uint8 in batches of 64."""
    parts = []
    for start in range(0, len(images), 64):
        batch = torch.from_numpy(images[start : start + 64]).permute(0, 3, 1, 2).float()
        parts.append(call(batch.contiguous(memory_format=torch.channels_last)))
    return torch.cat(parts)


def _start(config: dict[str, Any], pills: list[PillImage], wheels: Path | None) -> tuple[EmbedNet, ArcFace]:
    """The net of an earlier export, or ImageNet weights with their PCA over the references as the projection; and
    every reference as its own prototype."""
    exact = exact_views(pills, config["small_size"])
    if config.get("go_on_from"):
        sample = torch.from_numpy(exact[:: max(len(exact) // 128, 1)]).permute(0, 3, 1, 2).float()
        net = EmbedNet(config["dimension"]).to(memory_format=torch.channels_last)
        load_shipped(net, Path(config["go_on_from"]), sample)
        prototypes = embed_all(net.eval(), exact)
    else:
        net = EmbedNet(config["dimension"]).to(memory_format=torch.channels_last)
        net.start_from_imagenet(wheels)
        features = embed_all(net.eval().features, exact)
        net.start_projection(features)
        with torch.no_grad():
            prototypes = net.project(features)
    return net, ArcFace(prototypes, config["scale"], look_alikes(prototypes, config["alike"]))


def _resumed(config: dict[str, Any], state: dict[str, Any]) -> tuple[EmbedNet, ArcFace]:
    net = EmbedNet(config["dimension"]).to(memory_format=torch.channels_last)
    net.load_state_dict(state["net"])
    return net, ArcFace(state["prototypes"], config["scale"], state["alike"])


@torch.no_grad()
def centre_on_real_photos(net: EmbedNet, size: int, data: Path) -> None:
    """Shift the projection so that real photos have their mean at 0: what all of them share, a warm lamp and a phone's
    camera, tells nothing about a pill. `index.build` does the same for each catalogue's reference photos.

    The photos are those of pills that no catalogue shows; what is on them plays no part.
    """
    known, photos = load_photos(data)
    wanted = {photo.number for photo in photos}
    queries = consumer_queries(Cutter(None), [*known, *photos])
    faces = [cutout for query in queries if query.name in wanted for cutout in query.cutouts]
    features = embed_all(net.eval().features, turned(np.stack(faces), size)[0])
    net.project.bias.sub_(net.project(features).mean(dim=0))


def train(config: dict[str, Any], data: Path, wheels: Path | None) -> dict[str, Any]:
    """Run, or go on with, the training that `config` describes. Returns the metrics."""
    torch.manual_seed(config["seed"])
    journal = Journal("embedder")
    pills = load_nih_crops(data, limit=config.get("limit"))
    state = journal.resume()
    net, head = _start(config, pills, wheels) if state is None else _resumed(config, state)
    weights = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=config["rate"], weight_decay=config["weight_decay"])
    prototypes = torch.optim.SGD(head.parameters(), lr=config["prototype_rate"])
    schedules = [
        torch.optim.lr_scheduler.OneCycleLR(o, o.param_groups[0]["lr"], total_steps=config["steps"], pct_start=0.05,
                                            cycle_momentum=False)
        for o in (optimizer, prototypes)
    ]  # fmt: skip
    average = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99), use_buffers=True
    )
    first = 0
    if state is not None:
        average.module.load_state_dict(state["average"])
        average.n_averaged.fill_(1)
        optimizer.load_state_dict(state["optimizer"])
        for schedule, saved in zip(schedules, state["schedules"], strict=True):
            schedule.load_state_dict(saved)
        first = int(state["step"])

    views = Views(pills, data, config, first)
    loader = DataLoader(views, batch_size=None, num_workers=config["workers"], prefetch_factor=4)
    began, losses = time.monotonic(), []
    net.train()
    progress = tqdm(loader, initial=first, total=config["steps"], desc="embedder", unit="step")
    for step, (images, labels) in enumerate(progress, start=first):
        batch = images.float().contiguous(memory_format=torch.channels_last)
        margin = config["margin"] * min(1.0, 4 * step / config["steps"])
        loss = head(net(batch), labels, margin)
        optimizer.zero_grad()
        prototypes.zero_grad()
        loss.backward()
        optimizer.step()
        prototypes.step()
        for schedule in schedules:
            schedule.step()
        average.update_parameters(net)
        losses.append(loss.item())
        done = step + 1
        if done % config["log_every"] == 0 or done == config["steps"]:
            row = {"step": done, "loss": round(float(np.mean(losses)), 4), "size": views.size_at(step),
                   "minutes": round((time.monotonic() - began) / 60, 2)}  # fmt: skip
            journal.log(row)
            progress.set_postfix(row)
            losses = []
        if done % config["save_every"] == 0 or done == config["steps"]:
            journal.save({
                "step": done, "net": net.state_dict(), "average": average.module.state_dict(),
                "prototypes": head.prototypes.detach(), "alike": head.alike, "optimizer": optimizer.state_dict(),
                "schedules": [s.state_dict() for s in schedules],
            })  # fmt: skip
    centre_on_real_photos(average.module, config["input"], data)
    journal.keep({"average": average.module.state_dict(), "config": config})
    metrics = {"classes": len(pills), "steps": config["steps"], "loss": row["loss"], "config": config}
    journal.metrics(metrics)
    return metrics


def main(argv: list[str]) -> None:
    """Command line: see `--help`."""
    options = read_options("embedder", __doc__, argv)
    print(train(options.config, options.data, options.wheels))
