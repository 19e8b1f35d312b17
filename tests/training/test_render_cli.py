import pytest
from PIL import Image

from training.render_cli import main

PILL = "TEVA|576|round|blue|tablet"


def test_one_pill_gives_front_and_back(tmp_path):
    main(["--pill", PILL, "--width", "320", "--height", "240", "--out", str(tmp_path)])
    assert {path.name for path in tmp_path.iterdir()} == {"front.jpg", "back.jpg"}
    with Image.open(tmp_path / "front.jpg") as image:
        assert image.size == (320, 240)


def test_several_pills_give_one_photo(tmp_path):
    main(["--pill", PILL, "--pill", "A||oval|white,red|hard capsule", "--width", "320", "--height", "240",
          "--out", str(tmp_path)])  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["group.jpg"]


@pytest.mark.parametrize("pill", ["TEVA", "A|B|blob|blue|tablet", "A|B|round|beige|tablet", "A|B|round|blue|powder"])
def test_a_pill_that_the_vocabulary_does_not_know_is_refused(pill, tmp_path, capsys):
    with pytest.raises(SystemExit) as refusal:
        main(["--pill", pill, "--out", str(tmp_path)])
    assert refusal.value.code == 2
    assert pill.split("|")[0] in capsys.readouterr().err
