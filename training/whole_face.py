"""Train the reader of whole faces: `python -m training whole_face --config configs/whole_face.yaml --data DIR`.

The other design, measured beside the line reader: no line is looked for. The network is the line recogniser's, run
over the whole face at once; every row of windows is read like a line (`training.face_views`).
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from training.drawn_faces import draw_face
from training.drawn_lines import Fonts, random_text
from training.face_views import SIZES, Face, View, gathered, view
from training.journal import Journal
from training.labelled_faces import labelled_faces
from training.options import read_options
from training.reader import begun
from training.reader_net import ReaderNet
from training.rendering.typeface import installed, latin_fonts
from training.shipped import load_shipped
from training.signs import Words, catalogue_words, kept_out
from training.starts import start_file
from training.two_teachers import readings

UInt8 = NDArray[np.uint8]

POOL: Final = 3000
NAME: Final = "whole_face"


class WholeFaceNet(ReaderNet):
    """(N, 1, 16 h, 16 w) float32 gray in [0, 255] -> (N, h - 2, 2 w, 1 + signs) logits, 0 = CTC's blank."""

    def forward(self, lines: Tensor) -> Tensor:
        x = functional.gelu(self.norm1(self.conv1(lines / 127.5 - 1)))
        x = self.blocks(self.norm2(self.conv2(x)))
        x = functional.avg_pool2d(x, (3, 2), (1, 2))  # (N, 160, h - 2, 2 w)
        faces, width, rows, steps = x.shape
        x = x.transpose(1, 2).reshape(faces * rows, width, steps)
        x = functional.hardswish(self.along_norm(self.along(x)))
        x = functional.hardswish(self.mix_norm(self.mix(x))).transpose(1, 2)
        out: Tensor = self.signs(self.tie(self.dropout(x)))
        return out.reshape(faces, rows, steps, -1)


class WithProbabilities(nn.Module):
    """(N, 16 h, 16 w) uint8 -> (N, h - 2, 2 w, 1 + signs) probabilities."""

    def __init__(self, net: WholeFaceNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, faces: Tensor) -> Tensor:
        out: Tensor = self.net(faces.unsqueeze(1).float()).softmax(-1)
        return out


class Faces:
    """Draws training faces, real and drawn, in a turn each."""

    def __init__(self, nih: Sequence[Face], tfda: Sequence[Face], words: Words, config: dict[str, Any]) -> None:
        self._config = config
        self._nih, self._tfda = nih, tfda
        drawn = words.trained()
        self._latin, self._hangul = drawn.latin, drawn.hangul
        self._fonts = Fonts.of(config)
        self._pool: list[Face] = []

    def views(self, rng: np.random.Generator) -> list[View]:
        """One face at all sizes, turned as it may lie before the reader."""
        face = self._face(rng)
        turned = float(rng.choice([0, 180, 90, 270], p=self._config["turn_shares"]))
        turn, zoom = turned + float(rng.normal(0, 5)), float(np.exp(rng.normal(0, 0.12)))
        found = [view(face, turn, size, zoom) for size in SIZES]
        return [_in_other_light(each, rng) for each in found if each is not None]

    def _face(self, rng: np.random.Generator) -> Face:
        kind, config = rng.random(), self._config
        if kind < config["nih_share"]:
            return self._nih[int(rng.integers(len(self._nih)))]
        if self._tfda and kind < config["nih_share"] + config["tfda_share"]:
            return self._tfda[int(rng.integers(len(self._tfda)))]
        if len(self._pool) >= POOL or (self._pool and rng.random() > config["fresh_share"]):
            return self._pool[int(rng.integers(len(self._pool)))]
        self._pool.append(draw_face(self._texts(rng), self._fonts, rng))
        return self._pool[-1]

    def _texts(self, rng: np.random.Generator) -> list[str]:
        if rng.random() < self._config["empty_share"]:
            return []
        hangul = rng.random() < self._config["hangul_share"]
        count = int(rng.choice([1, 2, 3], p=[0.6, 0.33, 0.07]))
        if hangul:
            return [str(rng.choice(self._hangul)) for _ in range(min(count, 2))]
        return [text for _ in range(count) if (text := " ".join(random_text(self._latin, rng).split()))]


