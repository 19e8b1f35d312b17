"""The other design, for comparison: no line is looked for, the whole face goes to the recogniser in all four turns."""

import numpy as np
from numpy.typing import NDArray

from runners.ocr import Reader
from runners.ocr_lines import whole_pill


class WholeFace(Reader):
    """Our reader with one line on every face: all of it."""

    def find(self, picture: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """The pill itself."""
        return whole_pill(picture)
