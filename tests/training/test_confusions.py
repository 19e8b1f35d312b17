"""Letters that were read are laid beside those that were meant, and counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")  # the teachers of the labelled faces

from pipeline.imprint_confusions import NAMED, Counted, load
from training import confusions
from training.confusions import VIEWS, aligned, drawn_hangul, hangul, upright, upside_down, write
from training.signs import kept_out


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


@dataclass(frozen=True)
class Says:
    """A reader that says the same of every line."""

    text: str

    def read(self, lines: Sequence[np.ndarray]) -> list[Said]:
        return [Said(self.text)] * len(lines)


@pytest.fixture
def plain_views(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confusions, "view", lambda line, rng: np.zeros((48, 96), np.uint8))


def found(counted: Sequence[Counted], kind: str) -> dict[tuple[str, str], tuple[int, int]]:
    return {(c.read, c.meant): (c.times, c.of) for c in counted if c.kind == kind}


@pytest.mark.usefixtures("plain_views")
def test_each_look_at_a_line_is_counted() -> None:
    counted = upright(Says("TEVA S76"), [Line("TEVA 576")])  # type: ignore[arg-type, list-item]
    assert found(counted, "upright") == {("S", "5"): (VIEWS, VIEWS)}
    assert found(counted, "share") == {
        ("dropped", ""): (0, 7 * VIEWS), ("added", ""): (0, 7 * VIEWS), ("replaced", ""): (VIEWS, 7 * VIEWS),
    }  # fmt: skip


@pytest.mark.usefixtures("plain_views")
def test_dropped_and_added_letters_have_their_shares() -> None:
    dropped = upright(Says("TEV576"), [Line("TEVA 576")])  # type: ignore[arg-type, list-item]
    assert found(dropped, "share")["dropped", ""] == (VIEWS, 7 * VIEWS)
    assert found(dropped, "upright") == {("", "A"): (VIEWS, VIEWS)}
    added = upright(Says("TEVAX576"), [Line("TEVA 576")])  # type: ignore[arg-type, list-item]
    assert found(added, "share")["added", ""] == (VIEWS, 7 * VIEWS)
    assert not found(added, "upright")


def test_upside_down_a_letter_is_looked_for_at_the_other_end(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []

    class Reads(Says):
        def read(self, lines: Sequence[np.ndarray]) -> list[Said]:
            looked_at.extend(lines)
            return super().read(lines)

    shown = np.arange(48 * 96, dtype=np.uint32).reshape(48, 96).astype(np.uint8)
    monkeypatch.setattr(confusions, "view", lambda line, rng: shown)
    counted = upside_down(Reads("W66"), [Line("99M")])  # type: ignore[arg-type, list-item]
    assert (looked_at[0] == shown[::-1, ::-1]).all()
    assert found(counted, "turned") == {("6", "9"): (2 * VIEWS, 2 * VIEWS), ("W", "M"): (VIEWS, VIEWS)}


@pytest.mark.usefixtures("plain_views")
@pytest.mark.parametrize(("said", "read", "same"), [("W66", 1, 1), ("66", 1, 0), ("", 0, 0)])
def test_letters_are_paired_upside_down_only_where_their_numbers_agree(said: str, read: int, same: int) -> None:
    counted = upside_down(Says(said), [Line("99M")])  # type: ignore[arg-type, list-item]
    shares = found(counted, "share")
    assert shares["turned, read", ""] == (read * VIEWS, VIEWS)
    assert shares["turned, as many letters", ""] == (same * VIEWS, VIEWS)
    assert bool(found(counted, "turned")) is bool(same)


def test_hangul_counts_by_what_differs_and_by_what_could_have_been_read_instead() -> None:
    picture = np.zeros((48, 96), np.uint8)
    counted = hangul(Says("가나"), [(picture, "가다")] * 4, ["가", "나", "다", "각"])  # type: ignore[arg-type]
    kinds = found(counted, "hangul")
    # 가 could have been 나 or 다 (initial) or 각 (final); 다 could have been 가 or 나 (initial) or 각 (both)
    assert kinds["initial", ""] == (4, 4 * (2 + 2))
    assert kinds["final", ""] == (0, 4)
    assert kinds["initial+final", ""] == (0, 4)
    assert "vowel" not in {read for read, _ in kinds}  # no known syllable differs so
    assert found(counted, "share")["hangul dropped", ""] == (0, 8)


def test_hangul_dropped_and_added_and_read_as_a_letter() -> None:
    picture = np.zeros((48, 96), np.uint8)
    lines = [(picture, "가다나")]
    said = {"hangul dropped": "가나", "hangul added": "가다라나", "hangul, no syllable": "가T나"}
    shares = {
        name: found(hangul(Says(text), lines, ["가"]), "share")[name, ""][0]  # type: ignore[arg-type]
        for name, text in said.items()
    }
    assert shares == {"hangul dropped": 1, "hangul added": 1, "hangul, no syllable": 1}


def test_what_is_written_is_what_the_matcher_loads(tmp_path: Path) -> None:
    counted = [
        *(Counted("share", name, "", 1, 100) for name in sorted(NAMED)),
        Counted("upright", "", "1", 5, 50), Counted("turned", "6", "9", 7, 9), Counted("hangul", "vowel", "", 3, 900),
    ]  # fmt: skip
    write(counted, tmp_path / "table.csv")
    loaded = load(tmp_path / "table.csv")
    assert [c for kind in ("share", "upright", "turned", "hangul") for c in loaded[kind]] == counted


def test_hangul_is_drawn_in_words_and_fonts_that_nothing_is_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confusions, "HANGUL_LINES", 6)
    monkeypatch.setattr(confusions, "installed", lambda names: ())
    words = [f"가나{letter}" for letter in "다라마바사아자차카타파하거너더러머버서어저처커터퍼허"]
    assert drawn_hangul(words) == []  # no such font here
    monkeypatch.undo()
    monkeypatch.setattr(confusions, "HANGUL_LINES", 6)
    drawn = drawn_hangul(words)
    if not drawn:
        pytest.skip("needs a Hangul font that is kept out of training")
    assert len(drawn) == 6
    assert all(kept_out(text) and picture.shape[0] == 48 for picture, text in drawn)
