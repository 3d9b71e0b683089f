"""The named recipes, each a difference from another.

`BASELINE` is the course's own pipeline. `IMPROVED` is still an autoencoder alone. `BEST` is an
autoencoder that also learns by contrast.
"""

from __future__ import annotations

from dataclasses import replace

from shoal.errors import RecipeError
from shoal.recipes import parts
from shoal.recipes.augmentation import Views
from shoal.recipes.parts import Part
from shoal.recipes.recipe import NO_ENCODER, Recipe

# Measured numbers: README, "How good it is", made by benchmarks/quality.py.

# The assignment's own pipeline. Its learning rate of 1e-5 wants 100 epochs, more than half an hour
# on 2 cores without a GPU; 1e-3 gets further in 15. Kernel PCA stands on 512 random landmarks
# (Nyström): the exact one needs 2 GB and all 8,500 codes of 4,096 numbers in the checkpoint.
BASELINE = Recipe(
    name="baseline",
    encoder=Part("convolutional"),
    views=Views(),
    objectives=(Part("reconstruction"),),
    epochs=15,
    batch_size=64,
    optimizer="adam",
    learning_rate=1e-3,
    weight_decay=1e-5,
    schedule="constant",
    warmup_steps=0,
    embedding="encoder",
    reducers=(Part("kernel_pca", {"n_components": 200, "n_landmarks": 512}), Part("tsne")),
    clusterer=Part("minibatch_kmeans"),
)

# Two changes make it better. The colours of the input are disturbed, those of the target are not,
# so that the code cannot rely on them. A cut of the neighbour graph takes the place of t-SNE and
# k-means. A third change makes it five times faster, not better: an encoder with batch norm and a
# short code, trained by AdamW on a cosine. docs/measurements.md has what each is worth.
IMPROVED = replace(
    BASELINE,
    name="improved",
    encoder=Part("vgg"),
    views=Views(
        horizontal_flip=True,
        brightness=0.7,
        contrast=0.7,
        saturation=0.7,
        hue=0.175,
        grey_probability=0.5,
    ),
    epochs=12,
    batch_size=256,
    optimizer="adamw",
    learning_rate=1e-3,
    weight_decay=1e-4,
    schedule="cosine",
    warmup_steps=60,
    reducers=(Part("unit_norm"), Part("pca", {"n_components": 64})),
    clusterer=Part("spectral"),
)

# Contrast on top (SimCLR): two views of an image, cropped and recoloured as in that paper's
# appendix A, are to be alike, and two local crops are to match them (multi-crop). The split is
# sought in what encoder and head see together: the most bimodal direction there separates better
# than any cut of the neighbour graph. Muon learns in half the epochs or fewer what AdamW does, and
# with local crops a third fewer do. A first layer that whitens patches, and learns nothing, makes
# a step cost less than four fifths, so there are more of them; noise in the views keeps that layer
# from making much of noise. Images are embedded as the mean of two test-time views, one of them
# half as large again, as the crops showed them (all of it: benchmarks/LOG.md).
BEST = replace(
    IMPROVED,
    name="best",
    encoder=Part("whitened"),
    views=Views(
        n_views=2,
        min_crop=0.2,
        horizontal_flip=True,
        brightness=0.5,
        contrast=0.5,
        saturation=0.5,
        hue=0.125,
        grey_probability=0.2,
        noise=0.05,
        n_local_crops=2,
    ),
    objectives=(Part("nt_xent"), Part("reconstruction", {"fraction": 0.25})),
    epochs=38,
    batch_size=384,
    optimizer="muon",
    learning_rate=6e-3,
    embedding="joint",
    embedding_resolution=1.5,
    reducers=(Part("pca", {"n_components": 96}),),
    clusterer=Part("projection_pursuit"),
)

# Digits have a right and a left, no colour, and fill their 8 × 8 pixels: mild affine views.
DIGITS = replace(
    BEST,
    name="digits",
    encoder=IMPROVED.encoder,
    epochs=80,
    views=Views(
        n_views=2, rotation=15, zoom=0.2, shear=0.2, shift=0.125, brightness=0.3, contrast=0.3,
        noise=0.1,
    ),
    embedding="projection",
    embedding_resolution=1.0,
    reducers=IMPROVED.reducers,
    clusterer=IMPROVED.clusterer,
    n_clusters=10,
)  # fmt: skip

DEFAULT = BEST.name
"""The recipe of a run that names none."""

# Vectors that another program made: nothing is learned from pixels (benchmarks/vectors.py). These
# reducers compare directions; `recipes.metric` has the others.
VECTORS = replace(
    IMPROVED,
    name="vectors",
    encoder=NO_ENCODER,
    views=Views(),
    objectives=(),
    embedding="encoder",
    clusterer=BEST.clusterer,
)

RECIPES = {recipe.name: recipe for recipe in (BASELINE, IMPROVED, BEST, DIGITS)}


def named(name: str) -> Recipe:
    """Return the recipe of that name.

    Raises:
        RecipeError: no recipe has that name.
    """
    if name not in RECIPES:
        raise RecipeError(f"there is no recipe {name!r}{parts.suggest(name, RECIPES)}")
    return RECIPES[name]