def _in_other_light(shown: View, rng: np.random.Generator) -> View:
    light = shown.pixels.astype(np.float32) - 128
    if rng.random() < 0.25:
        light = -light  # the lamp on the other side, or pale ink for dark
    light = light * float(np.exp(rng.normal(0, 0.25)))
    if rng.random() < 0.4:
        light = light + rng.standard_normal(light.shape, dtype=np.float32) * float(rng.uniform(2, 12))
    return View(np.clip(light + 128, 0, 255).astype(np.uint8), shown.texts)


class Batches:
    """Batches of like size, drawn from (seed, step) alone, so that resuming repeats nothing."""

    ROUND = 12  # batches drawn together and sorted by size

    def __init__(self, faces: Faces, config: dict[str, Any]) -> None:
        self._faces, self._config = faces, config
        self._ready: list[list[list[View]]] = []

    def batch(self, step: int) -> list[list[View]]:
        """For each size the views of the same faces."""
        count = self._config["batch"]
        if not self._ready:
            rng = np.random.default_rng((self._config["seed"], step))
            drawn = [self._faces.views(rng) for _ in range(count * self.ROUND)]
            drawn = sorted((views for views in drawn if views), key=lambda views: views[0].pixels.shape)
            groups = [drawn[start : start + count] for start in range(0, len(drawn), count)]
            self._ready = [groups[i] for i in rng.permutation(len(groups))]
        return [list(views) for views in zip(*self._ready.pop(), strict=True)]


def loss_of(net: nn.Module, views: Sequence[View], code: dict[str, int], empty_weight: float) -> Tensor:
    """Mean CTC loss of the rows that are to read something; of empty ones `empty_weight` times theirs is added."""
    logits = net(torch.from_numpy(gathered([each.pixels for each in views])).unsqueeze(1).float())
    rows = [(n, row, text) for n, each in enumerate(views) for row, text in enumerate(each.texts) if text is not None]
    full = [(n, row, [code[c] for c in text if c in code]) for n, row, text in rows if text]
    empty = [(n, row) for n, row, text in rows if not text]
    total = logits.sum() * 0
    if full:
        chances = torch.stack([logits[n, row] for n, row, _ in full]).log_softmax(-1).transpose(0, 1)
        flat = torch.tensor([c for _, _, codes in full for c in codes])
        lengths = torch.tensor([len(codes) for _, _, codes in full])
        steps = torch.full((len(full),), chances.shape[0])
        loss = functional.ctc_loss(chances, flat, steps, lengths, reduction="none", zero_infinity=True)
        total = total + (loss / (lengths + 1).sqrt()).mean()
    if empty:
        blanks = torch.stack([logits[n, row] for n, row in empty]).log_softmax(-1)[..., 0]
        total = total - empty_weight * blanks.sum(-1).mean()
    return total


def read_rows(net: nn.Module, views: Sequence[View], signs: str) -> list[list[str]]:
    """The best text of each row."""
    net.eval()
    with torch.inference_mode():
        best = net(torch.from_numpy(gathered([each.pixels for each in views])).unsqueeze(1).float()).argmax(-1)
    return [[_said(best[n, row].tolist(), signs) for row in range(len(each.texts))] for n, each in enumerate(views)]


def _said(codes: list[int], signs: str) -> str:
    kept = [c for n, c in enumerate(codes) if c and (n == 0 or c != codes[n - 1])]
    return " ".join("".join(signs[c - 1] for c in kept).split())


def measure(net: nn.Module, checks: dict[str, list[View]], signs: str) -> dict[str, float]:
    """By kind, the share of rows read exactly of those that carry a text, and of those that are to be empty."""
    out = {}
    for name, unsorted in checks.items():
        views = sorted(unsorted, key=lambda each: each.pixels.shape)
        said = [texts for n in range(0, len(views), 16) for texts in read_rows(net, views[n : n + 16], signs)]
        pairs = [
            (text.replace(" ", ""), truth.replace(" ", ""))
            for each, texts in zip(views, said, strict=True)
            for text, truth in zip(texts, each.texts, strict=True)
            if truth is not None
        ]
        for kind, chosen in (("read", [p for p in pairs if p[1]]), ("empty", [p for p in pairs if not p[1]])):
            out[f"{name}_{kind}"] = round(float(np.mean([a == b for a, b in chosen])), 4) if chosen else float("nan")
    return out


