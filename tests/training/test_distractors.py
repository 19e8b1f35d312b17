"""Drawn things that are not pills: they fill their square, differ from one another, and come with no box."""

import numpy as np
import pytest

from training.distractors import THINGS, draw_thing, random_thing
from training.scenes import NOT_A_PILL, SceneGenerator


@pytest.mark.parametrize("name", THINGS)
def test_a_thing_is_solid_lit_and_never_the_same_twice(name: str) -> None:
    one, other = (draw_thing(name, 96, np.random.default_rng(seed)) for seed in (1, 2))
    assert one.shape == (96, 96, 4)
    assert set(np.unique(one[..., 3])) == {0, 255}
    assert (one[..., 3] > 0).mean() > 0.03
    assert one[one[..., 3] > 0][:, :3].std() > 5, "flat"
    assert not np.array_equal(one, other)
    assert np.array_equal(one, draw_thing(name, 96, np.random.default_rng(1)))


def test_a_random_thing_has_about_the_length_asked_for() -> None:
    for seed in range(12):
        thing = random_thing(np.random.default_rng(seed), 80)
        assert max(thing.shape[:2]) < 130
        assert (thing[..., 3] > 0).any()


def test_things_in_a_scene_are_no_pills(pill_data) -> None:
    scenes = SceneGenerator(pill_data)
    bare = scenes.scene(np.random.default_rng(3), (160, 160), 0)
    crowded = scenes.scene(np.random.default_rng(3), (160, 160), 0, things=4, thing_extent=(0.2, 0.4))
    assert len(crowded.boxes) == 0
    assert not crowded.instance.any()
    assert not np.array_equal(bare.image, crowded.image)
    among = scenes.scene(np.random.default_rng(5), (200, 200), 3, things=2, thing_extent=(0.2, 0.3))
    assert NOT_A_PILL not in among.instance
    assert len(among.boxes) == len(np.unique(among.instance)) - 1
