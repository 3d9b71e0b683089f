"""Which images are odd, and why: ranked, each with its reasons in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shoal.clustering.fitted import fitted_clusterer
from shoal.embedding.reconstruction import reconstruction_errors
from shoal.embedding.reduce import reduce
from shoal.errors import DataError
from shoal.images.csv_files import write_rows
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Track, silent
from shoal.scoring.appearance import brightness_and_contrast
from shoal.scoring.assignment import assign, calibration_of
from shoal.search.similarity import EXACT_FOR_ALL, Index

NOTABLE = 3.0
"""A measure this far out is a reason: beyond 0.1 % of the images if it were normal."""
TORN = 0.1
"""Memberships of two clusters that differ by less are nearly a tie."""
_NEIGHBOUR = 5


@dataclass(frozen=True)
class Measure:
    """One way for an image to be odd."""

    of: str
    """The name of the numbers it looks at."""
    sign: int
    """1 if large values are odd, -1 if small ones are."""
    words: str
    """What is said of an image that is odd by it."""
    ratio: bool = False
    """Whether ratios count rather than differences."""
    limit: float = -np.inf
    """Times the sign: only values beyond it are odd, however unusual they are in the pile."""


# Limits: ten grey levels of 255 of contrast; brightness nearer to black or white than a twentieth.
# Without them every pile's most ordinary pictures on a white ground come first.
MEASURES = (
    Measure("distance", 1, "far from every neighbour in the embedding"),
    Measure("reconstruction", 1, "poorly reconstructed", ratio=True),
    Measure("contrast", -1, "nearly uniform", ratio=True, limit=-0.04),
    Measure("brightness", -1, "very dark", limit=-0.05),
    Measure("brightness", 1, "very bright", limit=0.95),
)


@dataclass(frozen=True)
class Outliers:
    """The oddest images of a pile, the oddest first."""

    ids: Sequence[str]
    """Names of all n images."""
    rows: IntArray
    """int64 (m,): the oddest."""
    score: FloatArray
    """float32 (m,): how far out the measure is by which each is oddest; see `how_far_out`."""
    reasons: Sequence[tuple[str, ...]]
    """In words, the weightiest first; never empty."""
    values: dict[str, FloatArray]
    """What was measured of all n images, by name: float32 (n,)."""

    def to_csv(self, path: str | Path) -> None:
        """Write columns rank, id, score, reasons and one for each of ``values``; atomically.

        Raises:
            OutputError: the file cannot be written.
        """
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
    """Rank images by the measure of `MEASURES` by which each is farthest out among the rest.

    - distance: to the fifth nearest image in the reduced embedding (Ramaswamy, Rastogi and Shim
      2000, doi:10.1145/342009.335437, definition 1), so that four odd copies do not hide another;
    - reconstruction: the mean squared error of the autoencoder (Hawkins et al. 2002, "Outlier
      detection using replicator neural networks");
    - contrast, the standard deviation, and brightness, the mean, of the luma, where they are
      extreme in themselves and in this pile: frames that are blank, black or blown out, which lie
      close together and are easy to reconstruct.

    Images nearly as much of one cluster as of another are told so, but that makes none odd.

    Args:
        source: the pile, 2 images or more.
        checkpoint: a finished one, of these images or of others like them.
        n: how many; all there are in a smaller pile.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        DataError: ``n`` below 1, or one image.
        CheckpointError: the checkpoint is one along the way, without clusters.
    """
    check_count(n)
    if len(source) < 2:
        raise DataError("at least 2 images are expected to find odd ones, and 1 came; give more.")
    clusterer = fitted_clusterer(checkpoint)
    z = reduce(source, checkpoint, device=device, track=track)
    table = assign(source, z, clusterer, calibration_of(checkpoint))
    everywhere = np.arange(len(source))
    brightness, contrast = brightness_and_contrast(source, everywhere)
    values = {
        "distance": _distances(z, track),
        "reconstruction": reconstruction_errors(
            source, checkpoint, rows=everywhere, device=device, track=track
        ),
        "contrast": contrast,
        "brightness": brightness,
        "confidence": table.confidence.astype(np.float32),
    }
    far = np.stack([_far_out(measure, values[measure.of]) for measure in MEASURES], axis=1)
    score = far.max(axis=1)
    rows = np.argsort(-score, kind="stable")[:n]
    membership = clusterer.predict_proba(z[rows])
    return Outliers(
        ids=source.ids,
        rows=rows,
        score=score[rows],
        reasons=[
            (*_reasons(far[row], row, values), *_torn(member))
            for row, member in zip(rows, membership, strict=True)
        ],
        values=values,
    )


def check_count(n: int) -> None:
    """Raise `DataError` unless ``n`` is 1 or more."""
    if n < 1:
        raise DataError(f"at least 1 image is expected, and -n {n} came; try -n 100.")


def how_far_out(values: Array) -> FloatArray:
    """How far above the median each of ``values`` (n,) lies: float32 (n,), 1.645 at 95 %.

    The unit is the distance from the median to the 95th percentile over its 1.645 standard
    deviations in a normal distribution: each measure's own upper tail sets its scale, neither its
    lower half nor the outliers themselves (as the median absolute deviation does for both halves,
    Iglewicz and Hoaglin 1993). Limited to 100, for piles in which nearly all are equal.

    >>> how_far_out(np.arange(101)).round(3)[[0, 50, 95, 100]].tolist()
    [-1.8279999494552612, 0.0, 1.6449999809265137, 1.8279999494552612]
    """
    values = np.asarray(values, dtype=np.float64)
    middle, high = np.quantile(values, [0.5, 0.95])
    unit = max((high - middle) / 1.645, 1e-9 * max(1.0, abs(middle)))
    return np.clip((values - middle) / unit, -100.0, 100.0).astype(np.float32)


def _far_out(measure: Measure, values: FloatArray) -> FloatArray:
    """`how_far_out` each value is in the direction that is odd; 0 where the limit is not passed."""
    x = values.astype(np.float64)
    far = how_far_out(measure.sign * (np.log(x + 1.0 / 255.0) if measure.ratio else x))
    passed = measure.sign * x >= measure.limit
    return np.where(passed, far, np.minimum(far, 0.0))


def _distances(z: FloatArray, track: Track) -> FloatArray:
    """From each row to its fifth nearest other, float32 (n,)."""
    k = min(_NEIGHBOUR, len(z) - 1) + 1  # itself, or a copy in its place, is nearest
    index = Index(z, metric="euclidean", exact_up_to=EXACT_FOR_ALL, track=track)
    starts = range(0, len(z), 1024)
    alike = [
        index.search(z[start : start + 1024], k)[0][:, -1]
        for start in track(starts, "comparing", len(starts))
    ]
    return 1.0 / np.concatenate(alike) - 1.0


def _reasons(far: FloatArray, row: int, values: dict[str, FloatArray]) -> list[str]:
    """The measures by which an image is odd, or the one by which it is oddest, in words."""
    order = [int(i) for i in np.argsort(-far, kind="stable")]
    chosen = [i for i in order if far[i] >= NOTABLE] or order[:1]
    said = []
    for measure in (MEASURES[i] for i in chosen):
        all_values = values[measure.of]
        usual = float(np.median(all_values))
        said.append(f"{measure.words} ({measure.of} {all_values[row]:.3g}, usually {usual:.3g})")
    return said


def _torn(membership: FloatArray) -> list[str]:
    """Whether an image is nearly as much of one cluster as of another, in words."""
    if len(membership) < 2:
        return []
    second, first = np.sort(membership)[-2:]
    if first - second >= TORN:
        return []
    return [f"between two clusters ({first:.0%} of one, {second:.0%} of another)"]
