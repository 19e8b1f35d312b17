"""Train the line recogniser: `python -m training reader --config configs/reader.yaml --data DIR`."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from training.drawn_lines import Fonts, draw_line, random_text
from training.imprint_pills import imprint_pills
from training.journal import Journal
from training.options import read_options
from training.ppocr_small import PpocrSmall
from training.reader_net import HEIGHT, ReaderNet
from training.real_lines import LabelledLine, label, read_cutouts, read_faces, view
from training.rendering.typeface import installed, latin_fonts
from training.shipped import load_shipped
from training.signs import Words, catalogue_words, kept_out
from training.starts import start_file
from training.tfda_imprints import tfda_cutouts
from training.trainee import Trainee

UInt8 = NDArray[np.uint8]
Sample = tuple[UInt8, str]

POOL = 6000
GRAY = 128


class WithProbabilities(nn.Module):
    """(N, 1, 48, W) -> (N, W / 8, 1 + signs) probabilities. `signs`: what the columns after the first stand for."""

    def __init__(self, net: ReaderNet, signs: str) -> None:
        super().__init__()
        self.net, self.signs = net, signs

    def forward(self, lines: Tensor) -> Tensor:
        out: Tensor = self.net(lines).softmax(-1)
        return out


def load_for_export(checkpoint: Path) -> nn.Module:
    """The trained recogniser with its signs."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    net = ReaderNet(len(state["signs"]))
    net.load_state_dict(state["average"])
    return WithProbabilities(net, state["signs"]).eval()


class Lines:
    """Draws training samples: (48, w) uint8 and the text to be read, "" = none."""

    def __init__(self, real: Sequence[LabelledLine], words: Words, config: dict[str, Any]) -> None:
        self._config = config
        self._texts = [line for line in real if line.text]
        self._turned = [line for line in real if not line.text]
        self._latin = [word for word in words.latin if not kept_out(word)]
        self._hangul = [word for word in words.hangul if not kept_out(word)]
        self._fonts = Fonts(
            latin_fonts() + installed(tuple(config["latin_fonts"])), installed(tuple(config["hangul_fonts"]))
        )
        if not self._fonts.hangul:
            raise RuntimeError("no Hangul font is installed: apt install fonts-nanum")
        self._pool: list[Sample] = []

    def sample(self, rng: np.random.Generator) -> Sample:
        config = self._config
        if self._texts and rng.random() < config["real_share"]:
            lines = self._turned if self._turned and rng.random() < config["turned_share"] * 1.5 else self._texts
            line = lines[int(rng.integers(len(lines)))]
            return view(line, rng), line.text
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


def ctc(logits: Tensor, targets: Sequence[Sequence[int]]) -> Tensor:
    """Mean CTC loss per line of (N, T, C) logits; texts too long for their line count nothing."""
    flat = torch.tensor([code for target in targets for code in target], dtype=torch.long)
    lengths = torch.tensor([len(target) for target in targets])
    steps = torch.full((len(targets),), logits.shape[1])
    chances = logits.log_softmax(-1).transpose(0, 1)
    loss = functional.ctc_loss(chances, flat, steps, lengths, reduction="none", zero_infinity=True)
    return (loss / (lengths + 1).sqrt()).mean()


def read(net: nn.Module, samples: Sequence[Sample], signs: str, most_width: int) -> list[str]:
    """The best text for each line."""
    net.eval()
    out = [""] * len(samples)
    order = sorted(range(len(samples)), key=lambda i: samples[i][0].shape[1])
    with torch.inference_mode():
        for start in range(0, len(order), 16):
            rows = order[start : start + 16]
            best = net(collate([samples[i] for i in rows], most_width)).argmax(-1).numpy()
            for i, codes in zip(rows, best, strict=True):
                kept = [c for n, c in enumerate(codes) if c and (n == 0 or c != codes[n - 1])]
                out[i] = "".join(signs[c - 1] for c in kept).strip()
    return out


def share_right(texts: Sequence[str], samples: Sequence[Sample]) -> float:
    """Of lines read exactly, spaces aside."""
    right = [text.replace(" ", "") == truth.replace(" ", "") for text, (_, truth) in zip(texts, samples, strict=True)]
    return round(float(np.mean(right)), 4) if right else float("nan")


