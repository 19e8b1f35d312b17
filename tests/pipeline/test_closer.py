"""A second look at parts of a photo: when, where, and what becomes of the boxes of both."""

import numpy as np

from pipeline.closer import Part, join, parts_to_look_at

FRAME = 480
WIDTH, HEIGHT = 2000, 1500


def boxes(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 5)


def test_large_pills_and_small_photos_need_no_second_look():
    assert parts_to_look_at(boxes(), (WIDTH, HEIGHT), FRAME) == []
    assert parts_to_look_at(boxes((0, 0, 400, 300, 0.9)), (WIDTH, HEIGHT), FRAME) == []
    assert parts_to_look_at(boxes((0, 0, 20, 20, 0.9)), (480, 360), FRAME) == []


def test_parts_cover_the_photo_overlap_and_are_few():
    for pill, most in ((110, 4), (50, 9)):
        parts = parts_to_look_at(boxes((700, 700, 700 + pill, 740, 0.9)), (WIDTH, HEIGHT), FRAME)
        assert 2 <= len(parts) <= most
        seen = np.zeros((HEIGHT, WIDTH), int)
        for part in parts:
            assert part.x + part.width <= WIDTH
            assert part.y + part.height <= HEIGHT
            seen[part.y : part.y + part.height, part.x : part.x + part.width] += 1
        assert seen.min() == 1
        assert seen.max() >= 2


def test_every_small_pill_is_whole_in_some_part():
    parts = parts_to_look_at(boxes((0, 0, 130, 130, 0.9)), (WIDTH, HEIGHT), FRAME)
    for x in range(0, WIDTH - 130, 37):
        for y in range(0, HEIGHT - 130, 37):
            assert any(p.x <= x and p.y <= y and x + 130 <= p.x + p.width and y + 130 <= p.y + p.height for p in parts)


def test_a_pill_seen_in_two_parts_is_one_and_one_cut_by_a_border_is_left_to_the_other():
    parts = [Part(0, 0, 1112, 1112), Part(888, 0, 1112, 1112)]
    whole = boxes((900, 100, 960, 160, 0.5))
    left = boxes((901, 101, 961, 161, 0.8), (1090, 400, 1112, 460, 0.7))  # the second goes on in the other part
    right = boxes((13, 102, 73, 161, 0.75), (202, 400, 262, 460, 0.9))
    joined = join(whole, parts, [left, right], (WIDTH, HEIGHT), FRAME)
    assert joined[:, :4].round().tolist() == [[1090, 400, 1150, 460], [901, 101, 961, 161]]


def test_small_boxes_need_to_be_seen_again_large_ones_do_not():
    whole = boxes((0, 0, 400, 400, 0.9), (600, 600, 640, 640, 0.9))
    parts = [Part(0, 0, WIDTH, HEIGHT)]
    assert join(whole, parts, [boxes()], (WIDTH, HEIGHT), FRAME).tolist() == whole[:1].tolist()
    letters = boxes((100, 100, 180, 180, 0.6))  # found up close on the large pill
    assert len(join(whole, parts, [letters], (WIDTH, HEIGHT), FRAME)) == 1
