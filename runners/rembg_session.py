"""Our mask model as a session of the `rembg` package. Importing this file registers it:

    import rembg, runners.rembg_session
    rembg.remove(picture, session=rembg.new_session("pillscope"))

Needs the extra `rembg`; our own runner does not.
"""

from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
from PIL import Image
from rembg.sessions import sessions_class
from rembg.sessions.base import BaseSession

from runners.background import OWN, BackgroundRemover
from runners.session import MODELS_DIR, read_manifest


class PillscopeSession(BaseSession):  # type: ignore[misc]  # rembg is optional, so its types are not to be had
    """Finds the pill in the middle of a picture.

    Args:
        model_name: "pillscope".
        sess_opts: ignored: our models are opened in one place, with one thread.
        models_dir: (keyword) folder with manifest.json; default: the shipped one.
    """

    def __init__(self, model_name: str, sess_opts: ort.SessionOptions, *args: Any, **kwargs: Any) -> None:
        # The base class would open the file by its path, without asking the manifest for its hash.
        self.model_name = model_name
        self.remover = BackgroundRemover.open(kwargs.get("models_dir"))

    def predict(self, img: Image.Image, *args: Any, **kwargs: Any) -> list[Image.Image]:
        """One mask, mode L, of the picture's size, 255 on the pill."""
        width, height = img.size
        side = max(width, height)
        left, top = (side - width) // 2, (side - height) // 2
        square = cv2.copyMakeBorder(
            np.asarray(img.convert("RGB")), top, side - height - top, left, side - width - left, cv2.BORDER_REPLICATE
        )
        mask = self.remover.mask(np.asarray(square, np.uint8)[None])[0]
        return [Image.fromarray(mask[top : top + height, left : left + width])]

    @classmethod
    def download_models(cls, *args: Any, **kwargs: Any) -> str:
        """Nothing is downloaded: the file ships with the code. Its path."""
        models_dir = kwargs.get("models_dir") or MODELS_DIR
        return str(models_dir / str(read_manifest(models_dir).models["background"].file))

    @classmethod
    def name(cls, *args: Any, **kwargs: Any) -> str:
        """What `rembg.new_session` knows it by."""
        return OWN


sessions_class.append(PillscopeSession)
