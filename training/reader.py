"""Train the line recogniser: `python -m training reader --config configs/reader.yaml --data DIR`."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from runners.session import open_model
from training.drawn_lines import Fonts, draw_line
from training.journal import Journal
from training.line_batches import Batches, Lines, Sample, collate
from training.options import read_options
from training.ppocr_small import RECOGNIZER, known_signs
from training.reader_net import ReaderNet
from training.reader_small_net import SmallReaderNet
from training.real_lines import LabelledLine, view
from training.rendering.typeface import installed, latin_fonts
from training.shipped import load_shipped
from training.signs import LATIN, Words, catalogue_words, kept_out
from training.starts import start_file
from training.trainee import Trainee
from training.two_teachers import labelled_lines, readings
from training.worn_lines import worn

NETS: Final[dict[str, type[ReaderNet | SmallReaderNet]]] = {"tiny": ReaderNet, "small": SmallReaderNet}
"""By the name a configuration gives as `net`."""
JOURNALS: Final = {"tiny": "reader_tiny", "small": "reader"}
"""The runs of each: the tiny one sees which way round a line is read, the small one reads it."""


class WithProbabilities(nn.Module):
    """(N, 1, 48, W) -> (N, W / 8, 1 + signs) probabilities. `signs`: what the columns after the first stand for."""

    def __init__(self, net: nn.Module, signs: str) -> None:
        super().__init__()
        self.net, self.signs = net, signs
        self.kind = next(kind for kind, of in NETS.items() if isinstance(net, of))

    def forward(self, lines: Tensor) -> Tensor:
        out: Tensor = self.net(lines).softmax(-1)
        return out


def load_for_export(checkpoint: Path) -> nn.Module:
    """The trained recogniser with its signs."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    net = NETS[state["kind"]](len(state["signs"]))
    net.load_state_dict(state["average"])
    return WithProbabilities(net, state["signs"]).eval()


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


def validation(
    nih: Sequence[LabelledLine], tfda: Sequence[LabelledLine], words: Words, config: dict[str, Any]
) -> dict[str, list[Sample]]:
    """Fixed lines by kind: of tuning pills; drawn Hangul words in fonts, and drawn signs and pairs of words that are
    not trained on."""
    rng = np.random.default_rng(99)
    latin = Fonts(latin_fonts(), installed(tuple(config["kept_out_fonts"])))
    unseen = [word for word in words.hangul if kept_out(word)]
    parts = [word for word in words.latin if kept_out(word) and len(word) <= 3]
    written = [line for line in nih if line.text]
    return {
        "real": [(view(line, rng), line.text) for line in written],
        "worn": [(worn(view(line, rng), rng), line.text) for line in written[::2]],
        "short": [(view(line, rng), line.text) for line in written for _ in range(2) if len(line.text) <= 2],
        "turned": [(view(line, rng), "") for line in nih if not line.text][:150],
        "taiwan": [(view(line, rng), line.text) for line in tfda if line.text],
        "hangul": [(draw_line(word, latin, rng), word) for word in (unseen * 3)[:150]] if latin.hangul else [],
        "single": [(draw_line(sign, latin, rng), sign) for sign in LATIN[:36] for _ in range(3)],
        "scored": [
            (draw_line(text, latin, rng), text)
            for text in (f"{rng.choice(parts)} {rng.choice(parts)}" for _ in range(100 if parts else 0))
        ],
    }


class Shipped(nn.Module):
    """The shipped file in the place of a network in training: (N, 1, 48, W) float32 -> (N, W / 8, 1 + signs)."""

    def __init__(self, session: ort.InferenceSession) -> None:
        super().__init__()
        self._session = session

    def forward(self, lines: Tensor) -> Tensor:
        return torch.from_numpy(self._session.run(None, {"lines": lines[:, 0].numpy().astype(np.uint8)})[0])


def first_weights(
    config: dict[str, Any], signs: str, wheels: Path | None, start: Path | None, lines: Tensor
) -> ReaderNet | SmallReaderNet:
    """The network as a training begins it.

    Args:
        start: checkpoint of an earlier run or a shipped file; None = the published weights.
        lines: a batch, to set the norms by where `start` is a shipped file.
    """
    net = NETS[config["net"]](len(signs))
    if start is not None and start.suffix == ".onnx":
        load_shipped(net, start, lines)
    elif start is not None:
        net.load_state_dict(torch.load(start, map_location="cpu", weights_only=True)["average"])
    elif isinstance(net, SmallReaderNet):
        net.start_from_ppocr(RECOGNIZER, known_signs(), signs)
    else:
        known = start_file("ppocrv6_tiny_signs", wheels).read_text(encoding="utf-8").splitlines()
        net.start_from_ppocr(start_file("ppocrv6_tiny", wheels), known, signs)
    return net


def begun(net: ReaderNet | SmallReaderNet, config: dict[str, Any], journal: Journal) -> tuple[Trainee, int]:
    """The training of a recogniser whose edges stay as they are, as far as `journal` has it, and its next step."""
    for part in net.edges():
        part.requires_grad_(False)
    head = [*net.signs.parameters()]
    rest = [p for p in net.parameters() if p.requires_grad and not any(p is q for q in head)]
    rate = config["rate"]
    run = Trainee(net, [(rest, rate), (head, rate * config["head_factor"])], config["steps"], config["weight_decay"])
    return run, run.go_on(journal)


def train(
    config: dict[str, Any], data: Path, wheels: Path | None, start: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Run, or go on with, the training that `config` describes. Returns the metrics.

    Args:
        start: checkpoint of an earlier run or a shipped file, whose weights are the first.
    """
    torch.manual_seed(config["seed"])
    journal = Journal(JOURNALS[config["net"]])
    words = catalogue_words(data)
    read = readings(data, int(config["tfda_pills"]), journal.folder)
    nih, tfda = ({part: labelled_lines(read[s], part) for part in ("train", "tuning")} for s in ("nih", "tfda"))
    checks = validation(nih["tuning"], tfda["tuning"], words, config)
    batches = Batches(Lines(nih["train"], tfda["train"], words, config), config, words.signs)
    net = first_weights(config, words.signs, wheels, start, batches.batch(0)[0])
    run, first = begun(net, config, journal)
    told = {"kind": config["net"], "signs": words.signs}
    shipped = measure(Shipped(open_model("ocr_recognizer")), checks, words.signs, config["most_width"])
    counts = {name: len(samples) for name, samples in checks.items()}
    tqdm.write(f"shipped: {shipped}; lines: {counts}")
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
            journal.save({"step": step + 1, **told, **run.state()})
    journal.keep({**told, "average": run.average.module.state_dict()})
    metrics = {
        "lines_read_exactly": measure(run.average.module, checks, words.signs, config["most_width"]),
        "by_the_reader_shipped_before": shipped,
        "n": counts,
        "n_real_training_lines": {"nih": len(nih["train"]), "tfda": len(tfda["train"])},
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
