"""The words in which a pill's look is described, the same for every catalogue and every model.

The colour and shape lists are those of the Korean MFDS pill identification list (의약품 낱알식별);
`configs/vocabulary.yaml` maps the words of every other source onto them.
The order is part of the classifier's output layout: append, never reorder.
"""

from typing import Final

COLORS: Final = (
    "white", "yellow", "orange", "pink", "red", "brown", "light green", "green",
    "teal", "blue", "navy", "magenta", "purple", "gray", "black", "transparent",
)  # fmt: skip

SHAPES: Final = (
    "round", "oval", "oblong", "semicircle", "triangle", "square",
    "diamond", "pentagon", "hexagon", "octagon", "other",
)  # fmt: skip

FORMS: Final = ("tablet", "hard capsule", "soft capsule")

SCORE_LINES: Final = ("none", "line", "cross")

CATALOGS: Final = ("us-nih", "tw-tfda", "kr-mfds")
"""Ids of the catalogues that are shipped; others may be added by whoever runs the service."""
