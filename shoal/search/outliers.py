"""Outliers of a pile, ranked, with the reasons in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np

from shoal.clustering.clustering import clustering_of
from shoal.embedding.out_of_distribution import without_direction
from shoal.embedding.reconstruction import reconstruction_errors
from shoal.embedding.reduce import reduce
from shoal.errors import DataError
from shoal.images.brightness import brightness_and_contrast
from shoal.images.csv_files import write_rows
from shoal.images.output_checks import check_free
from shoal.images.vectors.source import noun_held
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Track, silent
from shoal.scoring.assignment import assign, calibration_of, unsure_of
from shoal.search.similarity import EXACT_FOR_ALL, Index

NOTABLE = 3.0
"""The deviation from which a measure is a reason. Of a normal distribution 0.1 % lies beyond."""
NEAR_TIE = 0.1
"""An image is between two clusters if its two largest memberships differ by less than this."""
_NEIGHBOUR = 5
_FEW = (5, 20)
_normal = NormalDist()
_MOST = 100.0
"""The greatest deviation, see `deviations`."""
_NOTHING = "no more than chance"
_NO_DIRECTION = "has length 0, and so no direction to compare"


@dataclass(frozen=True)
class Measure:
    """A way in which an image can be an outlier."""

    of: str
    """The name of the values."""
    sign: int
    """1 if large values are unusual, -1 if small values are."""
    words: str
    """The reason in words."""
    ratio: bool = False
    """Whether ratios of values count, not differences."""
    limit: float = -np.inf
    """Only images whose sign × value is at least this are outliers by the measure."""


# The limits are a contrast of ten of 255 grey levels, and a brightness within a twentieth of black
# or white. Without them, ordinary pictures on a white ground would come first in many piles.
MEASURES = (
    Measure("distance", 1, "far from the rest"),
    Measure("reconstruction", 1, "poorly rebuilt", ratio=True),
    Measure("contrast", -1, "nearly uniform", ratio=True, limit=-0.04),
    Measure("brightness", -1, "very dark", limit=-0.05),
    Measure("brightness", 1, "very bright", limit=0.95),
)


@dataclass(frozen=True)
class Outliers:
    """The outliers of a pile, the most unusual image first."""

    ids: Sequence[str]
    """Names of all n images."""
    rows: IntArray
    """int64 (m,): the rows of the outliers."""
    score: FloatArray
    """float32 (m,): the largest `deviations` of each outlier, over all measures."""
    reasons: Sequence[tuple[str, ...]]
    """The reasons for each outlier in words, the weightiest first; never empty."""
    values: dict[str, FloatArray]
    """The measured values of all n images, by name: float32 (n,)."""

    @property
    def all_the_same(self) -> bool:
        """Whether nothing is measured by which images differ."""
        return not any(values.max() > values.min() for values in self.values.values())

    def to_csv(self, path: str | Path, *, force: bool = False) -> None:
        """Write columns rank, id, score and reasons, and a column of each value; atomically.

        Raises:
            OutputError: the file exists and ``force`` is not given, or it cannot be written.
        """
        check_free(Path(path), force=force)
        ranked = zip(self.rows, self.score, self.reasons, strict=True)
        write_rows(
            path,
            ["rank", "id", "score", "reasons", *self.values],
            (
                [rank, self.ids[row], f"{score:.3f}", "; ".join(reasons)]
                + [f"{values[row]:.6g}" for values in self.values.values()]
                for rank, (row, score, reasons) in enumerate(ranked, start=1)
            ),
        )


def find_outliers(
    source: ImageSource, checkpoint: Checkpoint, *, n: int = 100, device: str = "cpu",
    track: Track = silent,
) -> Outliers:  # fmt: skip
    """Rank images by how unusual they are in the pile.

    An image's score is its largest deviation in any of these measures:

    - distance: to the fifth nearest other image in the reduced embedding (Ramaswamy, Rastogi and
      Shim 2000, doi:10.1145/342009.335437, definition 1), so that four copies of an outlier do not
      hide it;
    - reconstruction: the mean squared error of the autoencoder (Hawkins et al. 2002, "Outlier
      detection using replicator neural networks");
    - contrast and brightness: the standard deviation and the mean of the luma, where they are
      extreme in themselves and for this pile. They find frames that are blank, black or blown out,
      which lie close together and are easy to reconstruct.

    Of vectors from elsewhere the distance alone counts; those without a direction come first, where
    directions are compared.

    An image between two clusters has that among its reasons, but it does not raise its score.

    Args:
        source: the pile, 2 images or more.
        checkpoint: a finished checkpoint of these images, or of images like them.
        n: how many outliers; a smaller pile has fewer.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        DataError: ``n`` below 1, or one image.
        CheckpointError: the checkpoint is one along the way, without clusters.
    """
    check_count(n)
    if len(source) < 2:
        raise DataError(f"finding outliers needs at least 2 {noun_held(source)}s, got 1.")
    clustering = clustering_of(checkpoint)
    z = reduce(source, checkpoint, device=device, track=track)
    lost = without_direction(source, checkpoint)
    sure = assign(source, z, clustering, calibration_of(checkpoint)).confidence
    sure = unsure_of(lost, sure, checkpoint.recipe.n_clusters)
    all_rows = np.arange(len(source))
    values = {"distance": _distances(z, track)}
    if not checkpoint.n_dimensions:  # vectors from elsewhere have no pixels
        brightness, contrast = brightness_and_contrast(source, all_rows)
        values |= {
            "reconstruction": reconstruction_errors(
                source, checkpoint, rows=all_rows, device=device, track=track
            ),
            "contrast": contrast,
            "brightness": brightness,
        }
    values["confidence"] = sure.astype(np.float32)
    measures = [measure for measure in MEASURES if measure.of in values]
    by_measure = np.stack([_deviations_by(m, values[m.of]) for m in measures], axis=1)
    score = np.where(lost, np.float32(_MOST), by_measure.max(axis=1))
    rows = np.argsort(-score, kind="stable")[:n]
    membership = clustering.predict_proba(z[rows])
    return Outliers(
        ids=source.ids,
        rows=rows,
        score=score[rows],
        reasons=[
            (_NO_DIRECTION,)
            if lost[row]
            else (*_reasons(by_measure[row], row, values), *_near_tie(member))
            for row, member in zip(rows, membership, strict=True)
        ],
        values=values,
    )


def check_count(n: int) -> None:
    """Raise `DataError` unless ``n`` is 1 or more."""
    if n < 1:
        raise DataError(f"n must be at least 1, got {n}.")


def deviations(values: Array) -> FloatArray:
    """How many robust standard deviations each value lies above the median: float32 (n,).

    The unit is the distance from the median to the 95th percentile, divided by 1.645, which is that
    distance in a normal distribution. So the upper tail sets the scale, and neither the lower half
    nor the outliers do (the median absolute deviation, Iglewicz and Hoaglin 1993, takes both
    halves). Of 5 to 20 values the largest would set the 95th percentile and so hide itself: there
    the second largest stands for it, by the place it has on average in a normal distribution (Blom
    1958). Results are limited to ±100, for piles in which nearly all values are equal.

    Args:
        values: float (n,).

    >>> deviations(np.arange(101)).round(3)[[0, 50, 95, 100]].tolist()
    [-1.8279999494552612, 0.0, 1.6449999809265137, 1.8279999494552612]
    """
    values = np.asarray(values, dtype=np.float64)
    n, middle = len(values), float(np.median(values))
    if _FEW[0] <= n <= _FEW[1]:
        high, place = np.partition(values, n - 2)[n - 2], _normal.inv_cdf((n - 1.375) / (n + 0.25))
    else:
        high, place = np.quantile(values, 0.95), 1.645
    unit = max((high - middle) / place, 1e-9 * max(1.0, abs(middle)))
    return np.clip((values - middle) / unit, -_MOST, _MOST).astype(np.float32)


def _deviations_by(measure: Measure, values: FloatArray) -> FloatArray:
    """`deviations` in the unusual direction of a measure; at most 0 before its limit."""
    x = values.astype(np.float64)
    above = deviations(measure.sign * (np.log(x + 1.0 / 255.0) if measure.ratio else x))
    return np.where(measure.sign * x >= measure.limit, above, np.minimum(above, 0.0))


def _distances(z: FloatArray, track: Track) -> FloatArray:
    """The distance of each row to its fifth nearest other row, float32 (n,)."""
    index = Index(z, metric="euclidean", exact_up_to=EXACT_FOR_ALL, track=track)
    similarities, _ = index.search_all_others(z, min(_NEIGHBOUR, len(z) - 1), track)
    return 1.0 / similarities[:, -1] - 1.0


def _reasons(by_measure: FloatArray, row: int, values: dict[str, FloatArray]) -> list[str]:
    """The measures with a notable deviation in words, or that of the largest without a claim."""
    order = [int(i) for i in np.argsort(-by_measure, kind="stable")]
    chosen = [i for i in order if by_measure[i] >= NOTABLE]
    reasons = []
    for measure in (MEASURES[i] for i in chosen or order[:1]):
        all_values = values[measure.of]
        value, usual = all_values[row], float(np.median(all_values))
        words = measure.words if chosen else _NOTHING
        reasons.append(f"{words} ({measure.of} {value:.3g}, usually {usual:.3g})")
    return reasons


def _near_tie(membership: FloatArray) -> list[str]:
    """The reason that an image is between two clusters, if it is."""
    if len(membership) < 2:
        return []
    second, first = np.sort(membership)[-2:]
    if first - second >= NEAR_TIE:
        return []
    return [f"between two clusters ({first:.0%} of one, {second:.0%} of another)"]
