"""Text in the order in which it is read: rows from top to bottom, in each from left to right."""

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
Box = tuple[float, float, float, float]


def in_reading_order(items: Iterable[T], box: Callable[[T], Box]) -> list[T]:
    """`box`: of an item, x1, y1, x2, y2 with y down. Two stand in one row where the middle of each lies between the
    other's top and bottom: their tops may differ, as a large "2" beside a small "mg"."""
    rows: list[list[T]] = []
    for item in sorted(items, key=lambda each: box(each)[1] + box(each)[3]):
        if rows and any(_side_by_side(box(item), box(other)) for other in rows[-1]):
            rows[-1].append(item)
        else:
            rows.append([item])
    return [item for row in rows for item in sorted(row, key=lambda each: box(each)[0])]


def _side_by_side(one: Box, other: Box) -> bool:
    return all(a[1] <= (b[1] + b[3]) / 2 <= a[3] for a, b in ((one, other), (other, one)))
