"""How sure the page says it is of the images that nobody decided: it follows what a person says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from shoal.corrections.chances import chances, from_the_result
from shoal.corrections.groups import Groups, apply, start
from shoal.corrections.journal_file import start_entry
from shoal.corrections.parts import balanced
from shoal.corrections.spread import Spread, spread
from shoal.review.asking import Asking

N = 400


def pile(noise: float = 0.15) -> tuple[Any, Any]:
    """Four kinds of 100 on the axes, float32 (400, 12), and the kind of each from 1."""
    rng = np.random.default_rng(0)
    kind = np.arange(N) % 4
    return (np.eye(12)[kind] + rng.normal(0, noise, (N, 12))).astype(np.float32), kind + 1


def sure(
    z: Any, group: Any, result: Any, decided: Any, confidence: float = 0.6, inferred: Any = None
) -> float:
    """What the page says of the images that are not decided, on average."""
    nobody = np.zeros(N, dtype=bool)
    inferred = nobody if inferred is None else inferred
    groups: Any = SimpleNamespace(group=group, decided=decided, inferred=inferred, result=result)
    stated = np.full(N, confidence, dtype=np.float32)
    clusters = lambda: spread(z, result, nobody).membership  # noqa: E731
    before = from_the_result(stated, groups, clusters)
    learned = spread(z, group, decided, inferred=inferred, result=result)
    return float(chances(learned, before, groups)[~decided].mean())


def test_it_is_the_results_own_word_until_something_is_said() -> None:
    z, kind = pile()
    assert sure(z, kind, kind, np.zeros(N, dtype=bool)) == pytest.approx(0.6)


def test_it_rises_with_right_images_and_a_group_says_little_of_another() -> None:
    z, kind = pile()
    said = [sure(z, kind, kind, np.arange(N) < n) for n in (0, 24, 96, 192)]
    assert np.diff(said).min() > 0.02
    assert said[-1] > 0.93
    of_one_group = (kind == 1) & (np.arange(N) < 384)  # as many images, all of one kind
    assert sure(z, kind, kind, of_one_group) < 0.85


def test_it_falls_where_images_are_wrong_and_rises_when_learning_mends_them() -> None:
    z, kind = pile()
    result = np.where((kind == 2) & (np.arange(N) >= 200), 1, kind)  # half of a kind lies elsewhere
    decided = np.arange(N) // 4 % 5 == 1
    group = np.where(decided, kind, result)
    told = sure(z, group, result, decided)
    learned = spread(z, group, decided, result=result).group
    assert (learned == kind)[~decided].mean() > 0.95 > (group == kind)[~decided].mean()
    assert sure(z, learned, result, decided, inferred=learned != group) > told + 0.03


def test_shares_that_are_wrong_of_images_left_out_are_not_believed() -> None:
    """What is said of kinds that the embedding does not show says nothing of other images."""
    z, kind = pile()
    chance = np.random.default_rng(1).integers(1, 5, N)
    decided = np.arange(N) < 120
    right = np.where(decided, chance, kind)
    assert sure(z, right, kind, decided, 0.9) < 0.6
    assert sure(z, kind, kind, decided, 0.9) > 0.95


@pytest.mark.parametrize(("share", "off"), [(0.0, 0.02), (0.4, 0.11), (1.0, 0.28)])
def test_where_doubt_does_not_tell_wrong_answers_the_others_are_as_often_wrong(
    share: float, off: float
) -> None:
    """Three clear clusters, of whose kinds the embedding shows a part or nothing: ten questions."""
    away = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        shown = np.arange(450) % 3
        z = (4 * rng.normal(size=(3, 8))[shown] + rng.normal(size=(450, 8))).astype(np.float32)
        truth = np.where(rng.random(450) < share, rng.integers(0, 3, 450), shown) + 1
        groups = start(start_entry([str(row) for row in range(450)], shown))
        stated = np.full(450, 0.98, dtype=np.float32)

        def learned(groups: Groups, z: Any = z) -> Spread:
            return spread(z, groups.group, groups.decided, result=groups.result)

        asking = Asking(z, balanced(z), stated, learned, "cosine")
        for _ in range(10):
            asked = asking.next(groups)["question"]
            said = asking.answer(groups, asked["id"], {"to": truth[asked["rows"]].tolist()})
            groups = apply(groups, said.entry)
            said.heard()
        left = ~groups.decided
        wrong = 1 - chances(learned(groups), stated, groups)[left].mean()
        away.append(wrong - (truth != groups.group)[left].mean())
    assert np.abs(away).mean() < off


def test_no_image_is_in_a_wrong_group_where_there_is_one() -> None:
    z, _ = pile()
    one, nobody = np.ones(N, dtype=np.int64), np.zeros(N, dtype=bool)
    assert sure(z, one, one, nobody, 0.5) == 1.0


def test_a_merged_group_has_the_chances_of_its_parts() -> None:
    z, kind = pile(noise=0.4)
    nobody = np.zeros(N, dtype=bool)
    two = sure(z, np.where(kind == 2, 1, kind), kind, nobody)
    three = sure(z, np.where(kind <= 3, 1, kind), kind, nobody)
    assert 0.6 < two < three < 1.0
