"""The larger line recogniser's network: PP-OCRv6 small, one gray channel in, a smaller set of signs out.

As `training.reader_net`, with a wider backbone and two blocks of attention along the line behind it. The published
head knows 18,708 signs and is half of its weights; without it 3.0 million are left.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.ppocr_weights import layer_weights, take, take_signs
from training.reader_net import Block

WIDTH = 120
HEADS = 8


class Stem(nn.Module):
    """(N, 1, H, W) -> (N, 96, H / 4, W / 4): a path of small convolutions beside a pooled one."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 48, 3, 2, 1)
        self.left = nn.Conv2d(48, 24, 2)
        self.right = nn.Conv2d(24, 48, 2)
        self.joined = nn.Conv2d(96, 48, 3, 2, 1)
        self.out = nn.Conv2d(48, 96, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.first(x))
        y = functional.relu(self.left(_one_more(x)))
        y = functional.relu(self.right(_one_more(y)))
        x = functional.max_pool2d(_one_more(x), 2, 1)
        x = functional.relu(self.joined(torch.cat([x, y], 1)))
        return functional.relu(self.out(x))


def _one_more(x: Tensor) -> Tensor:
    """A row below and a column to the right, so that a 2 x 2 window leaves the size as it is."""
    return functional.pad(x, (0, 1, 0, 1))


class Attention(nn.Module):
    """Every position of the line looks at all others, (N, T, 120) -> the same."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH)
        self.all = nn.Linear(WIDTH, 3 * WIDTH)
        self.mix = nn.Linear(WIDTH, WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH)
        self.wide = nn.Linear(WIDTH, 2 * WIDTH)
        self.narrow = nn.Linear(2 * WIDTH, WIDTH)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        lines, steps, _ = x.shape
        parts = self.all(self.norm1(x)).reshape(lines, steps, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        query, key, value = parts[0] * (WIDTH // HEADS) ** -0.5, parts[1], parts[2]
        seen = (query @ key.transpose(2, 3)).softmax(-1) @ value
        x = x + self.dropout(self.mix(seen.transpose(1, 2).reshape(lines, steps, WIDTH)))
        y: Tensor = self.dropout(self.narrow(functional.silu(self.wide(self.norm2(x)))))
        return x + y


class SmallReaderNet(nn.Module):
    """(N, 1, 48, W) float32 gray in [0, 255], W a multiple of 16 -> (N, W / 8, 1 + signs) logits, 0 = CTC's blank.

    The layers stand in the order in which the published graph runs them: `start_from_ppocr` relies on it.
    """

    def __init__(self, signs: int) -> None:
        super().__init__()
        self.stem = Stem()
        self.blocks = nn.Sequential(
            Block(96, 96, excite=True), Block(96, 96), Block(96, 96), Block(96, 192, halve=True),
            Block(192, 192, excite=True), Block(192, 192), Block(192, 192, excite=True), Block(192, 192),
            Block(192, 192, excite=True), Block(192, 192), Block(192, 384, halve=True),
            Block(384, 384, excite=True), Block(384, 384),
        )  # fmt: skip
        self.past = nn.Conv2d(384, WIDTH, 1, bias=False)
        self.past_norm = nn.BatchNorm2d(WIDTH)
        self.into = nn.Conv2d(384, WIDTH, 1, bias=False)
        self.into_norm = nn.BatchNorm2d(WIDTH)
        self.along = nn.Conv2d(WIDTH, WIDTH, (1, 7), padding=(0, 3), groups=WIDTH, bias=False)
        self.along_norm = nn.BatchNorm2d(WIDTH)
        self.attention = nn.Sequential(Attention(), Attention())
        self.last_norm = nn.LayerNorm(WIDTH)
        self.dropout = nn.Dropout(0.1)
        self.signs = nn.Linear(WIDTH, 1 + signs)

    def forward(self, lines: Tensor) -> Tensor:
        x = self.blocks(self.stem(lines / 127.5 - 1))
        x = functional.avg_pool2d(x, (3, 2))  # (N, 384, 1, W / 8)
        past = functional.silu(self.past_norm(self.past(x)))
        x = functional.silu(self.into_norm(self.into(x)))
        x = x + functional.silu(self.along_norm(self.along(x)))
        x = self.last_norm(self.attention(x.squeeze(2).transpose(1, 2))) + past.squeeze(2).transpose(1, 2)
        out: Tensor = self.signs(self.dropout(x))
        return out

    def edges(self) -> list[nn.Module]:
        """The parts that see strokes, not letters yet, and stay as they are; two fifths of the cost of a step."""
        return [self.stem, *self.blocks[:4]]

    def train(self, mode: bool = True) -> "SmallReaderNet":
        super().train(mode)
        for part in self.edges():
            part.eval()
        return self

    def start_from_ppocr(self, model: Path, known: Sequence[str], signs: Sequence[str]) -> None:
        """Take over the weights of the published ONNX file; as `ReaderNet.start_from_ppocr`."""
        source = layer_weights(model)
        kinds = (nn.Conv2d, nn.BatchNorm2d, nn.LayerNorm, nn.Linear)
        with torch.no_grad():
            for layer in self.modules():
                if not isinstance(layer, kinds):
                    continue
                tensors = next(source)
                if layer is self.signs:
                    take_signs(layer, tensors[0], tensors[1], known, signs)
                elif layer is self.stem.first:  # gray: all three channels are equal
                    take(layer, [tensors[0].sum(1, keepdim=True), tensors[1]])
                else:
                    take(layer, tensors)
