"""The line recogniser's network: the backbone of PP-OCRv6 tiny, one gray channel in, a smaller set of signs out.

Written out in torch (rather than converted) so that it trains at full speed; `start_from_ppocr` reads the published
ONNX file node by node. Its batch normalisations are folded there already, all but four.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.ppocr_weights import layer_weights, take, take_signs

HEIGHT: Final = 48
"""Height of a line, px."""
STEP: Final = 8
"""Width of one position of the output, px."""
HEAD_RANK: Final = 80  # the published head is a product of two matrices


class SqueezeExcite(nn.Module):
    """Channels weighed by their mean over the whole line."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(width, width // 4, 1), nn.Conv2d(width // 4, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * functional.hardsigmoid(self.up(functional.relu(self.down(x.mean((2, 3), keepdim=True)))))


class Block(nn.Module):
    """Depthwise 3x3, then two pointwise layers, with a shortcut where nothing changes its size."""

    def __init__(self, inputs: int, outputs: int, *, halve: bool = False, excite: bool = False) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, (2, 1) if halve else 1, 1, groups=inputs)
        self.excite = SqueezeExcite(inputs) if excite else nn.Identity()
        self.wide = nn.Conv2d(inputs, 2 * inputs, 1)
        self.narrow = nn.Conv2d(2 * inputs, outputs, 1)
        self.shortcut = not halve

    def forward(self, x: Tensor) -> Tensor:
        x = self.excite(self.depthwise(x))
        y: Tensor = self.narrow(functional.gelu(self.wide(x)))
        return x + y if self.shortcut else y


class ReaderNet(nn.Module):
    """(N, 1, 48, W) float32 gray in [0, 255], W a multiple of 16 -> (N, W / 8, 1 + signs) logits, 0 = CTC's blank."""

    def __init__(self, signs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 24, 3, 2, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(24)
        self.conv2 = nn.Conv2d(24, 48, 3, 2, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(48)
        self.blocks = nn.Sequential(
            Block(48, 48, excite=True), Block(48, 48), Block(48, 96, halve=True),
            Block(96, 96, excite=True), Block(96, 96), Block(96, 160, halve=True),
            Block(160, 160, excite=True), Block(160, 160), Block(160, 160),
        )  # fmt: skip
        self.along = nn.Conv1d(160, 160, 5, padding=2, groups=160, bias=False)
        self.along_norm = nn.BatchNorm1d(160)
        self.mix = nn.Conv1d(160, 160, 1, bias=False)
        self.mix_norm = nn.BatchNorm1d(160)
        self.dropout = nn.Dropout(0.1)
        self.tie = nn.Linear(160, HEAD_RANK)
        self.signs = nn.Linear(HEAD_RANK, 1 + signs)

    def forward(self, lines: Tensor) -> Tensor:
        x = functional.gelu(self.norm1(self.conv1(lines / 127.5 - 1)))
        x = self.blocks(self.norm2(self.conv2(x)))
        x = functional.avg_pool2d(x, (3, 2)).squeeze(2)  # (N, 160, W / 8)
        x = functional.hardswish(self.along_norm(self.along(x)))
        x = functional.hardswish(self.mix_norm(self.mix(x))).transpose(1, 2)
        out: Tensor = self.signs(self.tie(self.dropout(x)))
        return out

    def edges(self) -> list[nn.Module]:
        """The parts that see strokes, not letters yet, and stay as they are; half of the cost of a step."""
        return [self.conv1, self.norm1, self.conv2, self.norm2, self.blocks[0], self.blocks[1]]

    def train(self, mode: bool = True) -> "ReaderNet":
        super().train(mode)
        for part in self.edges():
            part.eval()
        return self

    def start_from_ppocr(self, model: Path, known: Sequence[str], signs: Sequence[str]) -> None:
        """Take over the weights of the published ONNX file.

        Args:
            model: PP-OCRv6 tiny recogniser.
            known: its signs, in order.
            signs: ours, in order; those it does not know start at random, small.
        """
        source = layer_weights(model)
        with torch.no_grad():
            first = next(source)[0]
            self.conv1.weight.copy_(first.sum(1, keepdim=True))  # gray: all three channels are equal
            for layer in list(self.modules())[2:]:
                if (
                    isinstance(layer, nn.Conv1d | nn.Conv2d | nn.BatchNorm1d | nn.BatchNorm2d) or layer is self.tie
                ) and layer is not self.conv1:
                    take(layer, next(source))
            weight, bias = next(source)
            take_signs(self.signs, weight, bias, known, signs)
