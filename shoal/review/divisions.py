"""The ways to divide the pile, as cards: other splits, and other numbers of clusters."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.clustering.choose_k import weigh_remembered
from shoal.clustering.clustering import Clustering, clustering_of, divide_anew
from shoal.clustering.n_clusters import CLEAR, FEWEST_A_CLUSTER
from shoal.corrections.division import Division as Chosen
from shoal.errors import DataError
from shoal.models.checkpoint import Checkpoint
from shoal.plural import counted
from shoal.protocols import FloatArray, IntArray, Item
from shoal.review.order import typical_of_some
from shoal.scoring import choice, label_free

SPLIT, N_CLUSTERS = "split", "n_clusters"
_SAMPLE = 8
_HIGH = 20
"""The greatest number of clusters that has a card."""


class _Closed(Exception):
    """The divisions are no longer wanted."""


@dataclass(frozen=True)
class Division:
    """A way to divide the pile."""

    kind: str
    """`SPLIT` or `N_CLUSTERS`."""
    which: int
    """Which split, from 1; or how many clusters."""
    title: str
    says: str
    """What speaks for it, in a sentence."""
    labels: IntArray
    """int64 (n,): the clusters, from 0, the largest first."""
    samples: tuple[tuple[int, ...], ...]
    """Members of each cluster, from typical to odd."""
    separation: float | None = None
    pixel_share: float | None = None
    evidence: str | None = None

    @property
    def choice(self) -> Chosen:
        """What is corrected once this is chosen."""
        return Chosen(self.which) if self.kind == N_CLUSTERS else Chosen(split=self.which)

    @property
    def about(self) -> dict[str, Any]:
        """What the journal says of the choice."""
        return {"division": {"kind": self.kind, "which": self.which}}

    def to_json(self, index: int, *, chosen: bool) -> dict[str, Any]:
        """As the page wants it."""
        sizes = np.bincount(self.labels)
        return {
            "index": index, "kind": self.kind, "title": self.title, "n": len(sizes),
            "sizes": sizes.tolist(), "separation": self.separation,
            "pixel_share": self.pixel_share, "evidence": self.evidence, "chosen": chosen,
            "samples": [list(sample) for sample in self.samples], "says": self.says,
        }  # fmt: skip


class Divisions:
    """The divisions of a pile, found in a thread of their own, the splits first.

    Args:
        checkpoint: a finished one.
        z: float32 (n, d), the reduced embedding of the pile.
    """

    def __init__(self, checkpoint: Checkpoint, z: FloatArray) -> None:
        self.known: tuple[Division, ...] = ()
        self.ready = False
        self._closed = False
        self._checkpoint, self._z = checkpoint, z
        self._thread = threading.Thread(target=self._find, name="divisions", daemon=True)

    def start(self) -> None:
        """Begin to look for them."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking. The step in progress is waited for: a process does not end beside it."""
        self._closed = True
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def wait(self, seconds: float) -> bool:
        """Wait until all are there, at most so long; whether they are."""
        self._thread.join(seconds)
        return self.ready

    def get(self, index: int) -> Division:
        """Division ``index``, from 0.

        Raises:
            DataError: there is none.
        """
        if not 0 <= index < len(self.known):
            raise DataError(f"there is no division {index}; there are {len(self.known)}.")
        return self.known[index]

    def to_json(self, chosen: Chosen) -> dict[str, Any]:
        """All that are known, as the page wants them; ``chosen`` is what the person corrects."""
        known = self._checkpoint
        sure = choice.of_splits(known.facts.splits, vectors=known.n_dimensions > 0)
        if label_free.verdict_on(known).trust == "no":  # the clearest of ways that mean nothing
            sure = None
        return {
            "ready": self.ready,
            "says": "" if sure is None else str(sure),
            "divisions": [
                division.to_json(index, chosen=division.choice == chosen)
                for index, division in enumerate(self.known)
            ],
        }

    def _find(self) -> None:
        clustering = clustering_of(self._checkpoint)
        try:
            for found in (self._splits(clustering), self._numbers(clustering)):
                for division in self._until_closed(found, "", 0):
                    self.known = (*self.known, division)
        except _Closed:
            return
        self.ready = True

    def _until_closed(self, items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
        """The `Track` that ends the search when it is no longer wanted."""
        for item in items:
            if self._closed:
                raise _Closed
            yield item

    def _splits(self, clustering: Clustering) -> Iterator[Division]:
        described = self._checkpoint.facts.splits
        total = clustering.n_candidates
        for candidate, labels in enumerate(clustering.candidates(self._z)):
            split = described[candidate] if candidate < len(described) else None
            n = int(labels.max(initial=0)) + 1
            says = "The only way to divide the pile that stands out."
            if split is not None and total > 1:
                says = (
                    f"The embedding tells the sides apart by {split.separation:.2f} (1 is clearest)"
                )
                pixels = split.pixel_share
                says += f"; pixels alone explain {pixels:.2f} of it." if pixels is not None else "."
            yield Division(
                SPLIT, candidate + 1,
                f"{counted(n, 'cluster')}, way {candidate + 1:,} of {total:,}" if total > 1
                else counted(n, "cluster"),
                says, labels, self._samples(labels),
                None if split is None else split.separation,
                None if split is None else split.pixel_share,
            )  # fmt: skip

    def _numbers(self, clustering: Clustering) -> Iterator[Division]:
        recipe, n = self._checkpoint.recipe, len(clustering.reference)
        if n < 2 * FEWEST_A_CLUSTER:
            return
        chosen = weigh_remembered(self._checkpoint, high=_HIGH, track=self._until_closed)
        by_strength = sorted(chosen.evidence, key=lambda each: -each.strength)
        for each in by_strength:
            if each.n_clusters > n:
                continue
            labels = divide_anew(clustering, recipe, each.n_clusters).predict(self._z)
            clear = "clear" if each.strength >= CLEAR else "not clear"
            says = (
                f"{counted(each.n_clusters, 'cluster')} are found again in other images of the "
                f"pile with a strength of {each.strength:.2f}: {clear}."
            )
            yield Division(
                N_CLUSTERS, each.n_clusters, counted(each.n_clusters, "cluster"), says, labels,
                self._samples(labels), evidence=f"found again: {each.strength:z.2f} of 1",
            )  # fmt: skip

    def _samples(self, labels: IntArray) -> tuple[tuple[int, ...], ...]:
        samples = []
        for cluster in range(int(labels.max(initial=0)) + 1):
            typical = typical_of_some(self._z, np.flatnonzero(labels == cluster))
            # From typical to odd: those in the middle may all be of a small kind.
            places = np.linspace(0, len(typical) - 1, min(_SAMPLE, len(typical))).astype(np.int64)
            samples.append(tuple(typical[places].tolist()))
        return tuple(samples)
