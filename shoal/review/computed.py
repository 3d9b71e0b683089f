"""What is computed on the embedding from what a person said, kept until something else is said."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from shoal.clustering.threads import one_thread
from shoal.corrections.chances import chances, from_the_result
from shoal.corrections.dissolve import dissolve
from shoal.corrections.groups import Groups
from shoal.corrections.parts import balanced, default_n_parts, parts
from shoal.corrections.spread import Spread, spread
from shoal.protocols import FloatArray, IntArray
from shoal.review.view import View

_KEPT = {"parts": 64, "learned": 2, "dissolved": 8, "clusters": 1}
"""What is learned takes 32 MB at 200,000 images and 20 groups."""


class Computed:
    """Parts of groups, and where images would go, each computed once for the same groups.

    Args:
        z: float32 (n, d), the reduced embedding.
        metric: by which it is compared, see `balanced`.
    """

    def __init__(self, z: FloatArray, metric: str) -> None:
        self.z, self.x, self.metric = z, balanced(z, metric), metric
        self._kept: OrderedDict[Any, Any] = OrderedDict()
        self._lock = threading.Lock()
        self._work = {kind: threading.Lock() for kind in _KEPT}

    def parts(self, rows: IntArray, n_parts: int | None = None) -> IntArray:
        """The part of each of some images, int64 (m,); by default as many as suit their number."""
        n = default_n_parts(len(rows)) if n_parts is None else n_parts
        key = ("parts", rows.tobytes(), n)
        return self._once(key, lambda: parts(self.z[rows], n, metric=self.metric))

    def learned(self, groups: Groups) -> Spread:
        """What learning from the corrections makes of the groups."""
        learned: Spread = self._once(
            ("learned", groups),
            lambda: spread(
                self.z, groups.group, groups.decided, groups.apart, inferred=groups.inferred,
                result=groups.result, x=self.x,
            ),
        )  # fmt: skip
        return learned

    def dissolved(self, view: View, group: int) -> IntArray:
        """The groups of the members of a group without it, int64 (m,)."""
        view.members(group)
        return self._once(
            ("dissolved", view.groups, group),
            lambda: dissolve(self.z, view.groups.group, group, self.x),
        )

    def chances(self, groups: Groups, confidence: FloatArray) -> FloatArray:
        """The chance that each image is in the right group, float32 (n,), see `chances`.

        Args:
            groups: as they are.
            confidence: float32 (n,) in [0, 1], of the result in each image.
        """
        before = from_the_result(confidence, groups, lambda: self._clusters(groups.result))
        return chances(self.learned(groups), before, groups)

    def _clusters(self, result: IntArray) -> FloatArray:
        """How likely each cluster of the result is for each image, float32 (n, k)."""
        nobody = np.zeros(len(result), dtype=bool)
        return self._once(
            ("clusters", result.tobytes()),
            lambda: spread(self.z, result, nobody, x=self.x).membership,
        )

    def _once(self, key: Any, compute: Callable[[], Any]) -> Any:
        known = _known(key)
        with self._lock:
            if known in self._kept:
                self._kept.move_to_end(known)
                return self._kept[known][1]
        with self._work[key[0]]:  # one of a kind at a time: there are few cores
            with self._lock:
                if known in self._kept:
                    return self._kept[known][1]
            with one_thread():
                computed = compute()
            with self._lock:
                self._kept[known] = (key, computed)  # what is kept alive keeps its id
                alike = [other for other in self._kept if other[0] == known[0]]
                for old in alike[: -_KEPT[known[0]]]:
                    del self._kept[old]
        return computed


def _known(key: Any) -> Any:
    """Groups are known by their very self."""
    return tuple(id(part) if isinstance(part, Groups) else part for part in key)
