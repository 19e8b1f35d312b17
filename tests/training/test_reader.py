"""The line recogniser's training: drawn lines, labels that nobody wrote, the network and its loss."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training.drawn_lines import Fonts, draw_line, random_text  # noqa: E402
from training.imprint_pills import HALF, imprint_pills  # noqa: E402
from training.line_batches import collate  # noqa: E402
from training.reader import ctc, read, share_right  # noqa: E402
from training.reader_net import HEIGHT, STEP, ReaderNet  # noqa: E402
from training.real_lines import FoundLine, LabelledLine, ReadFace, label, view, wanted_texts  # noqa: E402
from training.rendering.typeface import BUILT_IN  # noqa: E402
from training.signs import LATIN, kept_out  # noqa: E402

FONTS = Fonts(BUILT_IN, BUILT_IN)
QUAD = np.array([[100, 100], [200, 100], [200, 140], [100, 140]], np.float32)


def test_drawn_lines_have_the_height_of_the_net_and_differ():
    lines = [draw_line("TEVA", FONTS, np.random.default_rng(seed)) for seed in range(6)]
    assert all(line.shape[0] == HEIGHT and line.dtype == np.uint8 for line in lines)
    assert len({line.tobytes() for line in lines}) == len(lines)
    assert np.array_equal(draw_line("TEVA", FONTS, np.random.default_rng(3)), lines[3])


def test_a_longer_text_is_a_wider_line():
    def width(text: str) -> float:
        return float(np.mean([draw_line(text, FONTS, np.random.default_rng(s)).shape[1] for s in range(20)]))

    assert width("TEVA7270") > 1.5 * width("TEVA") > 1.5 * width("T")


def test_random_texts_are_writable():
    rng = np.random.default_rng(0)
    assert all(set(random_text(["TEVA", "7.5"], rng)) <= set(LATIN) for _ in range(200))


def test_one_word_in_ten_is_kept_out_of_training():
    assert 0.07 < np.mean([kept_out(f"W{n}") for n in range(3000)]) < 0.13


def found(text, rotation, quad=0, confidence=0.9, corners=QUAD):
    return FoundLine(corners, rotation, quad, text, confidence)


def face(*lines, tokens=("TEVA", "7270")):
    return ReadFace("p", tokens, "train", np.full((384, 384), 128, np.uint8), lines)


def test_lines_that_say_a_token_get_it_and_upside_down_ones_get_nothing():
    lines = label(face(found("TEVA", 0), found("VALT", 180), found("72Z0", 2, 1), found("0LZL", 182, 1)))
    assert [line.text for line in lines] == ["TEVA", "", "7270", ""]


@pytest.mark.parametrize(
    "lines",
    [
        (found("PFIZER", 0),),  # no token of this pill
        (found("TEVA", 0, confidence=0.3),),
        (found("7270", 0), found("7270", 180, 1)),  # which way is up?
    ],
)
def test_doubtful_faces_give_no_labels(lines):
    assert label(face(*lines)) == []


def test_a_line_that_reads_the_same_either_way_says_nothing_about_direction():
    assert [line.text for line in label(face(found("MW", 0), found("MW", 180, confidence=0.4), tokens=("MW",)))] == [
        "MW"
    ]


def test_neighbouring_tokens_may_stand_on_one_line_in_any_order():
    wanted = wanted_texts(("R", "550"))
    assert wanted["RSSO"] == "R 550"
    assert wanted["SSOR"] == "550 R"


def test_views_of_a_line_keep_its_height():
    line = LabelledLine(np.random.default_rng(0).integers(0, 255, (384, 384), dtype=np.uint8), QUAD, "A", "p")
    assert all(view(line, np.random.default_rng(s)).shape[0] == HEIGHT for s in range(10))


def test_the_net_answers_one_step_per_eight_pixels_and_learns():
    torch.manual_seed(0)
    net = ReaderNet(len(LATIN))
    samples = [(draw_line(text, FONTS, np.random.default_rng(n)), text) for n, text in enumerate(["A", "B"] * 4)]
    images = collate(samples, 288)
    assert net(images).shape == (8, images.shape[3] // STEP, 1 + len(LATIN))
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    targets = [[LATIN.index(text) + 1] for _, text in samples]
    losses = []
    for _ in range(12):
        loss = ctc(net(images), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


def test_lines_without_letters_cost_nothing_when_nothing_is_read():
    logits = torch.full((1, 4, 1 + len(LATIN)), -20.0)
    logits[..., 0] = 20
    assert ctc(logits, [[]]).item() < 1e-6


def test_reading_ignores_spaces_when_judged():
    assert share_right(["A B", ""], [(np.zeros((48, 48), np.uint8), "AB"), (np.zeros((48, 48), np.uint8), "C")]) == 0.5
    assert len(read(ReaderNet(len(LATIN)), [(np.zeros((48, 64), np.uint8), "")], LATIN, 288)) == 1


def test_parts_share_no_photo(tmp_path: Path):
    (tmp_path / "catalogs").mkdir()
    (tmp_path / "nih" / "consumer").mkdir(parents=True)
    columns = ["appearance_id", "appearance_group", "imprint", "crop_front", "crop_back"]
    rows = [[f"a{n}", f"g{n // 2}", f"AB;{n}", f"{n}_f.jpg", f"{n}_b.jpg"] for n in range(3 * HALF)]
    text = "\n".join(",".join(row) for row in [columns, *rows])
    (tmp_path / "catalogs" / "us_nih.csv").write_text(text)
    (tmp_path / "nih" / "consumer" / "consumer.csv").write_text("gallery_crops\n7_f.jpg|7_b.jpg\n")
    pills = imprint_pills(tmp_path)
    parts = {part: {pill.group for pill in pills if pill.part == part} for part in ("train", "tuning", "held-out")}
    assert [sum(pill.part == part for pill in pills) for part in ("tuning", "held-out")] == [HALF, HALF]
    assert not parts["train"] & (parts["tuning"] | parts["held-out"] | {"g3"})  # g3: shown on a consumer photo
    assert imprint_pills(tmp_path) == pills
