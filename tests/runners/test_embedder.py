"""Four unit vectors per cut-out, one for each quarter turn."""

from pathlib import Path

import numpy as np

from runners.embedder import Embedder


def cutouts(n: int) -> np.ndarray:
    pixels = np.random.default_rng(3).integers(0, 256, (n, 384, 384, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[:, :192, :, 0] = 255  # a top that differs from its bottom
    return pixels


def test_unit_vectors_of_a_batch(tiny_models: Path) -> None:
    vectors = Embedder.open(tiny_models).embed(cutouts(3))
    assert vectors.shape == (3, 4, 256)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), 1, atol=1e-5)


def test_a_batch_is_its_items(tiny_models: Path) -> None:
    embedder, batch = Embedder.open(tiny_models), cutouts(3)
    one_by_one = np.concatenate([embedder.embed(cutout[None]) for cutout in batch])
    np.testing.assert_allclose(embedder.embed(batch), one_by_one, atol=1e-6)


def test_turning_the_pill_moves_along_the_turns(tiny_models: Path) -> None:
    embedder, batch = Embedder.open(tiny_models), cutouts(1)
    upright = embedder.embed(batch)[0]
    turned = embedder.embed(np.ascontiguousarray(np.rot90(batch, axes=(1, 2))))[0]
    np.testing.assert_allclose(turned[0], upright[1], atol=1e-4)
    np.testing.assert_allclose(turned[3], upright[0], atol=1e-4)
    assert upright[0] @ upright[2] < 0.999


def test_a_long_pill_has_no_quarter_turns(tiny_models: Path) -> None:
    embedder, batch = Embedder.open(tiny_models), cutouts(2)
    batch[0, :80] = batch[0, -80:] = 0  # 384 x 224 px: long
    vectors = embedder.embed(batch)
    np.testing.assert_array_equal(vectors[0, 1], vectors[0, 0])
    np.testing.assert_array_equal(vectors[0, 3], vectors[0, 2])
    assert vectors[0, 0] @ vectors[0, 2] < 0.999
    assert vectors[1, 0] @ vectors[1, 1] < 0.999  # its neighbour in the batch keeps all four
    turned = np.ascontiguousarray(np.rot90(batch[0], 2))
    np.testing.assert_allclose(embedder.embed(turned[None])[0, 0], vectors[0, 2], atol=1e-4)
