"""The number of clusters weighed anew, beside what is known of the checkpoint's own."""

from __future__ import annotations

from dataclasses import replace

from shoal.clustering.evidence import NumberOfClusters
from shoal.clustering.n_clusters import CLEAR
from shoal.models.checkpoint import Checkpoint
from shoal.plural import of_vectors
from shoal.scoring.verdict import Trust


def beside_verdict(
    found: NumberOfClusters, checkpoint: Checkpoint, trust: Trust
) -> NumberOfClusters:
    """The evidence, in which a trusted number is not called into question by one measure alone.

    Whether clusters are found again in other images is one of several tests, and another clusterer
    looks for them. Where it makes no number clear, and the verdict on the checkpoint's clusters is
    yes, these are kept.

    Args:
        found: the numbers weighed in the checkpoint's embedding.
        checkpoint: a finished one.
        trust: the verdict on its clusters, see `label_free.verdict_on`.
    """
    strengths = {each.n_clusters: each.strength for each in found.evidence}
    best, own = max(strengths, key=lambda k: strengths[k]), checkpoint.recipe.n_clusters
    if strengths[best] >= CLEAR or trust != "yes":
        return found
    reason = (
        f"By this measure alone no number stands out: {best} clusters are found again best, with a "
        f"prediction strength of {strengths[best]:z.2f} (0 as by chance, 1 always; {CLEAR:g} would "
        f"be clear). The {own} clusters of the checkpoint were tested in more ways, and the answer "
        "was that they can be trusted: nothing here speaks for another number."
    )
    reason = of_vectors(reason) if checkpoint.n_dimensions else reason
    if own not in found.groups:
        return replace(found, reason=reason)
    leading = (own, *(k for k in found.leading if k != own))[:3]
    return replace(found, n_clusters=own, tied=(), leading=leading, reason=reason)