def validation(tuning: Sequence[LabelledLine], words: Words, config: dict[str, Any]) -> dict[str, list[Sample]]:
    """Fixed lines by kind: of tuning pills; Hangul words in fonts that are not trained on."""
    rng = np.random.default_rng(99)
    fonts = Fonts(latin_fonts(), installed(tuple(config["kept_out_fonts"])))
    unseen = [word for word in words.hangul if kept_out(word)]
    return {
        "real": [(view(line, rng), line.text) for line in tuning if line.text],
        "turned": [(view(line, rng), "") for line in tuning if not line.text],
        "hangul": [(draw_line(word, fonts, rng), word) for word in (unseen * 3)[:150]] if fonts.hangul else [],
    }


def begun(net: ReaderNet, config: dict[str, Any], journal: Journal) -> tuple[Trainee, int]:
    """The training of a recogniser whose edges stay as they are, as far as `journal` has it, and its next step."""
    for part in net.edges():
        part.requires_grad_(False)
    head = [*net.signs.parameters()]
    rest = [p for p in net.parameters() if p.requires_grad and not any(p is q for q in head)]
    rate = config["rate"]
    run = Trainee(net, [(rest, rate), (head, rate * config["head_factor"])], config["steps"], config["weight_decay"])
    state = journal.resume()
    if state is not None:
        run.resume(state)
    return run, int(state["step"]) if state else 0


def train(
    config: dict[str, Any], data: Path, wheels: Path | None, start: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Run, or go on with, the training that `config` describes. Returns the metrics.

    Args:
        start: checkpoint of an earlier run or a shipped file, whose weights are the first.
    """
    torch.manual_seed(config["seed"])
    journal = Journal("reader")
    words = catalogue_words(data)
    teacher, pills = PpocrSmall(), int(config["tfda_pills"])
    faces = {
        "nih": read_faces(imprint_pills(data), journal.folder / "faces.pkl", teacher),
        "tfda": read_cutouts(tfda_cutouts(data, pills), journal.folder / f"tfda-{pills}.pkl", teacher) if pills else [],
    }
    lines = {
        (source, part): [line for face in found if face.part == part for line in label(face)]
        for source, found in faces.items() for part in ("train", "tuning")
    }  # fmt: skip
    real = {part: lines["nih", part] + lines["tfda", part] for part in ("train", "tuning")}
    checks = validation(lines["nih", "tuning"], words, config)
    rng = np.random.default_rng(99)
    checks["taiwan"] = [(view(line, rng), line.text) for line in lines["tfda", "tuning"] if line.text]
    batches = Batches(Lines(real["train"], words, config), config, words.signs)

    net = ReaderNet(len(words.signs))
    known = start_file("ppocrv6_tiny_signs", wheels).read_text(encoding="utf-8").splitlines()
    net.start_from_ppocr(start_file("ppocrv6_tiny", wheels), known, words.signs)
    if start is not None and start.suffix == ".onnx":
        load_shipped(net, start, batches.batch(0)[0])
    elif start is not None:
        net.load_state_dict(torch.load(start, map_location="cpu", weights_only=True)["average"])
    run, first = begun(net, config, journal)
    began, losses = time.monotonic(), []
    for step in tqdm(range(first, config["steps"]), initial=first, total=config["steps"], desc="reader", unit="step"):
        net.train()
        images, targets = batches.batch(step)
        loss = ctc(net(images), targets)
        run.learn(loss)
        losses.append(loss.item())
        if (step + 1) % config["log_every"] == 0 or step + 1 == config["steps"]:
            right = measure(run.average.module, checks, words.signs, config["most_width"])
            row = {"step": step + 1, "loss": round(float(np.mean(losses)), 4), **right}
            journal.log({**row, "seconds": round(time.monotonic() - began)})
            tqdm.write(str(row))
            losses = []
        if (step + 1) % config["save_every"] == 0:
            journal.save({"step": step + 1, "signs": words.signs, **run.state()})
    journal.keep({"signs": words.signs, "average": run.average.module.state_dict()})
    metrics = {
        "lines_read_exactly": measure(run.average.module, checks, words.signs, config["most_width"]),
        "n": {name: len(samples) for name, samples in checks.items()},
        "n_real_training_lines": {source: len(lines[source, "train"]) for source in faces},
        "config": config,
    }
    journal.metrics(metrics)
    return metrics


def measure(net: nn.Module, checks: dict[str, list[Sample]], signs: str, most_width: int) -> dict[str, float]:
    """Share of lines read exactly, by kind."""
    return {name: share_right(read(net, lines, signs, most_width), lines) for name, lines in checks.items()}


def main(argv: list[str]) -> None:
    """Command line: see `--help`."""
    options = read_options("reader", __doc__, argv, may_start=True)
    print(train(options.config, options.data, options.wheels, options.start))
