"""Photographed things: what is loaded of a folder of stamps, and what is drawn of it."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from training import photographed
from training.photographed import Photographed, WrongPackage, fetch_stamps


def stamp(path: Path, color: tuple[int, int, int], size: tuple[int, int] = (60, 60), channels: int = 4) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.zeros((*size, 4), np.uint8)
    cv2.ellipse(image, (size[1] // 2, size[0] // 2), (size[1] // 2 - 4, size[0] // 2 - 4), 0, 0, 360, (*color, 255), -1)
    cv2.imwrite(str(path), image[..., :channels])


@pytest.fixture
def stamps(tmp_path: Path) -> Path:
    stamp(tmp_path / "symbols/money/euro/001.png", (0, 0, 200))
    stamp(tmp_path / "symbols/money/dollar.png", (0, 200, 0), size=(60, 30))
    stamp(tmp_path / "food/lemon.png", (200, 0, 0))
    stamp(tmp_path / "food/cartoon/pie.png", (200, 0, 0))
    stamp(tmp_path / "food/flat.png", (200, 0, 0), channels=3)
    stamp(tmp_path / "people/doll.png", (200, 0, 0))
    return tmp_path


def test_coins_are_the_round_money_and_drawings_stay_out(stamps: Path) -> None:
    things = Photographed(stamps)
    assert len(things.coins) == 1
    assert len(things.others) == 2  # the narrow dollar, and the lemon
    assert (things.coins[0][30, 30] == (200, 0, 0, 255)).all()  # RGB


def test_a_drawn_thing_has_the_length_asked_for(stamps: Path) -> None:
    things = Photographed(stamps)
    for seed in range(8):
        rgba = things.draw(np.random.default_rng(seed), 90)
        assert 60 <= max(rgba.shape[:2]) <= 96
        assert set(np.unique(rgba[..., 3])) == {0, 255}


def test_no_stamps_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Photographed(tmp_path)


def test_another_package_than_the_pinned_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(command: list[str], *, cwd: Path, check: bool) -> None:
        assert command[:2] == ["apt-get", "download"]
        (cwd / "stamps.deb").write_bytes(b"something else")

    monkeypatch.setattr(photographed.subprocess, "run", download)
    assert hashlib.sha256(b"something else").hexdigest() != photographed.SHA256
    with pytest.raises(WrongPackage):
        fetch_stamps(tmp_path / "stamps")
    assert not (tmp_path / "stamps" / photographed.INSIDE).exists()
