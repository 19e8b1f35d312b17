"""Find items by what a person reads and types: imprint, shape, colour, form, name."""

from collections.abc import Sequence

import numpy as np

from pipeline.ports import Gallery
from pipeline.schemas import Evidence
from pipeline.vocabulary import COLORS, FORMS, SHAPES


def search(
    gallery: Gallery, *, imprint: str | None = None, shape: str | None = None, color: str | None = None,
    form: str | None = None, name: str | None = None, catalogs: Sequence[str] | None = None, top_k: int = 5,
) -> list[tuple[int, float, Evidence]]:  # fmt: skip
    """Rows, agreement in [0, 1] and evidence, best first.

    The letters and the name must agree somewhat (they are what a person is sure of); shape, colour and form rank.
    What a catalogue does not say counts half, so that a thin row is neither preferred nor lost.
    """
    allowed = gallery.in_catalogs(catalogs)
    rows = np.arange(len(gallery))
    table = gallery.attributes(rows)
    parts: list[np.ndarray] = []
    weights: list[float] = []
    evidence: dict[str, np.ndarray] = {}
    if imprint:
        evidence["imprint"] = gallery.search_imprint(imprint).astype(np.float64)
        allowed = allowed & (evidence["imprint"] > 0.3)
        parts.append(evidence["imprint"])
        weights.append(3.0)
    if name:
        agreement = gallery.search_name(name).astype(np.float64)
        allowed = allowed & (agreement > 0.5)
        parts.append(agreement)
        weights.append(2.0)
    for key, value, vocabulary, codes in (("shape", shape, SHAPES, table.shape), ("form", form, FORMS, table.form)):
        if value:
            evidence[key] = np.where(codes < 0, 0.5, codes == vocabulary.index(value)).astype(np.float64)
            parts.append(evidence[key])
            weights.append(1.0)
    if color:
        bit = (table.colors >> COLORS.index(color)) & 1
        others = np.array([bin(int(c)).count("1") for c in table.colors])
        evidence["color"] = np.where(table.colors == 0, 0.5, bit / np.maximum(others, 1) ** 0.5)
        parts.append(evidence["color"])
        weights.append(1.0)
    if not parts:
        return []
    agreement = np.average(np.stack(parts), axis=0, weights=weights)
    agreement = np.where(allowed, agreement, -1.0)
    order = np.argsort(-agreement, kind="stable")[: top_k * 8]
    found: list[tuple[int, float, Evidence]] = []
    groups: set[int] = set()
    for row in order:
        if agreement[row] < 0 or len(found) == top_k:
            break
        if int(table.group[row]) in groups:
            continue
        groups.add(int(table.group[row]))
        shown = {key: round(float(values[row]), 4) for key, values in evidence.items()}
        found.append((int(row), round(float(agreement[row]), 4), Evidence(**shown)))
    return found
