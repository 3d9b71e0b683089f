"""Many piles with known kinds, to fit a choice on one half of them and to judge it on the other.

Most are drawn from CIFAR-10's ten classes, the rest are the signs, the steel, the flowers and the
cells of `labelled_piles.py`. What each pile is lies here; `many_piles.py` draws and embeds them.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

CIFAR = "cifar"
CLASSES = ["plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
LARGEST = {CIFAR: 2000, "signs": 210, "steel": 300, "flowers": 600, "cells": 900}
"""The most images drawn of each class; the smaller classes of cells are smaller."""
N_CLASSES = {CIFAR: 10, "signs": 10, "steel": 6, "flowers": 5, "cells": 7}
_HALVES = 20261127
"""The seed by which the piles were halved, before any was looked at."""


@dataclass(frozen=True)
class Pile:
    """A way to draw images, and what division of them is the answer."""

    name: str
    of: str
    """The set drawn from, one of `LARGEST`."""
    sides: tuple[tuple[int, ...], ...]
    """The classes of each kind."""
    sizes: tuple[int, ...]
    """The images of each kind, at most; drawn alike from its classes."""
    also: tuple[tuple[int, ...], ...] = ()
    """Other right answers, each as the classes on one side; with two kinds only."""

    @property
    def n_kinds(self) -> int:
        return len(self.sides)

    @property
    def uneven(self) -> bool:
        """Whether the largest kind is more than 1.5 times the smallest."""
        return max(self.sizes) > 1.5 * min(self.sizes)

    @property
    def stratum(self) -> str:
        """Piles alike in this are shared evenly by the halves."""
        kinds = "two" if self.n_kinds == 2 else "more"
        drawn = CIFAR if self.of == CIFAR else "others"
        return f"{drawn} {kinds} {'uneven' if self.uneven else 'even'}"

    def answers(self, classes: Any) -> list[Any]:
        """Each right answer, int64 (n,), for the classes of the images, int64 (n,)."""
        found = [sum(np.isin(classes, side) * i for i, side in enumerate(self.sides))]
        return found + [np.isin(classes, side).astype(np.int64) for side in self.also]


def _classes(words: str) -> tuple[int, ...]:
    return tuple(CLASSES.index(word) for word in words.split())


def _two(one: str, other: str, *also: str, each: tuple[int, int] = (1500, 1500)) -> Pile:
    """A pile of two kinds of CIFAR-10; a share such as 1:8 is part of the name."""
    share = "" if each[0] == each[1] else f" {each[0] / min(each):.0f}:{each[1] / min(each):.0f}"
    sides = _classes(one), _classes(other)
    return Pile(f"{one} | {other}{share}", CIFAR, sides, each, tuple(map(_classes, also)))


_ONE_TO_2, _ONE_TO_4, _ONE_TO_8 = (1000, 2000), (600, 2400), (330, 2640)
_SMALL_TO_4, _SMALL_TO_8 = (500, 2000), (250, 2000)
TWO_OF_CIFAR = (
    # class against class
    _two("plane", "car"), _two("cat", "dog"), _two("car", "frog"), _two("ship", "plane"),
    _two("deer", "horse"), _two("bird", "plane"), _two("truck", "car"), _two("frog", "bird"),
    _two("cat", "truck"), _two("horse", "ship"), _two("dog", "frog"), _two("deer", "truck"),
    # group against group
    _two("bird cat deer dog frog horse", "plane car ship truck"),
    _two("plane ship", "cat dog", "plane cat"), _two("car truck", "deer horse"),
    _two("deer horse", "cat dog"), _two("plane ship", "car truck"),
    _two("plane bird", "car dog", "plane car"), _two("bird frog", "cat dog"),
    _two("plane car", "bird cat", "plane bird"), _two("ship truck", "frog horse"),
    _two("plane ship", "bird frog", "plane bird"), _two("car ship truck", "cat dog horse"),
    _two("car truck", "plane bird ship", "plane car ship truck"),
    _two("plane car ship truck", "cat"), _two("bird cat deer dog frog horse", "car"),
    _two("plane ship bird", "deer horse frog", "plane ship"),
    _two("car truck", "cat dog frog"), _two("bird deer frog", "cat dog horse"),
    _two("plane bird", "deer horse", "plane"),
    # uneven
    _two("plane", "car", each=_SMALL_TO_4), _two("frog", "car", each=_SMALL_TO_8),
    _two("bird cat deer dog frog horse", "plane car ship truck", each=_ONE_TO_8),
    _two("cat", "truck", each=_SMALL_TO_4), _two("ship", "plane", each=_SMALL_TO_8),
    _two("car truck", "deer horse", each=_ONE_TO_8), _two("deer horse", "cat dog", each=_ONE_TO_4),
    _two("ship", "horse", each=_ONE_TO_2), _two("bird", "frog", each=_SMALL_TO_8),
    _two("deer", "truck", each=_SMALL_TO_4), _two("plane ship", "cat dog", each=_ONE_TO_4),
    _two("cat dog", "car truck", each=_ONE_TO_8),
)  # fmt: skip


def _falling(k: int, largest: int) -> tuple[int, ...]:
    """Sizes of ``k`` kinds that fall evenly, by a factor, to a twentieth."""
    return tuple(round(largest * 20 ** (-i / (k - 1))) for i in range(k))


def _all_of(of: str, *, falling: bool = False) -> Pile:
    k = N_CLASSES[of]
    if of == "cells":
        return Pile("cells", of, tuple((i,) for i in range(k)), (900, 900, 900, 606, 69, 15, 28))
    sizes = _falling(k, LARGEST[of]) if falling else (LARGEST[of],) * k
    name = f"{of}, falling" if falling else of
    return Pile(name, of, tuple((i,) for i in range(k)), sizes)


def _part_of(of: str, one: tuple[int, ...], other: tuple[int, ...], small: int = 0) -> Pile:
    """Two kinds of another set than CIFAR-10; ``small``: images of the first, if not all."""
    words = " | ".join(" ".join(map(str, side)) for side in (one, other))
    full = tuple(LARGEST[of] * len(side) for side in (one, other))
    sizes = (small, full[1]) if small else full
    name = f"{of} {words}" + (f" 1:{full[1] / small:.0f}" if small else "")
    return Pile(name, of, (one, other), sizes)


OTHERS = (
    _all_of("signs"), _all_of("steel"), _all_of("flowers"), _all_of("cells"),
    _all_of("signs", falling=True), _all_of("steel", falling=True),
    _all_of("flowers", falling=True),
    _part_of("signs", (0,), (5,)), _part_of("signs", (0, 1), (4, 5)),
    _part_of("steel", (0,), (5,)), _part_of("steel", (1, 5), (0, 3, 4)),
    _part_of("steel", (2,), (1,)),
    _part_of("flowers", (1, 3), (2, 4)), _part_of("flowers", (0,), (4,)),
    _part_of("cells", (0,), (1,)), _part_of("cells", (0,), (2,)), _part_of("cells", (1,), (2,)),
    _part_of("steel", (0,), (1, 2, 3, 4, 5), 190), _part_of("flowers", (3,), (1,), 75),
    _part_of("cells", (0,), (2,), 112),
)  # fmt: skip


def _kinds(words: str, *, falling: bool = False) -> Pile:
    """A pile of more kinds of CIFAR-10, 3,000 images in all, or fewer where they fall."""
    sides = tuple((i,) for i in _classes(words))
    k = len(sides)
    sizes = _falling(k, 1800 if k < 6 else 1000) if falling else (3000 // k,) * k
    return Pile(f"{words}{', falling' if falling else ''}", CIFAR, sides, sizes)


MORE_OF_CIFAR = (
    _kinds("ship horse frog"), _kinds("bird deer truck ship"), _kinds("plane car deer dog frog"),
    _kinds("plane car deer dog frog ship"), _kinds("plane car bird deer dog frog horse"),
    _kinds("plane car bird deer dog frog horse ship"),
    _kinds("plane car bird deer dog frog horse ship truck"), _kinds(" ".join(CLASSES)),
    _kinds("car frog horse plane"), _kinds("plane frog truck", falling=True),
    _kinds("car deer dog ship frog", falling=True), _kinds(" ".join(CLASSES), falling=True),
)  # fmt: skip
PILES = {pile.name: pile for pile in (*TWO_OF_CIFAR, *OTHERS, *MORE_OF_CIFAR)}


def halves() -> tuple[list[str], list[str]]:
    """Names of the piles to fit on, and of those to report on; every stratum is halved."""
    fit: list[str] = []
    report: list[str] = []
    for stratum in sorted({pile.stratum for pile in PILES.values()}):
        names = sorted(name for name, pile in PILES.items() if pile.stratum == stratum)
        order = np.random.default_rng(_HALVES).permutation(len(names))
        half = (len(names) + (len(fit) <= len(report))) // 2
        fit += [names[i] for i in order[:half]]
        report += [names[i] for i in order[half:]]
    return fit, report


def drawn(pile: Pile, by_class: list[Any]) -> Any:
    """Rows of a set that make the pile, shuffled, int64 (n,); the same every time.

    Args:
        pile: the pile.
        by_class: for each class of the set, the rows of its images.
    """
    generator, rows = np.random.default_rng(zlib.crc32(pile.name.encode())), []
    for side, size in zip(pile.sides, pile.sizes, strict=True):
        shares = [len(part) for part in np.array_split(range(size), len(side))]
        for kind, share in zip(side, shares, strict=True):
            rows.append(generator.permutation(by_class[kind][: LARGEST[pile.of]])[:share])
    return generator.permutation(np.concatenate(rows))
