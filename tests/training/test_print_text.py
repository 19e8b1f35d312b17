import numpy as np
import pytest

from training.print_text import print_text

PAPER = np.full((200, 300, 3), 128, np.uint8)


@pytest.mark.parametrize("seed", range(5))
def test_prints_keep_off_pills_and_leave_the_original_alone(seed: int) -> None:
    boxes = np.array([[50, 40, 250, 160]], np.float32)
    before = PAPER.copy()
    printed = print_text(PAPER, boxes, np.random.default_rng(seed))
    assert (printed[40:160, 50:250] == 128).all()
    assert (before == PAPER).all()


def test_something_is_printed_and_the_seed_decides_what() -> None:
    nothing = np.empty((0, 4), np.float32)
    one, same, other = (print_text(PAPER, nothing, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (one != PAPER).sum() > 100
    assert (one == same).all()
    assert (one != other).any()


def test_picture_smaller_than_any_print_stays_as_it_is() -> None:
    tiny = np.zeros((6, 6, 3), np.uint8)
    assert (print_text(tiny, np.empty((0, 4), np.float32), np.random.default_rng(0)) == tiny).all()
