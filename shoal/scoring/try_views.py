"""Views tried out: is it what images show that the encoder learns, or the colours of their pixels?

Views that change colours a little suit photographs, in which colours are worth something. Where any
thing may have any colour the encoder learns colours all the same, and nothing else. One or two
short trainings show whether a pile is of this kind.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import numpy as np

from shoal.embedding.reduce import fit_reduction
from shoal.images.channels import as_colours, channel_kind
from shoal.images.sampling import sample_rows
from shoal.images.subset import Subset
from shoal.protocols import FloatArray, ImageSource, Track, silent
from shoal.recipes.asked_views import AUTO, AskedViews
from shoal.recipes.augmentation import Views
from shoal.recipes.recipe import Recipe
from shoal.recipes.views_for import recoloured
from shoal.scoring.evidence import UNTOLD
from shoal.scoring.representation import cluster, enough, pixel_clusters
from shoal.scoring.structure import describe_structure, predictability
from shoal.training.loop import train
from shoal.training.schedule import n_steps

_LEARNED = 0.05
"""From this score on the usual views are kept: the encoder learns something of what images show."""
_BETTER = 0.1
"""Views that change colours more are taken if the groups under them are told better by this."""
_SAMPLE = 2000
"""A trial trains on so many images,"""
_EPOCHS, _SHARE = 8.0, 0.1
"""for so many epochs, or for this share of the images that the whole run sees."""


def try_views(
    source: ImageSource, recipe: Recipe, photographs: Views, asked: AskedViews, *,
    device: str = "cpu", track: Track = silent,
) -> tuple[Recipe, list[str]]:  # fmt: skip
    """The recipe with views under which the encoder learns what images show.

    Nothing is tried unless the groups of PCA of the pixels and k-means have nothing to do with what
    the images show. Then the encoder is trained shortly with the views of the recipe. If its groups
    are no better, it is trained once more with views that change colours far more, and they are
    taken if that helps. Groups are judged without labels, by `structure.predictability`.

    Args:
        source: the images.
        recipe: what is to be trained, with views that suit the images.
        photographs: views of ordinary photographs, which the others are made from.
        asked: what a person said. Who speaks of colours decides.
        device: where the encoder is trained.
        track: shows progress.

    Returns:
        The recipe, and a line that says what was tried, if anything was.
    """
    kind = as_colours(source)
    seemed_colours = kind == channel_kind(source)
    stronger = recoloured(photographs, kind)
    if seemed_colours or asked.orientation != AUTO:
        stronger = replace(
            stronger,
            free_orientation=recipe.views.free_orientation,
            horizontal_flip=recipe.views.horizontal_flip,
        )
    decided = asked.decides_colours or stronger == recipe.views
    if decided or not enough(len(source), recipe.n_clusters):
        return recipe, []
    some = Subset(source, sample_rows(len(source), _SAMPLE, recipe.seed))
    rows = np.arange(len(some))
    structure = describe_structure(some, rows)
    if structure is None:
        return recipe, []
    groups, _, _ = pixel_clusters(some, recipe, rows)
    pixels = predictability(structure, groups)
    if pixels > UNTOLD or len(np.unique(groups)) < 2:
        return recipe, []
    seen = _EPOCHS * len(some), _SHARE * recipe.epochs * len(source)
    brief = replace(recipe, epochs=min(seen) / len(some))
    before = _trial(some, brief, structure, device, track)
    told = (
        "groups of the pixels have little to do with what the images show "
        f"({max(pixels, 0):.2f} of 1); after a short training it is {max(before, 0):.2f}"
    )
    kept = "the usual views are kept"
    if before >= _LEARNED:
        return recipe, [f"{told}: {kept}"]
    after = _trial(some, replace(brief, views=stronger), structure, device, track)
    told += f", after one whose views change colours and light far more {max(after, 0):.2f}"
    if after < before + _BETTER:
        return recipe, [f"{told}: {kept}"]
    how = "" if seemed_colours else ", as of colours after all"
    if recipe.views.free_orientation and not stronger.free_orientation:
        how += ", and turn nothing"
    return replace(recipe, views=stronger), [
        f"{told}: these views are taken{how} (--intensity matters if colours or light tell kinds "
        "apart)"
    ]


def _trial(
    source: ImageSource, recipe: Recipe, structure: FloatArray, device: str, track: Track
) -> float:
    """How well what images show tells the groups that a short training finds, 0 to 1."""
    with closing(train(source, recipe, device=device)) as steps:
        *_, trained = track(steps, "trying views", n_steps(recipe, len(source)))
    z = fit_reduction(source, trained, device=device).fitted
    return predictability(structure, cluster(recipe, z))
