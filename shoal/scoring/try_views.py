"""Views tried out: is it what images show that the encoder learns, or the colours of their pixels?

Views that change colours a little suit photographs, in which colours are worth something. Where any
thing may have any colour the encoder learns colours all the same, and little else. Two short
trainings show whether a pile is of this kind.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Literal

import numpy as np

from shoal.embedding.reduce import fit_reduction
from shoal.images.channels import as_colours, channel_kind
from shoal.images.sampling import sample_rows
from shoal.images.subset import Subset
from shoal.protocols import ImageSource, IntArray, Track, silent
from shoal.recipes.asked_views import AUTO, AskedViews
from shoal.recipes.augmentation import Views
from shoal.recipes.recipe import Recipe
from shoal.recipes.views_for import recoloured
from shoal.scoring.appearance import light_and_colours
from shoal.scoring.evidence import UNTOLD
from shoal.scoring.representation import cluster, enough, pixel_clusters
from shoal.scoring.signals import follows_light
from shoal.scoring.structure import describe_structure, predictability
from shoal.training.loop import train
from shoal.training.schedule import n_steps

_BETTER = 0.25
"""Views that change colours more are taken if what images show tells the groups under them better
by this: it does so by up to 0.2 where colours are worth something (benchmarks/LOG.md);"""
_NOTHING, _BETTER_THAN_NOTHING = 0.05, 0.1
"""by this, where it tells the groups under the usual views no better than the first;"""
_BETTER_THAN_LIGHT = 0.05
"""and by this, where light and colours are all that tells the groups under the usual views."""
_SAMPLE = 2000
"""A trial trains on so many images,"""
_EPOCHS, _SHARE = 8.0, 0.1
"""for so many epochs, or for this share of the images that the whole run sees."""


Outcome = Literal["", "usual", "stronger"]
"""The views that were taken; empty if none were tried out."""


def try_views(
    source: ImageSource, recipe: Recipe, photographs: Views, asked: AskedViews, *,
    device: str = "cpu", track: Track = silent,
) -> tuple[Recipe, Outcome, list[str]]:  # fmt: skip
    """The recipe with views under which the encoder learns what images show.

    Nothing is tried unless the groups of PCA of the pixels and k-means have nothing to do with what
    the images show. Then the encoder is trained shortly with the views of the recipe, and once more
    with views that change colours far more. These are taken if the groups under them are told far
    better by what the images show, or better where the others follow light and colours. Groups are
    judged without labels, by `structure.predictability`.

    Args:
        source: the images.
        recipe: what is to be trained, with views that suit the images.
        photographs: views of ordinary photographs, which the others are made from.
        asked: what a person said. Who speaks of colours decides.
        device: where the encoder is trained.
        track: shows progress.

    Returns:
        The recipe; which views it has, of those tried; and a text that says so, if any were.
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
        return recipe, "", []
    some = Subset(source, sample_rows(len(source), _SAMPLE, recipe.seed))
    rows = np.arange(len(some))
    structure = describe_structure(some, rows)
    if structure is None:
        return recipe, "", []
    groups, _, _ = pixel_clusters(some, recipe, rows)
    pixels = predictability(structure, groups)
    if pixels > UNTOLD or len(np.unique(groups)) < 2:
        return recipe, "", []
    seen = _EPOCHS * len(some), _SHARE * recipe.epochs * len(source)
    brief = replace(recipe, epochs=min(seen) / len(some))
    found = _trial(some, brief, device, track)
    usual, light = (
        max(predictability(each, found), 0.0) for each in (structure, light_and_colours(some, rows))
    )
    found = _trial(some, replace(brief, views=stronger), device, track)
    changed = max(predictability(structure, found), 0.0)
    told = _in_words(pixels, usual, light, changed)
    if changed < usual + _needed(usual, light):
        kept = "The usual views are kept: the others did not help enough."
        return recipe, "usual", [f"{told}\n{kept}"]
    how = "" if seemed_colours else " The channels are taken for colours after all."
    if recipe.views.free_orientation and not stronger.free_orientation:
        how += " Views turn nothing."
    taken = (
        "Views that change light and colours far more are taken: under them the groups follow what "
        f"the images show.{how} If light or colours tell kinds apart, give --intensity matters."
    )
    return replace(recipe, views=stronger), "stronger", [f"{told}\n{taken}"]


def _in_words(pixels: float, usual: float, light: float, changed: float) -> str:
    """What was tried and why, with a table of how well the groups of each are told.

    >>> print(_in_words(-0.01, 0.23, 0.95, 0.49))
    The groups that the pixels alone form do not follow what the images show, so two short \
trainings were compared.
    How well the groups are told, from 0 (as by chance) to 1; – was not measured:
      groups of                                      by what is shown  by light and colours
      the pixels alone                                           0.00                     –
      a training with the usual views                            0.23                  0.95
      one with views that change light and colours               0.49                     –
    """
    rows = {
        "the pixels alone": (pixels, None),
        "a training with the usual views": (usual, light),
        "one with views that change light and colours": (changed, None),
    }
    columns, first = ("by what is shown", "by light and colours"), max(map(len, rows))
    lines = [
        "The groups that the pixels alone form do not follow what the images show, so two short "
        "trainings were compared.",
        "How well the groups are told, from 0 (as by chance) to 1; – was not measured:",
        f"  {'groups of':<{first}}  {'  '.join(columns)}",
    ]
    for name, scores in rows.items():
        cells = [
            f"{'–' if score is None else f'{max(score, 0.0):.2f}':>{len(column)}}"
            for column, score in zip(columns, scores, strict=True)
        ]
        lines.append(f"  {name:<{first}}  {'  '.join(cells)}")
    return "\n".join(lines)


def _needed(usual: float, light: float) -> float:
    """How much better stronger views must be, if what images show, and light, tell groups so."""
    if follows_light(light, usual):
        return _BETTER_THAN_LIGHT
    return _BETTER_THAN_NOTHING if usual < _NOTHING else _BETTER


def _trial(source: ImageSource, recipe: Recipe, device: str, track: Track) -> IntArray:
    """The groups int64 (n,) that a short training finds."""
    with closing(train(source, recipe, device=device)) as steps:
        *_, trained = track(steps, "trying views", n_steps(recipe, len(source)))
    return cluster(recipe, fit_reduction(source, trained, device=device).fitted)
