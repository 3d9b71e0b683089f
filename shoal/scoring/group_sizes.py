"""Warnings of how many images there are, and how many each group holds.

Each function returns a list of sentences, as those of `warnings` do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.plural import counted
from shoal.protocols import IntArray
from shoal.scoring.evidence import COPIES, HARMLESS, UNJUDGED

TINY = 0.1
"""A cluster is tiny if it holds less than this share of n / k images: 5 % of the pile at k = 2."""
# The recipe digits on random parts of the digits, ten clusters, two seeds each: accuracy 0.92 to
# 0.97 from 300 and from 500 images, 0.84 to 0.94 from 200, 0.72 to 0.88 from 60 and from 100.
FEWEST_IMAGES = 300
FEWEST_PER_CLUSTER = 20
SOME_COPIES = 0.05
"""From this share of images on copies are spoken of."""
FEW_TO_GROUP = 20
"""Of fewer different images nothing tells whether their groups mean anything."""


def few_images(n_images: int, n_clusters: int) -> list[str]:
    """Warn of a pile that is too small to learn from, or too small for so many clusters."""
    enough = max(FEWEST_IMAGES, FEWEST_PER_CLUSTER * n_clusters)
    if n_images >= enough:
        return []
    for_k = f" for {n_clusters:,} clusters" if enough > FEWEST_IMAGES else ""
    or_fewer = " or ask for fewer clusters" if enough > FEWEST_IMAGES else ""
    return [
        f"{counted(n_images, 'image is', 'images are')} few{for_k}: an encoder learns little from "
        f"fewer than {enough:,}, so many images may be in the wrong cluster; add images{or_fewer}."
    ]


def single_images(sizes: Sequence[int] | IntArray) -> list[str]:
    """Warn of clusters of one image each; ``sizes`` int (k,) says how many images each holds."""
    if any(size != 1 for size in sizes):
        return []
    many = len(sizes) >= FEW_TO_GROUP
    advice = "ask for fewer" if many else "it takes more images to form groups"
    return [
        f"each of the {len(sizes):,} images is a group of its own, so the clusters "
        f"mean nothing; {advice}."
    ]


def mostly_copies(identity: IntArray, n_clusters: int) -> list[str]:
    """Warn of no more different images than groups: these are each an image with its copies.

    Args:
        identity: int64 (m,), equal numbers for copies, see `appearance.identities`.
        n_clusters: how many groups.
    """
    n_different = len(np.unique(identity))
    if n_different > n_clusters or n_different == len(identity):
        return []
    return [
        f"only {n_different:,} of the {len(identity):,} images that were compared are different as "
        f"shoal sees them, and the others are {COPIES}: groups can tell no more than these apart."
    ]


def many_copies(identity: IntArray) -> list[str]:
    """Warn of copies; fewer than half of the images say nothing against the groups.

    ``identity`` is as of `mostly_copies`.
    """
    n_copies = len(identity) - len(np.unique(identity))
    if n_copies < SOME_COPIES * len(identity):
        return []
    once = "each counts once in what is said of the groups."
    if 2 * n_copies < len(identity):
        once = f"each counts once, and of the groups {HARMLESS[1]}"
    return [
        f"{n_copies:,} of the {len(identity):,} images that were compared are the same as others: "
        f"{once}"
    ]


def few_different(identity: IntArray) -> list[str]:
    """Warn of too few different images to judge groups by; ``identity`` as of `mostly_copies`."""
    n_different = len(np.unique(identity))
    if n_different >= FEW_TO_GROUP:
        return []
    few = f"{counted(n_different, 'image is', 'images are')} few"
    if n_different < len(identity):
        few = (
            f"only {n_different:,} of the {len(identity):,} images that were compared are "
            "different as shoal sees them"
        )
    return [
        f"{few}: of fewer than {FEW_TO_GROUP} different images {UNJUDGED} their groups mean "
        "anything; add different images."
    ]


def tiny_clusters(sizes: Sequence[int] | IntArray) -> list[str]:
    """Warn of clusters that are empty or hold less than a tenth of an even share.

    Args:
        sizes: int (k,), how many images each cluster holds.
    """
    sizes = np.asarray(sizes)
    share = sizes.sum() / len(sizes)
    tiny = np.flatnonzero((sizes < TINY * share) & (sizes > 0))
    if not len(tiny):
        return empty_clusters(sizes)
    listed = ", ".join(f"{cluster} with {sizes[cluster]:,}" for cluster in tiny[:5])
    more = f" and {len(tiny) - 5} more" if len(tiny) > 5 else ""
    return [
        f"{len(tiny):,} of {len(sizes):,} clusters {'is' if len(tiny) == 1 else 'are'} tiny "
        f"({listed}{more}; an even share is {share:,.0f}). Tiny clusters are often a few odd "
        "images and not a kind; look at them, or try another number of clusters.",
        *empty_clusters(sizes),
    ]


def empty_clusters(sizes: Sequence[int] | IntArray) -> list[str]:
    """Warn of clusters that hold nothing; ``sizes`` as of `tiny_clusters`."""
    n_empty = sum(size == 0 for size in sizes)
    if not n_empty:
        return []
    return [
        f"{n_empty:,} of {len(sizes):,} clusters {'is' if n_empty == 1 else 'are'} empty, because "
        "the images form fewer groups" + ("; ask for fewer clusters." if len(sizes) > 2 else ".")
    ]
