"""Images far beyond everything that was learned: blank pictures, noise, pictures of another scale.

A p-value cannot tell such images from the rarest of the pile: both are beyond all that were
remembered. What tells is how far beyond. On eight piles of 900 to 50,000 images, photographs,
microscopy, satellite and drawn ones, no image held out went beyond these limits, and blank and
noisy pictures did.
"""

from __future__ import annotations

import numpy as np

from shoal.images.brightness import brightness_and_contrast
from shoal.protocols import Array, FloatArray, ImageSource, IntArray

_TIMES, _TIMES_BY_CHANCE = 1.25, 5.0
"""A measure is far off at this many times the greatest known, and more where few are known."""
_MOST = 1000
_BRIGHTER = 0.5
"""Brightness is far off beyond the known ones by this share of their spread."""
_LEAST_SPREAD = 0.05
_FLATTER = 2.0
"""Contrast is far off at this fraction of the least known, and at its square where few are."""
_FEW = 100
_ONE_COLOUR = 1e-3
"""An image of less contrast is of a single colour."""
_BRIGHTNESS, _CONTRAST = "brightness", "contrast"


def exceeds(values: FloatArray, known: Array) -> Array:
    """Which of ``values`` (n,) are far beyond the greatest of ``known`` (m,): bool (n,).

    Of few known values the greatest says less, and the limit is farther off.

    >>> exceeds(np.array([1.0, 2.0, 9.0]), np.linspace(0, 1, 100)).tolist()
    [False, True, True]
    """
    limit = (_TIMES + _TIMES_BY_CHANCE / np.sqrt(max(len(known), 1))) * float(known.max())
    far: Array = values > limit
    return far


def fit_appearance(source: ImageSource, rows: IntArray) -> dict[str, FloatArray]:
    """The brightness and the contrast of the images ``rows`` int64 (m,), at most 1,000 of each."""
    brightness, contrast = brightness_and_contrast(source, rows)
    return {
        name: np.quantile(values, np.linspace(0, 1, min(len(rows), _MOST))).astype(np.float32)
        for name, values in ((_BRIGHTNESS, brightness), (_CONTRAST, contrast))
    }


def looks_far_off(source: ImageSource, known: dict[str, Array], strange: Array) -> Array:
    """Which images are far darker, brighter or flatter than all known: bool (n,).

    Args:
        source: n images.
        known: of `fit_appearance`. An older checkpoint has none: then images of a single colour are
            far off if they are strange.
        strange: bool (n,), which images are strange by other measures.
    """
    brightness, contrast = brightness_and_contrast(source, np.arange(len(source)))
    if _CONTRAST not in known:
        return strange & (contrast < _ONE_COLOUR)
    seen, flattest = known[_BRIGHTNESS], float(known[_CONTRAST].min())
    few = len(seen) < _FEW
    margin = _BRIGHTER * (2 if few else 1) * max(float(np.ptp(seen)), _LEAST_SPREAD)
    outside = (brightness < seen.min() - margin) | (brightness > seen.max() + margin)
    flat: Array = contrast < flattest / (_FLATTER ** (2 if few else 1))
    return outside | flat
