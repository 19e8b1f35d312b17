"""What the line recogniser trains on: lines of two sources, worn ones, score lines between texts."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training import drawn_lines  # noqa: E402
from training.drawn_lines import Fonts, draw_line, random_text  # noqa: E402
from training.line_batches import Batches, Lines  # noqa: E402
from training.real_lines import FoundLine, LabelledLine, ReadFace  # noqa: E402
from training.rendering.typeface import BUILT_IN, installed  # noqa: E402
from training.signs import LATIN, Words  # noqa: E402
from training.trainee import Trainee  # noqa: E402
from training.two_teachers import labelled_lines  # noqa: E402
from training.worn_lines import worn  # noqa: E402

FONTS = Fonts(BUILT_IN, BUILT_IN)
QUAD = np.array([[100, 100], [200, 100], [200, 140], [100, 140]], np.float32)
PICTURE = np.random.default_rng(0).integers(0, 255, (384, 384), dtype=np.uint8)
CONFIG = {
    "seed": 1, "batch": 8, "real_share": 0.5, "tfda_share": 0.25, "worn_share": 0.5, "hangul_share": 0.0,
    "empty_share": 0.1, "turned_share": 0.1, "fresh_share": 1.0, "most_width": 288, "latin_fonts": [],
    "hangul_fonts": ["NanumGothic.ttf"],
}  # fmt: skip


def line(text: str) -> LabelledLine:
    return LabelledLine(PICTURE, QUAD, text, "p")


def test_worn_lines_keep_their_size_and_contrast_and_lose_detail():
    drawn = draw_line("TEVA", FONTS, np.random.default_rng(3))
    for seed in range(12):
        shown = worn(drawn, np.random.default_rng(seed))
        assert shown.shape == drawn.shape
        assert 0.4 < shown.std() / drawn.std() < 2
        assert not np.array_equal(shown, drawn)


@pytest.mark.skipif(not installed(("NanumGothic.ttf",)), reason="needs a Hangul font")
def test_both_sources_are_drawn_from_in_their_shares():
    lines = Lines([line("NIH")], [line("TFDA")], Words(("TEVA",), ("가나",)), CONFIG)
    rng = np.random.default_rng(0)
    texts = [lines.sample(rng)[1] for _ in range(800)]
    nih, tfda = texts.count("NIH"), texts.count("TFDA")
    assert 0.4 < (nih + tfda) / 800 < 0.6
    assert 0.17 < tfda / (nih + tfda) < 0.33


@pytest.mark.skipif(not installed(("NanumGothic.ttf",)), reason="needs a Hangul font")
def test_a_batch_depends_on_seed_and_step_alone():
    words = Words(("TEVA",), ("가나",))
    first, again = (Batches(Lines([line("A")], [], words, CONFIG), CONFIG, LATIN).batch(5) for _ in range(2))
    assert torch.equal(first[0], again[0])
    assert first[1] == again[1]


def test_a_score_line_stands_between_two_texts(monkeypatch: pytest.MonkeyPatch):
    places = []
    monkeypatch.setattr(drawn_lines, "_add_score_between", lambda mask, x, rng: places.append(x / mask.shape[1]))
    for seed in range(40):
        draw_line("555 555", FONTS, np.random.default_rng(seed))
    assert 15 < len(places) < 33
    assert all(0.4 < place < 0.6 for place in places)
    draw_line("555555", FONTS, np.random.default_rng(0))
    assert len(places) < 33


def test_many_texts_are_single_signs_or_stand_in_two_parts():
    rng = np.random.default_rng(0)
    texts = [random_text(["TEVA", "WATSON"], rng) for _ in range(1000)]
    assert sum(len(text) == 1 for text in texts) > 60
    assert sum(" " in text for text in texts) > 150


def face(*lines: FoundLine, part: str = "train") -> ReadFace:
    return ReadFace("p", ("TEVA", "7270"), part, PICTURE, lines)


def found(text: str, rotation: int = 0, down: float = 0.0, confidence: float = 0.9) -> FoundLine:
    return FoundLine(QUAD + np.float32([0, down]), rotation, int(down), text, confidence)


def test_a_line_that_both_teachers_label_is_taken_once_and_each_adds_its_own():
    one, other = face(found("TEVA"), found("X", down=60)), face(found("TEVA", down=1), found("7270", down=60))
    assert [each.text for each in labelled_lines([[one], [other]], "train")] == ["TEVA", "7270"]
    assert labelled_lines([[one], [other]], "tuning") == []


def test_a_line_that_the_teachers_label_differently_is_left_out():
    one, other = face(found("TEVA"), found("X", down=60)), face(found("7270"), found("X", down=60))
    assert labelled_lines([[one], [other]], "train") == []


def test_a_run_may_be_told_to_end_sooner():
    def trainee(steps: int) -> Trainee:
        torch.manual_seed(0)
        net = torch.nn.Linear(2, 1)
        return Trainee(net, [([*net.parameters()], 0.1)], steps, 0.0)

    long = trainee(100)
    for _ in range(20):
        long.learn(long.net(torch.ones(1, 2)).sum())
    short = trainee(25)
    short.resume(long.state())
    for _ in range(5):
        short.learn(short.net(torch.ones(1, 2)).sum())
    assert short.optimizer.param_groups[0]["lr"] < 0.001 < long.optimizer.param_groups[0]["lr"]
