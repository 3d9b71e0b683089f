"""Simple features of images, such as their brightness, and whether they explain the clusters."""

from __future__ import annotations

import hashlib

import numpy as np

from shoal.images.brightness import brightness_and_contrast
from shoal.images.levels import in_grey_levels
from shoal.images.tensors import to_float
from shoal.protocols import Array, FloatArray, ImageSource, IntArray
from shoal.scoring.evidence import EXPLAINED
from shoal.scoring.structure import standardised

EXPLAINS = 0.8
"""A feature explains the clusters if they can be predicted from it this well, from 0 (chance) to 1
(always right). Measured on photographs: sound splits 0.13 to 0.32 from brightness and contrast,
0.20 to 0.65 from mean colour; k-means on pixels at most 0.67."""
_BLOCK = 256
_PERCENTILES = (5, 25, 50, 75, 95)
_LIGHT_COMPONENTS = 10


def describe(source: ImageSource, rows: IntArray) -> tuple[dict[str, FloatArray], bool]:
    """Brightness, contrast and mean colour of the images ``rows`` int64 (m,).

    Returns:
        The features by name, float32 (m, 1 to 3), and whether all these images are identical.
    """
    colour = []
    first = source.read(rows[:1])
    identical = True
    for start in range(0, len(rows), _BLOCK):
        pixels = source.read(rows[start : start + _BLOCK])
        identical = identical and bool((pixels == first).all())
        colour.append((in_grey_levels(pixels) / 255.0).mean(axis=(1, 2)))
    brightness, contrast = brightness_and_contrast(source, rows)
    features = {
        "brightness": brightness[:, None],
        "brightness and contrast": np.stack([brightness, contrast], axis=1),
    }
    if source.shape[2] == 3:
        features["mean colour"] = np.concatenate(colour)
    return features, identical


def light_and_colours(source: ImageSource, rows: IntArray) -> FloatArray:
    """What is known of the images ``rows`` int64 (m,) without where their pixels lie.

    Mean, deviation and five percentiles of each channel, as principal components, and the products
    of these. `structure.predictability` says how well clusters can be told from them alone.

    Returns:
        float32 (m, d), standardised.
    """
    from sklearn.decomposition import PCA

    found = []
    for start in range(0, len(rows), _BLOCK):
        x = to_float(source.read(rows[start : start + _BLOCK]), "cpu").flatten(2).numpy()
        levels = np.moveaxis(np.percentile(x, _PERCENTILES, axis=2), 0, -1)
        light = np.concatenate([x.mean(axis=2, keepdims=True), x.std(axis=2, keepdims=True),
                                levels], axis=2)  # fmt: skip
        found.append(light.reshape(len(x), -1))
    light = standardised(np.concatenate(found))
    n_components = min(_LIGHT_COMPONENTS, light.shape[1], len(light) - 1)
    with np.errstate(all="ignore"):  # equal images have no variance to divide by
        z = PCA(n_components, random_state=0).fit_transform(light)
    first, second = np.triu_indices(z.shape[1])
    return standardised(np.concatenate([z, z[:, first] * z[:, second]], axis=1)).astype(np.float32)


def identities(source: ImageSource, rows: IntArray) -> IntArray:
    """Which of the images ``rows`` int64 (m,) are the same picture: equal numbers, int64 (m,).

    The number of a picture is the position of its first copy among ``rows``.

    >>> from shoal.images.array import ArraySource
    >>> pile = ArraySource(np.array([[[7]], [[9]], [[7]]], dtype=np.uint8))
    >>> identities(pile, np.arange(3)).tolist()
    [0, 1, 0]
    """
    first: dict[bytes, int] = {}
    numbers: list[int] = []
    for start in range(0, len(rows), _BLOCK):
        for pixels in source.read(rows[start : start + _BLOCK]):
            digest = hashlib.sha256(pixels.tobytes()).digest()
            numbers.append(first.setdefault(digest, len(numbers)))
    return np.array(numbers, dtype=np.int64)


def _remedy(name: str, measured: bool, asked: str) -> str:
    """The option under which training ignores a feature; empty if none is left.

    Views of photographs change the light already: only the strongest make a difference.
    """
    if asked == "ignored":
        return ""
    mild = measured and asked != "varies" and name != "mean colour"
    return "--intensity varies" if mild else "--intensity ignored"


def warn_of_simple_features(
    features: dict[str, FloatArray], labels: IntArray, *, measured: bool = False, asked: str = ""
) -> list[str]:
    """Warn if one of ``features`` alone predicts the clusters.

    Args:
        features: each float32 (m, 1 to 3).
        labels: int64 (m,), the clusters.
        measured: channels are measurements, which have an intensity, and no colours.
        asked: what a person said of the intensity, see `asked_views.INTENSITIES`; empty: nothing.
    """
    for name, feature in features.items():
        accuracy, n_clusters = predictability(feature, labels)
        if n_clusters < 2:
            continue
        chance = 1.0 / n_clusters
        if (accuracy - chance) / (1.0 - chance) >= EXPLAINS:
            remedy = _remedy(name, measured, asked)
            if measured and name == "mean colour":
                name = "the mean of the channels"
            return [
                f"{name} alone tell{'' if ' and ' in name else 's'} {EXPLAINED} "
                f"({accuracy:.0%} of the images find their cluster by nothing else, {chance:.0%} "
                "by chance), so the clusters may have nothing to do with what the images show"
                + (f"; if you want other clusters, train with {remedy}." if remedy else ".")
            ]
    return []


def predictability(feature: Array, labels: IntArray) -> tuple[float, int]:
    """How well ``feature`` (m, f) predicts clusters ``labels`` int64 (m,), and of how many.

    A shallow decision tree, cross-validated, predicts the cluster of each image. Its balanced
    accuracy is the mean over clusters of the share predicted right, so that chance is 1 / k for
    clusters of any sizes. Clusters of fewer than 10 images are left out, because they cannot be
    cross-validated.
    """
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    clusters = np.flatnonzero(np.bincount(labels) >= 10)
    kept = np.isin(labels, clusters)
    if len(clusters) < 2:
        return 1.0, len(clusters)
    tree = DecisionTreeClassifier(
        max_leaf_nodes=4 * len(clusters), min_samples_leaf=3, class_weight="balanced",
        random_state=0,
    )  # fmt: skip
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    predicted = cross_val_predict(tree, feature[kept], labels[kept], cv=folds)
    return float(balanced_accuracy_score(labels[kept], predicted)), len(clusters)