def real_faces(config: dict[str, Any], data: Path, folder: Path) -> dict[str, list[Face]]:
    """Labelled faces by source and part."""
    out = {}
    for source, read in readings(data, int(config["tfda_pills"]), folder).items():
        for part in ("train", "tuning"):
            chosen = [[face for face in faces if face.part == part] for faces in read]
            out[f"{source} {part}"] = labelled_faces(chosen)
    return out


def validation(faces: dict[str, list[Face]], words: Words, config: dict[str, Any]) -> dict[str, list[View]]:
    """Fixed views by kind: of tuning pills, upright and turned round; Hangul words in fonts that are not trained on."""
    fonts = Fonts(latin_fonts(), installed(tuple(config["kept_out_fonts"])))
    unseen = [word for word in words.hangul if kept_out(word)]
    drawn = [
        draw_face([word], fonts, np.random.default_rng((99, n))) for n, word in enumerate(unseen[:80])
    ] if fonts.hangul else []  # fmt: skip

    def views(of: Sequence[Face], turn: float) -> list[View]:
        return [each for face in of for size in SIZES if (each := view(face, turn, size)) is not None]

    tuning = faces["nih tuning"]
    return {"nih": views(tuning, 0), "turned": views(tuning, 180), "hangul": views(drawn, 0)}


def train(config: dict[str, Any], data: Path, start: Path | None = None) -> dict[str, Any]:
    """Run, or go on with, the training that `config` describes. Returns the metrics.

    Args:
        start: the tiny line recogniser (`configs/reader_tiny.yaml`) as a file or checkpoint, or one of an earlier run;
            None = the published weights.
    """
    torch.manual_seed(config["seed"])
    journal = Journal(NAME)
    words = catalogue_words(data)
    faces = real_faces(config, data, journal.folder)
    checks = validation(faces, words, config)
    batches = Batches(Faces(faces["nih train"], faces.get("tfda train", []), words, config), config)
    code = {sign: number for number, sign in enumerate(words.signs, 1)}

    net = WholeFaceNet(len(words.signs))
    if start is None:
        known = start_file("ppocrv6_tiny_signs").read_text(encoding="utf-8").splitlines()
        net.start_from_ppocr(start_file("ppocrv6_tiny"), known, words.signs)
    elif start.suffix == ".onnx":
        first = [each.pixels for each in batches.batch(0)[0]]
        load_shipped(net, start, torch.from_numpy(gathered(first)).unsqueeze(1).float())
    else:
        net.load_state_dict(torch.load(start, map_location="cpu", weights_only=True)["average"])
    run, done = begun(net, config, journal)
    began, losses = time.monotonic(), []
    for step in tqdm(range(done, config["steps"]), initial=done, total=config["steps"], desc=NAME, mininterval=20):
        net.train()
        total = sum(
            (loss_of(net, views, code, config["empty_weight"]) for views in batches.batch(step)), torch.zeros(())
        )
        run.learn(total)
        losses.append(total.item())
        if (step + 1) % config["log_every"] == 0 or step + 1 == config["steps"]:
            row = {"step": step + 1, "loss": round(float(np.mean(losses)), 4)}
            row |= measure(run.average.module, checks, words.signs)
            journal.log({**row, "seconds": round(time.monotonic() - began)})
            tqdm.write(str(row))
            losses = []
        if (step + 1) % config["save_every"] == 0:
            journal.save({"step": step + 1, "signs": words.signs, **run.state()})
    journal.keep({"signs": words.signs, "average": run.average.module.state_dict()})
    metrics = {
        "rows_read_exactly": measure(run.average.module, checks, words.signs),
        "faces": {name: len(found) for name, found in faces.items()},
        "config": config,
    }
    journal.metrics(metrics)
    return metrics


def main(argv: list[str]) -> None:
    """Command line: see `--help`."""
    options = read_options(NAME, __doc__, argv, may_start=True)
    print(train(options.config, options.data, options.start))
