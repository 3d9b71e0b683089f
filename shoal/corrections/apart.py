"""Pairs of images that do not belong together, after learning."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from shoal.corrections.entry import NOWHERE
from shoal.corrections.groups import BoolArray
from shoal.protocols import FloatArray, IntArray


def keep_apart(
    learned: IntArray, likely: Callable[[IntArray], FloatArray], ids: IntArray,
    decided: BoolArray, apart: Sequence[tuple[int, int]],
) -> None:  # fmt: skip
    """Move an image of each pair that learning put together to its next best group, in place.

    The image that loses least by it goes. An image does not go where another one is that it is to
    be kept apart from. Two images that a person decided stay.

    Args:
        learned: int64 (n,), the group of each image.
        likely: of rows int64 (m,), how likely each group is for each, float32 (m, k).
        ids: int64 (k,), the groups.
        decided: bool (n,).
        apart: pairs of rows.
    """
    foes: dict[int, list[int]] = {}
    for first, second in apart:
        foes.setdefault(first, []).append(second)
        foes.setdefault(second, []).append(first)
    for pair in apart:
        if learned[pair[0]] != learned[pair[1]] or learned[pair[0]] == NOWHERE:
            continue
        best: tuple[float, int, int] | None = None
        for row in pair:
            if decided[row]:
                continue
            taken, share = learned[foes[row]], likely(np.array([row]))[0]
            for place, group in enumerate(ids.tolist()):
                if group in taken:
                    continue
                loss = float(share.max() - share[place])
                if best is None or loss < best[0]:
                    best = (loss, row, group)
        if best is not None:
            learned[best[1]] = best[2]
