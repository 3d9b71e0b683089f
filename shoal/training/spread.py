"""How far embeddings point apart: where they do not, training has collapsed."""

from __future__ import annotations

import numpy as np

from shoal.protocols import FloatArray


def spread(z: FloatArray) -> float:
    """How far embeddings ``z`` float32 (n, d) point apart, in [0, 1]: 0 if all point one way.

    The square root of the summed variances of the dimensions of z / |z|: what Chen and He 2021
    (SimSiam, arXiv:2011.10566, section 4.1) watch, times the square root of d. Where it is 0,
    NT-Xent is stuck at log(2n - 1).

    >>> spread(np.eye(2, dtype=np.float32) - 0.5), spread(np.ones((5, 3), dtype=np.float32))
    (1.0, 0.0)
    """
    length = np.linalg.norm(z.astype(np.float64), axis=1, keepdims=True)
    unit = z / np.maximum(length, 1e-12)
    return round(float(np.sqrt(unit.var(axis=0).sum())), 6)
