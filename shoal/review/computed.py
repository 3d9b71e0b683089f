"""What is computed on the embedding from what a person said, kept until something else is said."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from shoal.protocols import FloatArray, IntArray
from shoal.review import learning
from shoal.review.view import View

_KEPT = 64


class Computed:
    """Parts of groups, and where images would go, each computed once for the same groups.

    Args:
        z: float32 (n, d), the reduced embedding.
    """

    def __init__(self, z: FloatArray) -> None:
        self.z = z
        self._kept: OrderedDict[Any, IntArray] = OrderedDict()
        self._lock = threading.Lock()
        self._work = threading.Lock()

    def parts(self, rows: IntArray, n_parts: int | None = None) -> IntArray:
        """The part of each of some images, int64 (m,); by default as many as suit their number."""
        n = learning.default_parts(len(rows)) if n_parts is None else n_parts
        key = ("parts", rows.tobytes(), n)
        return self._once(key, lambda: learning.parts(self.z[rows], n))

    def learned(self, view: View) -> IntArray:
        """The group of each image after learning from the corrections, int64 (n,)."""
        groups = view.groups
        return self._once(
            ("learned", view), lambda: learning.spread(self.z, groups.group, groups.decided)
        )

    def dissolved(self, view: View, group: int) -> IntArray:
        """The groups of the members of a group without it, int64 (m,)."""
        view.members(group)
        return self._once(
            ("dissolved", view, group),
            lambda: learning.dissolve(self.z, view.groups.group, group),
        )

    def _once(self, key: Any, compute: Callable[[], IntArray]) -> IntArray:
        known = _known(key)
        with self._lock:
            if known in self._kept:
                self._kept.move_to_end(known)
                return self._kept[known]
        with self._work:  # one at a time: there are few cores
            with self._lock:
                if known in self._kept:
                    return self._kept[known]
            computed = compute()
            with self._lock:
                self._kept[known] = computed
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return computed


def _known(key: Any) -> Any:
    """A view is known by its very self."""
    return tuple(id(part.groups) if isinstance(part, View) else part for part in key)
