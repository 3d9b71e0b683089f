"""Whether clusters follow from what an image has before one looks at what is in it."""

from __future__ import annotations

import numpy as np

from shoal.protocols import Array, FloatArray, ImageSource, IntArray

EXPLAINED = 0.8
"""From chance (0) to always right (1). Sound splits of the photographs of README: 0.13 to 0.32
from brightness and contrast, 0.20 to 0.65 from mean colour; k-means on pixels: at most 0.67."""
_BLOCK = 256
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601


def describe(source: ImageSource, rows: IntArray) -> tuple[dict[str, FloatArray], bool]:
    """What an image has before one looks at what is in it, of the images ``rows``.

    Returns:
        Features by name, float32 (m, 1 to 3), and whether all these images are the same.
    """
    colour = []
    first = source.read(rows[:1])
    alike = True
    for start in range(0, len(rows), _BLOCK):
        pixels = source.read(rows[start : start + _BLOCK])
        alike = alike and bool((pixels == first).all())
        colour.append((pixels.astype(np.float32) / 255.0).mean(axis=(1, 2)))
    brightness, contrast = brightness_and_contrast(source, rows)
    features = {
        "brightness": brightness[:, None],
        "brightness and contrast": np.stack([brightness, contrast], axis=1),
    }
    if source.shape[2] == 3:
        features["mean colour"] = np.concatenate(colour)
    return features, alike


def brightness_and_contrast(source: ImageSource, rows: IntArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of the luma of the images ``rows``, float32 (m,) in [0, 1]."""
    brightness, contrast = [], []
    for start in range(0, len(rows), _BLOCK):
        levels = source.read(rows[start : start + _BLOCK]).astype(np.float32) / 255.0
        luma = levels @ _LUMA if levels.shape[3] == 3 else levels[..., 0]
        brightness.append(luma.mean(axis=(1, 2)))
        contrast.append(luma.std(axis=(1, 2)))
    return np.concatenate(brightness), np.concatenate(contrast)


_DISTURB = {
    "brightness": "--set views.brightness=0.8",
    "brightness and contrast": "--set views.brightness=0.8 --set views.contrast=0.8",
    "mean colour": "--set views.hue=0.5 --set views.grey_probability=0.5",
}


def explained(features: dict[str, FloatArray], labels: IntArray) -> list[str]:
    """Whether clusters ``labels`` int64 (m,) follow from one of ``features`` (m, 1 to 3) alone.

    A shallow tree guesses the cluster, cross-validated. Counted is the balanced accuracy, the mean
    of each cluster's share guessed right, so that chance is 1 / k however uneven the clusters.
    """
    for name, feature in features.items():
        accuracy, n_clusters = guessed(feature, labels)
        if n_clusters < 2:
            continue
        chance = 1.0 / n_clusters
        if (accuracy - chance) / (1.0 - chance) >= EXPLAINED:
            return [
                f"{name} alone tell{'' if ' and ' in name else 's'} the clusters apart: "
                f"{accuracy:.0%} of a cluster's images are guessed from it, {chance:.0%} by "
                "chance, so what the images show may not matter; if that is not the split you "
                f"want, train with {_DISTURB[name]}."
            ]
    return []


def guessed(feature: Array, labels: IntArray) -> tuple[float, int]:
    """Balanced accuracy of clusters guessed from ``feature`` (m, f), and how many there are.

    Clusters of fewer than 10 images are left out: they cannot be cross-validated.
    """
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    known = np.flatnonzero(np.bincount(labels) >= 10)
    kept = np.isin(labels, known)
    if len(known) < 2:
        return 1.0, len(known)
    tree = DecisionTreeClassifier(
        max_leaf_nodes=4 * len(known), min_samples_leaf=3, class_weight="balanced", random_state=0
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    guesses = cross_val_predict(tree, feature[kept], labels[kept], cv=folds)
    return float(balanced_accuracy_score(labels[kept], guesses)), len(known)
