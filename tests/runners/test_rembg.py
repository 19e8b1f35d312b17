"""With the extra installed: any rembg model as backend, and ours inside rembg."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from runners.background import BackendUnavailable, BackgroundRemover, RembgMaskModel
from tests.tiny_models import bright_pill

rembg = pytest.importorskip("rembg", reason="needs the rembg extra")


def test_our_model_is_a_rembg_session(tiny_models: Path) -> None:
    import runners.rembg_session  # noqa: F401

    photo = Image.fromarray(bright_pill())
    session = rembg.new_session("pillscope", models_dir=tiny_models)
    (mask,) = session.predict(photo)
    assert (mask.mode, mask.size) == ("L", photo.size)
    assert np.asarray(mask)[110, 150] == 255
    assert np.asarray(mask)[10, 10] == 0
    cut = np.asarray(rembg.remove(photo, session=session))
    assert cut[110, 150, 3] == 255
    assert cut[10, 10, 3] == 0


def test_unknown_and_remote_models_are_refused() -> None:
    with pytest.raises(BackendUnavailable, match="knows no model 'nonsense'"):
        RembgMaskModel("nonsense")
    with pytest.raises(BackendUnavailable, match="sends photos to another host"):
        RembgMaskModel("atlascloud")


def test_u2netp_finds_the_pill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Needs rembg's u2netp.onnx in U2NET_HOME; nothing is downloaded in tests."""
    from rembg.sessions.u2netp import U2netpSession

    if U2netpSession.resolve_existing("u2netp.onnx") is None:
        pytest.skip("no u2netp.onnx in U2NET_HOME")
    photo = bright_pill(320, 320, (160, 160), (80, 60))
    mask = BackgroundRemover.open(backend="rembg:u2netp").mask(photo[None])[0]
    truth = photo[..., 0] > 150
    assert np.logical_and(mask > 0, truth).sum() / np.logical_or(mask > 0, truth).sum() > 0.9
