"""Which faces are one class, what a batch holds, and the weights that a finished run keeps."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")  # the train group is an environment of its own

from training.embed_batches import Batches, joined  # noqa: E402
from training.embedder_finish import blended  # noqa: E402
from training.gallery_faces import EXACT, VIEWED, GalleryFaces, centred  # noqa: E402
from training.real_crops import RealCrop  # noqa: E402
from training.views import ConsumerViews  # noqa: E402


def disc(size: int, color: tuple[int, int, int]) -> NDArray[np.uint8]:
    """(size, size, 4) a round pill with a line across it."""
    image = np.zeros((size, size, 4), np.uint8)
    cv2.circle(image, (size // 2, size // 2), int(size * 0.44), (*color, 255), -1)
    cv2.line(image, (size // 4, size // 2), (3 * size // 4, size // 2), (20, 20, 20, 255), 3)
    return image


def gallery() -> GalleryFaces:
    """Two photos of one Taiwanese item, and three American items."""
    colors = [(200, 30, 30), (30, 200, 30), (200, 30, 30), (30, 200, 30), (90, 90, 200), (90, 90, 200), (90, 90, 200)]
    items = ("tw-tfda:1",) * 4 + ("us-nih:1", "us-nih:2", "us-nih:3")
    return GalleryFaces(
        np.stack([disc(EXACT, color)[..., :3] for color in colors]), np.stack([disc(VIEWED, c) for c in colors]),
        ("tw-tfda",) * 4 + ("us-nih",) * 3, tuple((item,) for item in items), ("front", "back") * 3 + ("front",),
    )  # fmt: skip


VECTORS = np.eye(7, 8, dtype=np.float32)[[0, 1, 0, 1, 4, 4, 4]]


def test_sides_of_one_item_and_like_faces_with_one_imprint_share_a_class() -> None:
    classes = joined(gallery(), {"us-nih:1": "A|", "us-nih:2": "A|", "us-nih:3": "B|"}, VECTORS, above=0.97)
    assert classes[0] == classes[2] != classes[1] == classes[3]  # two photos of it, front to front
    assert classes[4] == classes[5] != classes[6]  # another imprint is another pill, however alike


def test_a_batch_is_drawn_from_its_seed_and_holds_photos_behind_the_catalogues_classes(tmp_path: Path) -> None:
    config = {"seed": 1, "batch": 12, "size": 64, "steps": 3, "lamps": 0.2, "real_share": 0.4, "taiwan_share": 0.5,
              "exact_share": 0.0}  # fmt: skip
    real = [RealCrop(disc(VIEWED, (250, 250, 10)), name, "named") for name in ("a", "a", "b")]
    classes = joined(gallery(), {}, VECTORS, above=2.0)
    batches = Batches(gallery(), classes, real, tmp_path, config, first=0)
    batches.maker.remover = None  # no model is needed to know what a batch holds
    images, labels = batches.batch(2)
    again, same = batches.batch(2)
    assert torch.equal(images, again)
    assert torch.equal(labels, same)
    assert images.shape == (12, 3, 64, 64)
    first_real = int(classes.max()) + 1
    assert batches.real_classes.tolist() == [first_real, first_real, first_real + 1]
    assert 0 < int((labels >= first_real).sum()) < 12
    for image in images.numpy()[labels.numpy() >= first_real]:
        red, green, blue = image[:, image.max(axis=0) > 0].mean(axis=1)
        assert blue < min(red, green)  # they are yellow, and nothing in the catalogues is


def test_our_own_removers_mask_is_taken_unless_it_saw_something_else(tmp_path: Path) -> None:
    asked = []

    def remover(crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
        asked.append(crops.shape)
        return np.zeros(crops.shape[:3], np.uint8)  # sees nothing: the made mistakes stand in

    maker, rng = ConsumerViews(tmp_path, size=64, pool=2, remover=remover), np.random.default_rng(0)
    views = [maker.view(disc(VIEWED, (200, 30, 30)), rng) for _ in range(12)]
    assert 0 < len(asked) < 12
    assert all(view[..., 3].any() for view in views)


def test_a_catalogues_mean_goes_and_a_blend_lies_between() -> None:
    vectors = np.random.default_rng(0).normal(0.5, 1, (4000, 8)).astype(np.float32)
    moved = centred(vectors, ("a",) * 4000)
    assert np.abs(moved.mean(axis=0)).max() < 0.05 < np.abs(vectors.mean(axis=0)).min()
    assert np.allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-5)
    start, end = {"w": torch.zeros(2), "n": torch.tensor(3)}, {"w": torch.ones(2), "n": torch.tensor(5)}
    assert blended(start, end, 0.25)["w"].tolist() == [0.25, 0.25]
    assert blended(start, end, 0.25)["n"].item() == 5
