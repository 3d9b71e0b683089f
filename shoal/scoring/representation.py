"""Does learning help on this pile? What was learned, the pixels, and both, compared."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from shoal.clustering.clustering import Clustering, build_clusterer
from shoal.embedding.pixel_components import (
    JOINT_PIXELS,
    PIXELS,
    as_spread_as,
    components_of,
    fit_components,
)
from shoal.embedding.reduce import Reduction
from shoal.models.facts import Representation
from shoal.protocols import Array, FloatArray, ImageSource, IntArray
from shoal.recipes.parts import Part, build
from shoal.recipes.recipe import Recipe
from shoal.scoring.evidence import CLEARLY
from shoal.scoring.structure import describe_structure, predictability

_FEWEST_IMAGES, _FEWEST_A_CLUSTER = 200, 20
"""Of fewer images the score is too rough to choose by."""
K_MEANS = Part("kmeans")


@dataclass(frozen=True)
class Compared:
    """What came of a comparison."""

    recipe: Recipe
    """The recipe, with the embedding, the reducers and the clusterer that were chosen."""
    facts: Representation
    pixels: dict[str, Array]
    """The components of the pixels that were compared, see `fit_components`."""


def compare(
    source: ImageSource, recipe: Recipe, reduction: Reduction, clustering: Clustering, *,
    may_choose: bool,
) -> Compared:  # fmt: skip
    """Compare the clusters of a run with those of the simple way, PCA of the pixels and k-means.

    On a sample of the images three clusterings are found: in the learned embedding; in the pixels;
    and in both, side by side. The score is how well each is predicted from the structure of images,
    see `predictability`; it favours neither what augmentation teaches nor brightness and colour.
    What was learned is kept unless another scores clearly higher.

    Args:
        source: the images.
        recipe: what found the clusters.
        reduction: the learned embedding.
        clustering: the clusters found in it.
        may_choose: whether another embedding may be chosen. A recipe whose embedding has pixels in
            it has been chosen already.
    """
    rows = reduction.rows
    in_pixels, components, pixels = pixel_clusters(source, recipe, rows)
    found = {"learned": clustering.predict(reduction.fitted[rows]), "pixels": in_pixels}
    chosen = {PIXELS: "pixels", JOINT_PIXELS: "joined"}.get(recipe.embedding)
    structure = None
    if may_choose and chosen is None and enough(len(rows), recipe.n_clusters):
        structure = describe_structure(source, rows)
    if structure is None:
        facts = Representation(chosen or "learned", _agreement(*found.values()))
        return Compared(recipe, facts, components)
    found["joined"] = cluster(recipe, _joined(recipe, reduction, pixels))
    scores = {name: predictability(structure, labels) for name, labels in found.items()}
    choice = choose(scores)
    facts = Representation(choice, _agreement(found[choice], found["pixels"]), scores)
    return Compared(_with(recipe, choice), facts, components)


def choose(scores: dict[str, float]) -> str:
    """The best of the scored embeddings; what was learned, unless another is clearly better.

    >>> choose({"learned": 0.30, "pixels": 0.10, "joined": 0.32})
    'learned'
    >>> choose({"learned": 0.25, "pixels": 0.50, "joined": 0.40})
    'pixels'
    """
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] > scores["learned"] + CLEARLY else "learned"


def pixel_clusters(
    source: ImageSource, recipe: Recipe, rows: IntArray
) -> tuple[IntArray, dict[str, Array], FloatArray]:
    """The clusters of the simple way, PCA of the pixels and k-means.

    Args:
        source: the images, of which a sample gives the components.
        recipe: how many clusters, and whether images have an up.
        rows: int64 (m,), the images to cluster.

    Returns:
        The clusters int64 (m,); the components, see `fit_components`; and what the images have of
        them, float32 (m, c).
    """
    symmetric = recipe.views.free_orientation
    components = fit_components(source, symmetric)
    pixels = components_of(source, components, symmetric, rows)
    return cluster(replace(recipe, clusterer=K_MEANS), pixels), components, pixels


def _with(recipe: Recipe, choice: str) -> Recipe:
    if choice == "pixels":
        return replace(recipe, embedding=PIXELS, reducers=(), clusterer=K_MEANS)
    return replace(recipe, embedding=JOINT_PIXELS) if choice == "joined" else recipe


def _joined(recipe: Recipe, reduction: Reduction, pixels: FloatArray) -> FloatArray:
    """What was learned and the pixels, side by side and reduced as the recipe says, (m, d)."""
    z = np.concatenate([reduction.sample, pixels * as_spread_as(pixels, reduction.sample)], axis=1)
    for part in recipe.reducers:
        z = build("reducers", part, random_state=recipe.seed).fit_transform(z)
    return z


def cluster(recipe: Recipe, x: FloatArray) -> IntArray:
    """The clusters that the recipe's clusterer finds in ``x`` float32 (m, d): int64 (m,)."""
    clusterer = build_clusterer(recipe, recipe.n_clusters).fit(x)
    return clusterer.predict_proba(x).argmax(axis=1)


def enough(n_images: int, n_clusters: int) -> bool:
    """Whether clusters of so many images can be judged by `structure.predictability`."""
    return n_images >= max(_FEWEST_IMAGES, _FEWEST_A_CLUSTER * n_clusters)


def _agreement(a: IntArray, b: IntArray) -> float:
    """The adjusted mutual information of two clusterings, 0 (chance) to 1 (the same)."""
    from sklearn.metrics import adjusted_mutual_info_score

    return float(adjusted_mutual_info_score(a, b))
