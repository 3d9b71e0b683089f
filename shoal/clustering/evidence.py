"""The evidence for each number of clusters, and the choice."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from shoal.protocols import IntArray

NOTHING = 0.2
"""Below this prediction strength nothing stands out: "slight" agreement for a kappa (Landis and
Koch). Then the fewest clusters are chosen: all numbers are as good as chance, and the largest of
them would say most of what is not there."""


@dataclass(frozen=True)
class Evidence:
    """The scores of a number of clusters."""

    n_clusters: int
    strength: float
    """The mean prediction strength of random halves of the pile, in [0, 1]."""
    spread: float
    """The standard error of that mean."""
    stability: float
    """The agreement of the clusters of two halves: the adjusted Rand index, in [-0.5, 1]."""
    silhouette: float
    """The silhouette in the diffusion map, in [-1, 1]."""
    eigengap: float
    """The k-th minus the next eigenvalue of the graph's random walk, in [0, 1]."""


@dataclass(frozen=True)
class NumberOfClusters:
    """The evidence for a range of numbers of clusters, and the default choice."""

    n_clusters: int
    """The default choice."""
    clear: bool
    """Whether the choice is strong, and no other number is nearly as strong."""
    reason: str
    """The reason for the choice, in a sentence or two."""
    leading: tuple[int, ...]
    """The choice and the next best numbers, at most three in all."""
    evidence: tuple[Evidence, ...]
    """The evidence for each number, in ascending order."""
    rows: IntArray
    """int64 (m,): the images that were used."""
    groups: dict[int, IntArray]
    """For each number the clusters of these images, int64 (m,), the largest first."""
    tied: tuple[int, ...] = ()
    """Other numbers that would do as well as the choice, the strongest first."""

    @property
    def stands_out(self) -> bool:
        """Whether some number is found again more often than by chance, see `NOTHING`."""
        return max(evidence.strength for evidence in self.evidence) >= NOTHING

    def to_json(self) -> dict[str, Any]:
        """The choice and the evidence as JSON values."""
        return {
            "n_clusters": self.n_clusters,
            "clear": self.clear,
            "reason": self.reason,
            "tied": list(self.tied),
            "leading": list(self.leading),
            "n_images": len(self.rows),
            "evidence": [
                {name: value if name == "n_clusters" else round(value, 4)
                 for name, value in asdict(evidence).items()}
                for evidence in self.evidence
            ],
        }  # fmt: skip
