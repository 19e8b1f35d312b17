"""Photographed things that are not pills, already cut out: coins, fruit, nuts, tools, insects, flowers of Debian's
`tuxpaint-stamps-default` (GPL-2), fetched by `apt-get download`, checked by hash, never installed.

They stand beside the drawn ones of `training.distractors`: a real coin has what no drawing has.
"""

import hashlib
import subprocess
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training.appearance import bleed, turn

UInt8 = NDArray[np.uint8]

FOLDER: Final = Path("runs/stamps")
PACKAGE: Final = "tuxpaint-stamps-default=2022.06.04-1"
SHA256: Final = "6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34"
INSIDE: Final = "usr/share/tuxpaint/stamps"
KINDS: Final = (
    "symbols/money", "food", "household", "medical", "hobbies", "sports", "space/moon", "plants", "animals/insects",
    "animals/shellfish", "seasonal/christmas", "vehicles",
)  # fmt: skip
"""Folders of the package that hold photographs; the rest is mostly drawn."""
MONEY_SHARE: Final = 0.3
"""Share of coins among the things drawn: what is most often mistaken for a pill."""


class WrongPackage(Exception):
    """What was downloaded is not the package that is named here."""


def fetch_stamps(folder: Path = FOLDER) -> Path:
    """Folder with the stamps, downloaded and unpacked on first use. Raises `WrongPackage`, `CalledProcessError`."""
    unpacked = folder / INSIDE
    if unpacked.is_dir():
        return unpacked
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "download", PACKAGE], cwd=folder, check=True)  # noqa: S603, S607
    package = next(folder.glob("*.deb"))
    if hashlib.sha256(package.read_bytes()).hexdigest() != SHA256:
        raise WrongPackage(package.name)
    aside = folder / "part"
    subprocess.run(["dpkg-deb", "-x", str(package), str(aside)], check=True)  # noqa: S603, S607
    (aside / "usr").rename(folder / "usr")
    package.unlink()
    return unpacked


class Photographed:
    """The cut-outs in memory: `coins` and `others`, (h, w, 4) uint8 RGBA each, alpha 0/255."""

    def __init__(self, stamps: Path) -> None:
        self.coins: list[UInt8] = []
        self.others: list[UInt8] = []
        for kind in KINDS:
            for file in sorted((stamps / kind).rglob("*.png")):
                read = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
                if "cartoon" in str(file) or read is None or read.ndim != 3 or read.shape[2] != 4:
                    continue
                rgba = cv2.cvtColor(read, cv2.COLOR_BGRA2RGBA)
                rgba[..., 3] = np.where(rgba[..., 3] > 127, 255, 0)
                x, y, w, h = cv2.boundingRect(rgba[..., 3])
                if min(w, h) < 16:
                    continue
                part = np.ascontiguousarray(rgba[y : y + h, x : x + w])
                stamp = np.dstack([bleed(part), part[..., 3]])
                (self.coins if kind == "symbols/money" and abs(w - h) < 0.1 * h else self.others).append(stamp)
        if not self.coins or not self.others:
            raise FileNotFoundError(f"no stamps under {stamps}")

    def draw(self, rng: np.random.Generator, length: int) -> UInt8:
        """One thing, turned and tilted, its long side about `length` px: (h, w, 4) uint8 RGBA."""
        among = self.coins if rng.random() < MONEY_SHARE else self.others
        stamp = among[rng.integers(len(among))]
        tilt = np.abs(rng.normal(0, 0.1, 2)).clip(0, 0.3)
        scale = max(length, 16) / max(stamp.shape[:2])
        turned = turn(stamp, rng.uniform(0, 360), scale, (float(tilt[0]), float(tilt[1])), int(length * 1.5) + 24)
        x, y, w, h = cv2.boundingRect(turned[..., 3])
        return np.ascontiguousarray(turned[y : y + h, x : x + w])
