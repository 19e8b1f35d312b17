"""The text finder: what it is shown, what it is to say, its network, its loss and its file."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxslim")
pytest.importorskip("timm")

from export.finder import TakesGrayFaces, sample_faces, worst_difference  # noqa: E402
from export.half import store_half  # noqa: E402
from export.lines import traced  # noqa: E402
from runners.ocr_find import lines_of  # noqa: E402
from training.drawn_layouts import draw_layout  # noqa: E402
from training.drawn_lines import Fonts  # noqa: E402
from training.face_views import Face, FaceLine  # noqa: E402
from training.finder import finder_loss, measure  # noqa: E402
from training.finder_batches import Batch, Faces, placed, targets, view  # noqa: E402
from training.finder_net import SIZE, Exported, FinderNet  # noqa: E402
from training.rendering.typeface import BUILT_IN  # noqa: E402
from training.signs import Words  # noqa: E402

FONTS = Fonts(BUILT_IN, BUILT_IN)
WORDS = ("TEVA", "7292", "93", "M", "WATSON")


def quad(x1: float, y1: float, x2: float, y2: float) -> np.ndarray:
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)


def face(*lines: FaceLine, complete: bool = True, side: int = 384) -> Face:
    picture = np.full((side, side), 128, np.uint8)
    picture[23:-23, 23:-23] = 160
    return Face(picture, lines, complete)


TWO = face(FaceLine(quad(100, 90, 280, 160), "TEVA"), FaceLine(quad(120, 210, 280, 290), "7270"))


def batch_of(*faces: Face, rng: np.random.Generator | None = None) -> Batch:
    views = [view(each, SIZE, rng) for each in faces]
    return Batch(*(torch.from_numpy(np.stack(part)) for part in zip(*views, strict=True)))


def as_said(targets: torch.Tensor) -> torch.Tensor:
    """What a perfect network says."""
    said = targets.clone()
    said[:, :1] = (said[:, :1] - 0.5) * 40
    return said


@pytest.mark.parametrize("seed", range(12))
def test_the_wanted_answer_says_where_the_lines_are_however_the_face_is_turned(seed):
    rng = np.random.default_rng(seed)
    matrix = placed(384, SIZE, rng)
    wanted, counts = targets(TWO, matrix, SIZE)
    assert counts.all()
    found = lines_of(wanted)
    assert len(found) == 2
    for line in TWO.lines:
        true = line.corners @ matrix[:, :2].T + matrix[:, 2]
        near = min(found, key=lambda box: np.linalg.norm(box.corners.mean(axis=0) - true.mean(axis=0)))
        gaps = [np.linalg.norm(np.roll(near.corners, shift, axis=0) - true, axis=1).max() for shift in (0, 2)]
        assert min(gaps) < 8  # from its beginning or from its end


def test_what_is_not_known_does_not_count():
    unsure = face(FaceLine(quad(100, 90, 280, 160), None), FaceLine(quad(120, 210, 280, 290), "7270"), complete=False)
    wanted, counts = targets(unsure, placed(384, SIZE, None), SIZE)
    assert len(lines_of(wanted)) == 1
    assert counts[0, 31, 48] == 0  # on the line that nobody read
    assert counts[0, 62, 48] == 1  # on the one that is known
    assert counts[0, 2, 2] == 0  # elsewhere, as something else may be written


def test_drawn_faces_say_where_their_text_stands():
    seen, blank = set[str](), 0
    for seed in range(40):
        drawn = draw_layout((WORDS, WORDS), 0.0, FONTS, None, np.random.default_rng(seed))
        blank += not drawn.lines
        for line in drawn.lines:
            seen.add(line.text or "")
            assert drawn.complete
            x, y = line.corners.mean(axis=0)
            inside = drawn.picture[int(y) - 3 : int(y) + 4, int(x) - 3 : int(x) + 4].astype(int)
            assert 0 <= x < SIZE
            assert 0 <= y < SIZE
            assert inside.size
    assert {"TEVA", "7292"} <= seen
    assert 0 < blank < 20


def test_text_on_a_real_blank_face_changes_it_only_around_the_text():
    blank = np.full((SIZE, SIZE), 128, np.uint8)
    blank[30:160, 30:160] = np.random.default_rng(0).integers(100, 156, (130, 130))
    written = 0
    for seed in range(6):
        drawn = draw_layout((WORDS, WORDS), 0.0, FONTS, blank, np.random.default_rng(seed))
        changed = np.argwhere(drawn.picture != blank)
        if not drawn.lines:
            continue
        written += 1
        reach = np.concatenate([line.corners for line in drawn.lines])
        assert len(changed)
        assert changed.min() >= 20  # nothing beside the pill
        assert changed.max() <= 170
        assert reach.min() > 0
    assert written >= 3


def test_the_network_answers_at_half_resolution_and_learns_a_face():
    torch.manual_seed(0)
    net = FinderNet()
    batch = batch_of(TWO, face())
    said = net(batch.images)
    assert said.shape == (2, 4, SIZE // 2, SIZE // 2)
    perfect = as_said(batch.targets)
    assert float(finder_loss(perfect, batch)) < 0.1 < float(finder_loss(said, batch).detach())
    flipped = perfect.clone()
    flipped[:, 1:3] *= -1
    assert float(finder_loss(flipped, batch)) > float(finder_loss(perfect, batch)) + 1
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    losses = []
    for _ in range(6):
        loss = finder_loss(net(batch.images), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < losses[0]


def test_measured_are_the_lines_found_and_their_base_line():
    class Knows(torch.nn.Module):
        def __init__(self, turned: bool) -> None:
            super().__init__()
            self.turned = turned

        def forward(self, images):
            answer = as_said(batch_of(*[TWO] * len(images)).targets)
            if self.turned:
                answer[:, 1:3] *= -1
            return answer

    right = measure(Knows(turned=False), [TWO, TWO])
    assert (right["found"], right["along"]) == (1.0, 1.0)
    assert measure(Knows(turned=True), [TWO])["found"] < 1
    assert measure(Knows(turned=False), [TWO, face()])["boxes_per_blank"] == 2


def test_training_faces_are_the_same_for_the_same_step():
    config = {
        "seed": 3, "real_share": 0.3, "tfda_share": 0.3, "blank_share": 0.2, "written_share": 0.5, "hangul_share": 0.0,
        "fresh_share": 0.5, "latin_fonts": [], "hangul_fonts": ["DejaVuSans.ttf", "NanumGothic.ttf"],
    }  # fmt: skip
    real = [TWO, face()]
    try:
        one, two = (Faces(real, real, Words(WORDS, ("정",)), config) for _ in range(2))
    except RuntimeError:
        pytest.skip("no Hangul font is installed")
    a, b = one.batch(0, 6, 160), two.batch(0, 6, 160)
    assert a.images.shape == (6, 1, 160, 160)
    assert torch.equal(a.images, b.images)
    assert torch.equal(a.targets, b.targets)


def test_the_file_answers_as_the_network():
    torch.manual_seed(1)
    wrapped = TakesGrayFaces(Exported(FinderNet().eval())).eval()
    axes = {"faces": {0: "n", 1: "h", 2: "w"}, "answers": {0: "n", 2: "h2", 3: "w2"}}
    model = traced(wrapped, torch.from_numpy(sample_faces(2)), axes)
    assert worst_difference(wrapped, model, 1e-3) <= 1e-3
    assert len(store_half(model).SerializeToString()) < 0.7 * len(model.SerializeToString())
