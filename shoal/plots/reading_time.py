"""How long it takes to read originals once more, for the pictures of a map and of a report.

A photograph takes as long again as it took when the pile was opened: seconds, of a camera's raw
file. Who promises to be done in a minute has to know.
"""

from __future__ import annotations

import time
import weakref

import numpy as np

from shoal.images.originals import PixelOriginals
from shoal.plots.sheets import worth_reading
from shoal.plots.thumbnails import thumbnails
from shoal.protocols import ImageSource

_FEW, _BRIEFLY = 16, 1.0
"""So many images tell, or those that are read in about so many seconds."""
_EXAMPLES = 384
"""So many times an image is read to show examples of clusters, about: 170 of two, 500 of ten."""
_known: weakref.WeakKeyDictionary[ImageSource, float] = weakref.WeakKeyDictionary()
"""Seconds an image of sources that were timed: it is asked when a run begins, and at its end."""


def seconds_to_draw(source: ImageSource) -> float:
    """Seconds to read originals for all pictures that a run leaves; 0 if they are pixels.

    >>> from shoal import ArraySource
    >>> seconds_to_draw(ArraySource(np.zeros((9, 8, 8, 3), np.uint8)))
    0.0
    """
    each = _seconds_an_image(source)
    return each * (min(3 * len(source), _EXAMPLES) + _n_packed(source))


def seconds_to_pack(source: ImageSource) -> float:
    """Seconds to read them for the page's map alone, which comes last."""
    n_packed = _n_packed(source)
    return n_packed * _seconds_an_image(source) if n_packed else 0.0


def _n_packed(source: ImageSource) -> int:
    return len(source) if worth_reading(source) else 0


def _seconds_an_image(source: ImageSource) -> float:
    if source not in _known:
        _known[source] = _timed(source)
    return _known[source]


def _timed(source: ImageSource) -> float:
    if isinstance(source.originals, PixelOriginals):
        return 0.0
    rows = np.unique(np.linspace(0, len(source) - 1, _FEW).astype(np.int64))
    began, seconds, n_read = time.monotonic(), 0.0, 0
    for some in np.array_split(np.random.default_rng(0).permutation(rows), max(1, len(rows) // 4)):
        thumbnails(source, some)
        n_read += len(some)
        seconds = time.monotonic() - began
        if seconds > _BRIEFLY:
            break
    return seconds / n_read
