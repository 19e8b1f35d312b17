"""Letters that were read are laid beside those that were meant, and counted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

pytest.importorskip("torch")  # the teachers of the labelled faces

from training import confusions
from training.confusions import aligned, misread


def test_letters_are_paired_and_texts_of_another_pill_are_not() -> None:
    assert [pair for pair in aligned("TEV4", "TEVA") if pair[0] != pair[1]] == [("4", "A")]
    assert ("", "2") in list(aligned("719", "7219"))
    assert ("1", "") in list(aligned("71219", "7219"))
    assert not list(aligned("XYZQ", "TEVA"))


@dataclass(frozen=True)
class Line:
    text: str


@dataclass(frozen=True)
class Said:
    text: str


class TakesFiveForS:
    """A reader."""

    def read_lines(self, lines: Sequence[np.ndarray]) -> list[Said]:
        return [Said("TEVA S76")] * len(lines)


def test_each_look_at_a_line_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confusions, "view", lambda line, rng: np.zeros((48, 96), np.uint8))
    pairs, meant = misread(TakesFiveForS(), [Line("TEVA 576")])  # type: ignore[arg-type, list-item]
    assert pairs == {("S", "5"): confusions.VIEWS}
    assert meant["5"] == confusions.VIEWS
    assert meant["T"] == confusions.VIEWS
