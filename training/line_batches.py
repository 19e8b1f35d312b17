"""What the line recogniser trains on: real lines in many views, drawn ones, and batches of both."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.drawn_lines import Fonts, draw_line, random_text
from training.reader_net import HEIGHT
from training.real_lines import LabelledLine, view
from training.signs import Words
from training.worn_lines import worn

UInt8 = NDArray[np.uint8]
Sample = tuple[UInt8, str]

POOL = 6000
GRAY = 128


class Lines:
    """Draws training samples: (48, w) uint8 and the text to be read, "" = none."""

    def __init__(
        self, nih: Sequence[LabelledLine], tfda: Sequence[LabelledLine], words: Words, config: dict[str, Any]
    ) -> None:
        self._config = config
        self._real = [
            ([line for line in lines if line.text], [line for line in lines if not line.text]) for lines in (nih, tfda)
        ]
        drawn = words.trained()
        self._latin, self._hangul = drawn.latin, drawn.hangul
        self._fonts = Fonts.of(config)
        self._pool: list[Sample] = []

    def sample(self, rng: np.random.Generator) -> Sample:
        config = self._config
        texts, turned = self._real[int(rng.random() < config["tfda_share"])]
        if texts and rng.random() < config["real_share"]:
            lines = turned if turned and rng.random() < config["turned_share"] * 1.5 else texts
            line = lines[int(rng.integers(len(lines)))]
            shown = view(line, rng)
            return (worn(shown, rng) if rng.random() < config["worn_share"] else shown), line.text
        if self._pool and rng.random() > config["fresh_share"]:
            return self._pool[int(rng.integers(len(self._pool)))]
        sample = self.drawn(rng)
        if len(self._pool) < POOL:
            self._pool.append(sample)
        else:
            self._pool[int(rng.integers(POOL))] = sample
        return sample

    def drawn(self, rng: np.random.Generator) -> Sample:
        config = self._config
        kind = rng.random()
        if kind < config["empty_share"]:
            return draw_line("", self._fonts, rng), ""
        if kind < config["empty_share"] + config["turned_share"]:
            # a letter that is still one when turned round says nothing about its direction: only texts with a top
            text = random_text(self._latin, rng)
            text += str(rng.choice(list("23457AFGJKPRTVY"))) if not set(text) & set("23457AFGJKPRTVY") else ""
            if rng.random() < 0.2:
                text = str(rng.choice(self._hangul))
            line = draw_line(text, self._fonts, rng)
            quarter = int(rng.choice([1, 3])) if line.shape[1] < 1.5 * HEIGHT and rng.random() < 0.5 else 2
            line = np.ascontiguousarray(np.rot90(line, quarter))
            return cv2.resize(line, (max(16, round(line.shape[1] * HEIGHT / line.shape[0])), HEIGHT)).astype(
                np.uint8
            ), ""
        if rng.random() < config["hangul_share"]:
            text = str(rng.choice(self._hangul))
            if rng.random() < 0.35:  # syllables in other company, so that rare ones are seen as often
                text = "".join(rng.choice(list(self._syllables()), int(rng.integers(1, 5))))
            return draw_line(text, self._fonts, rng), text
        text = " ".join(random_text(self._latin, rng).split())
        return draw_line(text, self._fonts, rng), text

    def _syllables(self) -> str:
        if not hasattr(self, "_all"):
            self._all = "".join(sorted({letter for word in self._hangul for letter in word if letter > "\uac00"}))
        return self._all


def collate(samples: Sequence[Sample], most_width: int) -> Tensor:
    """(N, 1, 48, W) float32: lines side by side on the left, mid-gray to the right."""
    widths = [min(line.shape[1], most_width) for line, _ in samples]
    width = -(-max(*widths, 32) // 16) * 16
    out = np.full((len(samples), 1, HEIGHT, width), GRAY, np.uint8)
    for row, ((line, _), own) in enumerate(zip(samples, widths, strict=True)):
        fitted = line if line.shape[1] == own else cv2.resize(line, (own, HEIGHT), interpolation=cv2.INTER_AREA)
        out[row, 0, :, :own] = fitted
    return torch.from_numpy(out).float()


class Batches:
    """Batches of like width, drawn from (seed, round) alone, so that resuming repeats nothing."""

    ROUND = 16  # batches drawn together and sorted by width

    def __init__(self, lines: Lines, config: dict[str, Any], signs: str) -> None:
        self._lines, self._config = lines, config
        self._code = {sign: number for number, sign in enumerate(signs, 1)}
        self._ready: list[list[Sample]] = []

    def batch(self, step: int) -> tuple[Tensor, list[list[int]]]:
        """Lines and the codes of their texts."""
        count = self._config["batch"]
        if not self._ready:
            rng = np.random.default_rng((self._config["seed"], step))
            samples = [self._lines.sample(rng) for _ in range(count * self.ROUND)]
            samples.sort(key=lambda sample: sample[0].shape[1])
            groups = [samples[start : start + count] for start in range(0, len(samples), count)]
            self._ready = [groups[i] for i in rng.permutation(len(groups))]
        samples = self._ready.pop()
        targets = [[self._code[letter] for letter in text if letter in self._code] for _, text in samples]
        return collate(samples, self._config["most_width"]), targets
