""" "Nothing is written there" as a reading with a chance of being right.

Where the reader read nothing, the side is blank or was not readable: which, the classifier has seen. Fitted and
measured by `python -m benchmarks no_imprint`.
"""

from typing import Final

import numpy as np

from pipeline.attributes import Attributes

BIAS: Final = 1.37
SEEN: Final = 0.93
"""Log odds of a blank side on which nothing was read: BIAS - SEEN * log odds of the classifier's "imprinted"."""
SILENT: Final = 0.82
"""The same chance when the classifier said nothing: of 125 sides on which nothing was read 102 were blank."""


def chance_of_no_imprint(attributes: Attributes | None) -> float:
    """[0, 1], of a side on which nothing was read."""
    if attributes is None:
        return SILENT
    return float(1 / (1 + np.exp(-(BIAS - SEEN * log_odds(attributes.imprinted)))))


def log_odds(chance: float) -> float:
    """Of a probability, kept finite."""
    kept = float(np.clip(chance, 1e-3, 1 - 1e-3))
    return float(np.log(kept / (1 - kept)))
