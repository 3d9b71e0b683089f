"""Which commands would say something of a pile: no other is proposed, by a command or a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shoal.clustering.build_tree import FEWEST_IMAGES as FEWEST_FOR_A_TREE
from shoal.clustering.n_clusters import FEWEST_A_CLUSTER
from shoal.models.checkpoint import Checkpoint
from shoal.scoring.evidence import COPIES, MEANINGLESS

FEWEST = {
    "run": 3,  # two images are a group each
    "cluster": 3,
    "duplicates": 2,
    "review": 2,
    "splits": 3,
    "similar": 3,  # of two images each is all that is like the other
    "outliers": 7,  # an outlier is told by its fifth nearest other, which must not be the farthest
    "clusters": 2 * FEWEST_A_CLUSTER,
    "tree": FEWEST_FOR_A_TREE,
}
"""The images or vectors of which a command has something to say; of others one is enough."""
_WITHOUT_GROUPS = ("duplicates", "info")
"""They speak of the images or of the training, whatever the groups are."""
_OF_IMAGES = ("similar", "outliers", "clusters", "tree")
"""They speak of how images lie, and are worth asking where the groups say nothing."""


@dataclass(frozen=True)
class Known:
    """What is known of a pile and its groups when it is asked what to do next.

    >>> Known(3).answers("cluster"), Known(2).answers("cluster"), Known(19).answers("clusters")
    (True, False, False)
    >>> alike = Known(50, indistinct=True)
    >>> alike.answers("outliers"), alike.answers("name"), alike.answers("duplicates")
    (False, False, True)
    """

    n_images: int | None = None
    """How many images or vectors there are; None if that is not known."""
    indistinct: bool = False
    """Whether nothing tells the images apart, so that any groups of them mean nothing."""
    one_group: bool = False
    """Whether all images are in one group."""
    single: bool = False
    """Whether each image is a group of its own."""
    copies: bool = False
    """Whether each group is an image and its copies."""
    n_splits: int | None = None
    """How many ways to divide the pile were found; None if that is not known."""

    def answers(self, command: str) -> bool:
        """Whether a command succeeds on this pile, and tells something of it."""
        if self.n_images is not None and self.n_images < FEWEST.get(command, 1):
            return False
        if command in _WITHOUT_GROUPS:
            return True
        if self.copies and command in (*_OF_IMAGES, "splits"):
            return False
        grouped = not (self.one_group or self.single)
        if self.indistinct or not (grouped or command in _OF_IMAGES):
            return False
        return command != "splits" or self.n_splits != 1


def known_of(n_images: int, checkpoint: Checkpoint, *, indistinct: bool = False) -> Known:
    """What is known of a pile and the groups of a finished checkpoint.

    Args:
        n_images: how many images or vectors the pile has.
        checkpoint: which has groups of this pile, or of another.
        indistinct: whether a command saw that nothing tells the images of this pile apart.
    """
    facts = checkpoint.facts
    sizes = facts.splits[0].sizes if facts.splits else (1,) * checkpoint.recipe.n_clusters
    known = by_groups(
        checkpoint.n_images, sum(size > 0 for size in sizes), facts.warnings, len(facts.splits)
    )
    return replace(known, n_images=n_images, indistinct=known.indistinct or indistinct)


def by_groups(n_images: int, n_nonempty: int, warnings: Sequence[str], n_splits: int) -> Known:
    """What groups tell of the pile that they were found in.

    Args:
        n_images: how many images or vectors were clustered.
        n_nonempty: how many groups hold any.
        warnings: of the groups.
        n_splits: how many ways to divide the pile were found; 0 in old checkpoints.
    """
    single = 1 < n_images == n_nonempty
    meaningless = any(MEANINGLESS in warning for warning in warnings)
    return Known(
        n_images, indistinct=meaningless and not single, one_group=n_nonempty < 2,
        single=single, copies=any(COPIES in warning for warning in warnings),
        n_splits=n_splits or None,
    )  # fmt: skip
