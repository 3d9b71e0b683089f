"""Which numbers vectors have: those of another scale than were clustered are told."""

from __future__ import annotations

import numpy as np

from shoal.images.sampling import sample_rows
from shoal.images.vectors.source import VectorSource

_LOOKED_AT = 1000
_OTHER = 8.0
"""Numbers that reach so many times as far, or so much less far, are of another scale: bytes have
255 times the reach of shares, and two samples of one kind of vectors hardly twice."""
_ENDS = (0.01, 0.99)
_FEWEST = 50
"""Fewer numbers may well be near one another by chance."""


def numbers_of(source: VectorSource) -> tuple[float, float] | None:
    """The numbers from which and to which nearly all of vectors reach: of 100 all but 2.

    None of vectors with a `VectorSource.centre`, whose numbers single precision does not tell.

    >>> numbers_of(VectorSource(np.float32([[0, 255], [255, 0]])))
    (0.0, 255.0)
    """
    if source.centre is not None:
        return None
    low, high = np.quantile(_some(source), _ENDS, method="nearest").tolist()
    return low, high


def describe_other_scale(
    source: VectorSource, known: tuple[float, float] | None, *, by_direction: bool
) -> list[str]:
    """A warning of vectors whose numbers are of another scale than those that were clustered.

    Args:
        source: other vectors.
        known: `numbers_of` those that were clustered; None if that was not kept.
        by_direction: whether directions are compared, which a common factor does not change.

    >>> bytes_ = VectorSource(np.float32(np.arange(256).reshape(32, 8)))
    >>> print(*describe_other_scale(bytes_, (0.0, 1.0), by_direction=False))
    the vectors have numbers from 3 to 252, and those that were clustered from 0 to 1: of another \
scale or another program they belong to no group; bring them to the same scale.
    >>> describe_other_scale(bytes_, (0.0, 255.0), by_direction=False)
    []
    """
    if known is None or known[0] == known[1]:
        return []
    low, high = np.quantile(_some(source), _ENDS, method="nearest").tolist()
    reach, before = high - low, known[1] - known[0]
    enough = len(source) * source.n_dimensions >= _FEWEST
    if not (reach > _OTHER * before or (enough and _OTHER * reach < before)):
        return []
    so = (
        "their directions are compared, so that a common factor changes nothing, and anything "
        "else does."
        if by_direction
        else "of another scale or another program they belong to no group; bring them to the same "
        "scale."
    )
    return [
        f"the vectors have numbers from {low:.4g} to {high:.4g}, and those that were clustered "
        f"from {known[0]:.4g} to {known[1]:.4g}: {so}"
    ]


def _some(source: VectorSource) -> np.ndarray:
    return source.vectors(sample_rows(len(source), _LOOKED_AT, 0))
