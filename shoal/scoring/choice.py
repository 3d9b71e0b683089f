"""How sure the choice among the ways to divide a pile in two is, in words.

The numbers are of 106 trainings on 53 piles whose kinds were known (benchmarks/choosing.py): how
often the way chosen was within 3 points of the best way found, where no other was nearly as clear,
and elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from shoal.clustering.splits import n_rivals
from shoal.models.facts import Split
from shoal.scoring.evidence import Sentence, sentence


def of_rivals(count: int, *, vectors: bool = False) -> Sentence:
    """What is said where ``count`` other ways are about as clear as the choice.

    Of ``vectors`` from elsewhere nobody counted how often the way chosen was the best.

    >>> print(of_rivals(0))
    No other way to divide the pile is nearly as clear. On piles whose kinds were known, the way \
chosen was then the best in 19 of 19 trainings.
    >>> print(of_rivals(2, vectors=True))
    2 other ways to divide the pile are about as clear. Only you can tell which one you want.
    """
    if vectors and not count:
        return sentence("No other way to divide the pile is nearly as clear.")
    if vectors:
        return sentence("{n:,} other {n:way|ways} to divide the pile {n:is|are} about as clear. "
                        "Only you can tell which one you want.", n=count)  # fmt: skip
    if not count:
        return sentence("No other way to divide the pile is nearly as clear. On piles whose kinds "
                        "were known, the way chosen was then the best in 19 of 19 "
                        "trainings.")  # fmt: skip
    return sentence(
        "{n:,} other {n:way|ways} to divide the pile {n:is|are} about as clear. Only you can tell "
        "which one you want. On piles whose kinds were known, the way chosen was then the best in "
        "58 of 87 trainings.", n=count,
    )  # fmt: skip


def of_splits(splits: Sequence[Split], *, vectors: bool = False) -> Sentence | None:
    """What is said of the choice among splits, the chosen one first; None if `n_rivals` is.

    ``vectors`` says whether they are of vectors from elsewhere.
    """
    n_clusters = len(splits[0].sizes) if splits else 0
    count = n_rivals([split.separation for split in splits], n_clusters)
    return None if count is None else of_rivals(count, vectors=vectors)
