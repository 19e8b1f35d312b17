"""The reader of whole faces: what it is shown, what its rows are to read, its network and its answers."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxslim")

from export.lines import write_calibration  # noqa: E402
from export.parity import one_thread_session  # noqa: E402
from export.whole_face import to_onnx  # noqa: E402
from pipeline.transcript import transcript  # noqa: E402
from runners.ocr_decode import Calibration  # noqa: E402
from training.drawn_faces import draw_face  # noqa: E402
from training.drawn_lines import Fonts  # noqa: E402
from training.face_reader import Row, WholeFace  # noqa: E402
from training.face_views import SIZES, Face, FaceLine, gathered, placed, row_texts, view  # noqa: E402
from training.labelled_faces import labelled_faces  # noqa: E402
from training.real_lines import FoundLine, ReadFace  # noqa: E402
from training.rendering.typeface import BUILT_IN  # noqa: E402
from training.signs import LATIN  # noqa: E402
from training.whole_face import WholeFaceNet, WithProbabilities, loss_of, read_rows  # noqa: E402

FONTS = Fonts(BUILT_IN, BUILT_IN)
BOX = (23, 23, 338, 338)


def quad(x1: float, y1: float, x2: float, y2: float) -> np.ndarray:
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)


def pill(*lines: FaceLine, complete: bool = True) -> Face:
    picture = np.full((384, 384), 128, np.uint8)
    picture[23:361, 23:361] = 160
    return Face(picture, lines, complete)


TWO = pill(FaceLine(quad(100, 90, 280, 190), "TEVA"), FaceLine(quad(100, 210, 280, 310), "7270"))


def texts(face: Face, turn: float = 0, size: float = 1.0) -> tuple[str | None, ...]:
    shown = view(face, turn, size)
    assert shown is not None
    return shown.texts


def test_the_rows_through_the_middle_of_a_line_read_it_from_top_to_bottom():
    read = [text for text in texts(TWO) if text]
    assert list(dict.fromkeys(read)) == ["TEVA", "7270"]
    assert texts(TWO)[0] in ("", None)


def test_upside_down_and_on_its_side_a_line_is_nothing():
    assert not any(texts(TWO, 180))
    assert not any(texts(TWO, 90))
    assert "" in texts(TWO, 180)


def test_a_line_without_a_top_says_nothing_about_its_direction():
    face = pill(FaceLine(quad(100, 140, 280, 240), "MW"))
    middle = len(texts(face, 180)) // 2
    assert texts(face, 180)[middle] is None
    assert "MW" in texts(face, 0)


def test_what_is_as_large_as_the_pill_is_read_from_afar_only():
    face = pill(FaceLine(quad(60, 40, 320, 350), "93"))
    assert "93" not in texts(face, size=SIZES[0])
    assert "93" in texts(face, size=SIZES[1])


def test_where_something_unknown_stands_anything_goes():
    face = pill(FaceLine(quad(100, 140, 280, 240), None))
    assert texts(face)[len(texts(face)) // 2] is None
    assert set(texts(pill(complete=False))) == {None}
    assert set(texts(pill())) == {""}


def test_words_beside_each_other_are_one_row_left_to_right():
    face = pill(FaceLine(quad(220, 140, 330, 240), "3"), FaceLine(quad(60, 140, 170, 240), "9"))
    assert "9 3" in texts(face)


def test_views_of_several_sizes_lie_in_one_batch_with_ground_around():
    batch = gathered([np.zeros((48, 32), np.uint8), np.zeros((64, 48), np.uint8)])
    assert batch.shape == (2, 64, 48)
    assert batch[0, 48:].min() == batch[0, :, 32:].min() == 128


def test_drawn_faces_say_where_their_lines_stand():
    for seed in range(12):
        face = draw_face(["AB", "12345"], FONTS, np.random.default_rng(seed))
        assert [line.text for line in face.lines] == ["AB", "12345"]
        assert face.lines[0].corners[:, 1].mean() < face.lines[1].corners[:, 1].mean()
    assert draw_face([], FONTS, np.random.default_rng(0)).lines == ()


def test_a_pill_whose_tokens_are_all_labelled_has_nothing_else_on_it():
    def read(tokens: tuple[str, ...], *lines: FoundLine) -> ReadFace:
        return ReadFace("p", tokens, "train", np.full((384, 384), 128, np.uint8), lines)

    def found(text: str, number: int) -> FoundLine:
        return FoundLine(quad(100, 90 + 100 * number, 280, 180 + 100 * number), 0, number, text, 0.9)

    front, back = read(("TEVA", "7270"), found("TEVA", 0), found("7270", 1)), read(("TEVA", "7270"))
    assert [(face.complete, len(face.lines)) for face in labelled_faces([[front, back]])] == [(True, 2), (True, 0)]
    partly = read(("TEVA", "7270"), found("TEVA", 0), found("#", 1))
    kept = labelled_faces([[partly, back]])
    assert [(face.complete, [line.text for line in face.lines]) for face in kept] == [(False, ["TEVA", None])]


def test_the_net_answers_for_every_row_and_learns_to_read_one():
    torch.manual_seed(0)
    net = WholeFaceNet(len(LATIN))
    views = [
        shown for n in range(4) if (shown := view(draw_face(["AB"[n % 2]], FONTS, np.random.default_rng(n)), 0, 0.5))
    ]
    high, wide = gathered([shown.pixels for shown in views]).shape[1:]
    assert net(torch.zeros(2, 1, high, wide)).shape == (2, high // 16 - 2, wide // 8, 1 + len(LATIN))
    code = {sign: number for number, sign in enumerate(LATIN, 1)}
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    losses = []
    for _ in range(12):
        loss = loss_of(net, views, code, 0.5)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]
    assert [len(rows) for rows in read_rows(net, views, LATIN)] == [len(shown.texts) for shown in views]


def test_of_rows_that_read_the_same_line_one_is_kept():
    def row(top: float, turn: int = 0) -> Row:
        return Row(said=None, confidence=0.5, turn=turn, box=(100, top, 200, top + 100))  # type: ignore[arg-type]

    assert row(100).same_line(row(130))
    assert not row(100).same_line(row(200))


def test_the_exported_file_reads_faces_of_any_size_and_gives_boxes_of_the_cut_out():
    torch.manual_seed(0)
    model = to_onnx(WithProbabilities(WholeFaceNet(len(LATIN)).eval()))
    model.metadata_props.add(key="signs", value=LATIN)
    model.metadata_props.add(key="calibration", value="")
    write_calibration(model, Calibration())
    reader = WholeFace(one_thread_session(model))
    cut = np.zeros((384, 384, 4), np.uint8)
    assert reader.read(cut[None]) == [[]]
    cut[100:284, 23:361] = 255
    cut[150:200, 100:300, :3] = np.random.default_rng(0).integers(0, 255, (50, 200, 1), np.uint8)
    for readings in reader.read(np.stack([cut, cut])):
        assert transcript(readings).confidence <= 1
        assert all(-60 < edge < 444 for reading in readings for edge in reading.box)


def test_a_view_maps_the_middle_of_the_pill_to_its_own():
    for turn in (0, 90, 37):
        matrix, (width, height) = placed(BOX, turn, 1.0)
        assert matrix @ np.array([192, 192, 1]) == pytest.approx([width / 2, height / 2], abs=0.01)
    assert row_texts(pill(), placed(BOX, 0, 1.0)[0], 3) == ("", "", "")
