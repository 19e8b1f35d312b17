"""The text finder's network: the background remover's trunk and decoder, four answers per pixel at half resolution."""

from typing import Final

import torch
from torch import Tensor, nn

from training.mask_net import MaskNet

SIZE: Final = 192
"""Side of the relief it looks at, px."""
CHANNELS: Final = 4


class FinderNet(MaskNet):
    """(N, 1, S, S) float32 gray in [0, 255] -> (N, 4, S / 2, S / 2): what each pixel says of the line it lies on.

    Channel 0: logit of lying in the core of a line; 1, 2: cosine and sine of twice its base line's angle, x to the
    right and y down; 3: half its height, in units of `REACH` of `runners.ocr_find`. Which of its two directions the
    line is read in is not asked: only the letters tell, and the recogniser knows them
    (`benchmarks/results/ocr_variants.md`).
    """

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Conv2d(self.last.in_channels, CHANNELS, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        out: Tensor = self.last(self.features(image.expand(-1, 3, -1, -1)))
        return out


class Exported(nn.Module):
    """(N, 1, S, S) float32 gray in [0, 255] -> (N, 4, S / 2, S / 2): as `FinderNet`, channel 0 a probability."""

    def __init__(self, net: FinderNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        out = self.net(image)
        return torch.cat([out[:, :1].sigmoid(), out[:, 1:]], dim=1)
