"""What shoal makes of corrections: parts, learning, dissolving, and what to ask next."""

import threading
import time

import numpy as np
import pytest

from shoal.corrections.dissolve import dissolve
from shoal.corrections.doubtful import doubtful
from shoal.corrections.entry import NOWHERE
from shoal.corrections.likeness import Landmarks, likeness
from shoal.corrections.parts import balanced, parts, parts_of_groups
from shoal.corrections.questions import STRIP, divided, finer, questions
from shoal.corrections.spread import spread
from shoal.errors import DataError


def blobs(sizes: list[int], spread: float = 0.25, d: int = 12, seed: int = 0):
    """Points around middles that lie on the axes, and the number of each point's middle."""
    rng = np.random.default_rng(seed)
    kind = np.repeat(np.arange(len(sizes)), sizes)
    z = np.eye(d)[kind] + rng.normal(0, spread, (len(kind), d))
    order = rng.permutation(len(kind))
    return z[order].astype(np.float32), kind[order]


def decide(group, rows, to):
    """The groups and what is decided after a person put rows into a group."""
    group, decided = group.copy(), np.zeros(len(group), dtype=bool)
    group[rows], decided[rows] = to, True
    return group, decided


def test_landmarks_speak_of_many_images_on_all_cores_with_the_same_bits(monkeypatch):
    rng, seen = np.random.default_rng(0), set()
    x = rng.normal(size=(2000, 12)).astype(np.float32)
    landmarks = Landmarks(x[:50], rng.normal(size=(50, 3)).astype(np.float32))

    def watched(a, b):
        seen.add(threading.get_ident())
        time.sleep(0.02)
        return likeness(a, b)

    monkeypatch.setattr("shoal.corrections.likeness.likeness", watched)
    monkeypatch.setattr("shoal.images.decoding.parallel.n_cores", lambda: 3)
    said = landmarks.of(x)
    assert len(seen) == 3
    for start in range(0, 2000, 512):
        block = slice(start, start + 512)
        alone = likeness(x[block], landmarks.points) @ landmarks.words
        assert np.array_equal(said[block], alone)


def test_parts_are_numbered_by_size_and_the_same_every_time():
    z, kind = blobs([60, 30, 10], spread=0.1)
    first = parts(z, 3)
    assert np.bincount(first).tolist() == [60, 30, 10]
    assert np.array_equal(first, kind)
    assert np.array_equal(first, parts(z, 3))
    assert parts(z[:2], 5).tolist() in ([0, 1], [1, 0])
    assert parts(np.zeros((5, 3), np.float32), 2).tolist() == [0] * 5, "copies are one part"
    with pytest.raises(DataError, match=r"^n_parts must be at least 1, got 0\.$"):
        parts(z, 0)


def test_parts_of_groups_cross_no_groups():
    z, kind = blobs([300, 200, 100])
    group = np.where(kind == 2, NOWHERE, kind + 5)
    part = parts_of_groups(z, group, 24)
    assert (part[group == NOWHERE] == -1).all()
    numbers = np.unique(part[part >= 0])
    assert numbers.tolist() == list(range(len(numbers)))
    assert all(len(np.unique(group[part == number])) == 1 for number in numbers)
    assert 18 <= len(numbers) <= 22


def test_learning_without_a_word_or_with_confirmations_alone_changes_nothing():
    z, kind = blobs([80, 60, 40], spread=0.4)
    group = kind + 1
    silent = np.zeros(len(z), dtype=bool)
    assert np.array_equal(spread(z, group, silent).group, group)
    confirmed = silent.copy()
    confirmed[::7] = True
    assert (spread(z, group, confirmed, result=group).group == group).mean() > 0.97


def test_a_kind_that_lies_in_the_wrong_group_follows_the_images_that_were_moved():
    z, kind = blobs([200, 100, 40], spread=0.15)
    truth = np.array([1, 2, 2])[kind]
    result = np.array([1, 2, 1])[kind]  # the small kind is on the wrong side
    group, decided = decide(result, np.flatnonzero(kind == 2)[:12], 2)
    learned = spread(z, group, decided, result=result)
    assert (learned.group == truth).mean() == 1.0
    again = spread(z, learned.group, decided, inferred=learned.group != group, result=result)
    assert np.array_equal(again.group, learned.group), "learning twice is learning once"


def test_where_answers_tell_nothing_of_others_images_stay():
    """Learning is left out where it does not tell what was said of parts that are left out."""
    z, kind = blobs([240, 240], spread=0.3)
    light = np.arange(480) % 4 == 0  # a quarter, in another light that hides its kinds
    z[light] = np.eye(12)[5] * 2 + np.random.default_rng(3).normal(0, 0.3, (120, 12))
    truth = kind + 1
    result = np.where(light, 3, truth)
    group = np.where(light, truth, result)  # where dissolving put them: right
    inferred, decided = light.copy(), np.zeros(480, dtype=bool)
    for of in (light & (kind == 0), light & (kind == 1)):
        for start in (0, 20, 40):
            decided[np.flatnonzero(of)[start : start + 12]] = True
    inferred &= ~decided
    learned = spread(z, group, decided, inferred=inferred, result=result)
    moved = learned.group != group
    assert moved.sum() < 20
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shoal.corrections.trust._TOLERANCE", 1.0)  # learning is always trusted
        trusting = spread(z, group, decided, inferred=inferred, result=result)
    assert (trusting.group != group).sum() > 2 * moved.sum()


def test_a_new_group_takes_the_images_that_are_like_it():
    z, kind = blobs([150, 150])
    result = np.ones(300, dtype=np.int64)
    group, decided = decide(result, np.flatnonzero(kind == 1)[:12], 7)
    learned = spread(z, group, decided, result=result)
    assert (learned.group == np.where(kind == 1, 7, 1)).mean() > 0.95


def test_what_a_person_decided_stays_however_odd_it_is():
    z, kind = blobs([100, 100])
    rng = np.random.default_rng(1)
    group, decided = decide(kind + 1, rng.choice(200, 40, replace=False), 2)
    group[3], decided[3] = NOWHERE, True
    learned = spread(z, group, decided)
    assert np.array_equal(learned.group[decided], group[decided])
    assert (learned.confidence[decided] == 1.0).all()
    assert np.allclose(learned.membership[group != NOWHERE].sum(axis=1), 1.0, atol=1e-5)
    assert (learned.group == NOWHERE).sum() == 1, "learning sends nothing nowhere"


def test_pairs_to_keep_apart_are_apart():
    z, kind = blobs([60, 60, 60])
    a, b, c = np.flatnonzero(kind == 0)[:3].tolist()
    group, decided = decide(kind + 1, [c], 1)
    learned = spread(z, group, decided, apart=[(a, b), (b, c), (a, c)])
    assert len({int(learned.group[row]) for row in (a, b, c)}) == 3
    assert learned.group[c] == 1
    both = np.zeros(180, dtype=bool)
    both[[a, b]] = True
    kept = spread(z, kind + 1, both, apart=[(a, b)])
    assert kept.group[a] == kept.group[b], "nothing but the person moves what they decided"


def test_odd_piles_can_be_learned_from():
    z = np.zeros((6, 4), dtype=np.float32)
    one = np.array([True, False, False, False, False, False])
    assert spread(z, np.ones(6, np.int64), one).group.tolist() == [1] * 6
    nowhere = spread(z, np.zeros(6, np.int64), one)
    assert nowhere.group.tolist() == [NOWHERE] * 6
    assert np.isfinite(nowhere.confidence).all()
    everything = spread(z, np.array([1, 1, 2, 2, 3, 3]), np.ones(6, bool))
    assert everything.group.tolist() == [1, 1, 2, 2, 3, 3]
    assert everything.confidence.tolist() == [1.0] * 6


def test_many_decided_images_are_learned_from_by_landmarks():
    z, kind = blobs([1500, 1500], spread=0.5)
    decided = np.zeros(3000, dtype=bool)
    decided[:2400] = True
    rng = np.random.default_rng(0)
    result = rng.integers(1, 3, 3000)
    group = np.where(decided, kind + 1, result)
    learned = spread(z, group, decided, result=result)
    assert (learned.group == kind + 1)[~decided].mean() > 0.9


def test_of_a_very_large_pile_the_least_clear_images_are_looked_at_closely(monkeypatch):
    z, kind = blobs([900, 600, 500, 400], spread=0.5)
    result = np.array([1, 2, 2, 3])[kind]
    group, decided = decide(result, np.flatnonzero(kind == 2)[:40], 4)

    def learned(most: int):
        monkeypatch.setattr("shoal.corrections.spread._PRODUCTS", most * decided.sum())
        return spread(z, group, decided, result=result).group

    whole = learned(len(z))
    assert (whole != group).sum() > 300
    assert (learned(0) == whole).mean() < 0.995, "a rough look alone is not enough"
    assert (learned(len(z) // 5) == whole).mean() > 0.999


def test_learning_takes_less_than_a_second():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(8500, 96)).astype(np.float32)
    group = rng.integers(1, 11, 8500)
    decided = np.zeros(8500, dtype=bool)
    decided[rng.choice(8500, 1200, replace=False)] = True
    began = time.process_time()
    spread(z, group, decided, result=group)
    assert time.process_time() - began < 3.0, "seconds of processor, all threads"


def test_the_images_of_a_dissolved_group_go_where_their_neighbours_are():
    z, kind = blobs([100, 100, 100])
    group = kind + 1
    rows = np.random.default_rng(0).choice(300, 60, replace=False)
    group[rows] = 9
    where = dissolve(z, group, 9)
    assert np.array_equal(where, kind[np.sort(rows)] + 1)
    group[:5] = NOWHERE
    assert NOWHERE not in dissolve(z, group, 9)
    with pytest.raises(DataError, match="there is no group 4"):
        dissolve(z, group, 4)
    with pytest.raises(DataError, match="there is no other group"):
        dissolve(z, np.ones(300, np.int64), 1)


def test_a_question_is_about_the_part_that_settles_most():
    z, kind = blobs([200, 100, 40])
    result = np.array([1, 2, 1])[kind]
    x, part = balanced(z), parts_of_groups(z, result, 20)
    nothing = np.zeros(len(z), dtype=bool)
    learned = spread(z, result, nothing)
    first = questions(x, result, nothing, part, learned)[0]
    assert (part[first.images] == first.part).all()
    assert len(first.rows) == min(STRIP, len(first.images)) == len(np.unique(first.rows))
    assert first.group in first.candidates
    assert list(first.shares) == sorted(first.shares, reverse=True)
    all_of_them = questions(x, result, nothing, part, learned, most=100)
    assert len(all_of_them) == part.max() + 1
    gains = [question.gain for question in all_of_them]
    assert gains == sorted(gains, reverse=True)
    # Answered truly, the small kind on the wrong side comes up early and all is right.
    truth, group, decided = np.array([1, 2, 2])[kind], result.copy(), nothing.copy()
    for _ in range(8):
        learned = spread(z, group, decided, result=result)
        asked = questions(x, group, decided, part, learned)[0]
        group[asked.rows] = np.bincount(truth[asked.rows]).argmax()
        decided[asked.rows] = True
    assert (spread(z, group, decided, result=result).group == truth).mean() > 0.98


def test_the_most_doubtful_images_are_asked_about_by_themselves():
    z, kind = blobs([100, 100], spread=0.1)
    between = np.arange(0, 200, 25)
    z[between] = (np.eye(12)[0] + np.eye(12)[1]) / 2
    group, left = kind + 1, np.ones(200, dtype=bool)
    learned = spread(z, group, ~left)
    question = doubtful(group, left, learned)
    assert question is not None
    assert set(between) <= set(question.rows.tolist())
    assert len(question.guesses) == len(question.rows) <= STRIP
    assert question.candidates == (1, 2)
    left[question.rows] = False
    again = doubtful(group, left, learned)
    assert again is None or not set(again.rows.tolist()) & set(question.rows.tolist())
    one = np.ones(200, np.int64)
    assert doubtful(one, left, spread(z, one, left)) is None


def test_a_part_is_not_asked_twice_and_can_be_divided():
    z, kind = blobs([120, 60])
    group = np.ones(180, dtype=np.int64)
    x, part = balanced(z), np.zeros(180, dtype=np.int64)
    nothing = np.zeros(180, dtype=bool)
    learned = spread(z, group, nothing)
    asked = questions(x, group, nothing, part, learned)[0]
    assert len(asked.images) == 180
    assert not questions(x, group, nothing, part, learned, asked=[0])
    mixed = divided(x, part, nothing, 0)
    assert len(np.unique(mixed)) == 3
    assert all(len(np.unique(kind[mixed == number])) == 1 for number in np.unique(mixed))
    decided = nothing.copy()
    decided[asked.rows] = True
    assert not questions(x, group, decided, part, learned)
    again = finer(x, part, decided)
    assert (again[decided] == -1).all()
    assert len(questions(x, group, decided, again, learned, most=9)) == 2
    assert not questions(x, group, ~nothing, again, learned)


@pytest.mark.parametrize("d", [1, 2])
def test_vectors_that_are_compared_as_they_are_are_not_compared_by_directions(d: int):
    kind = np.arange(600) % 4
    middle = np.outer(kind, np.ones(d)) * 5
    z = (middle + np.random.default_rng(0).normal(size=(600, d))).astype(np.float32)
    group = np.where(kind < 2, 1, 2)
    told = np.random.default_rng(1).permutation(600)[:30]
    told_group = np.array([1, 3, 2, 4])[kind[told]]
    said, decided = decide(group, told, told_group)

    def right(metric: str) -> float:
        learned = spread(z, said, decided, result=group, x=balanced(z, metric))
        return float((learned.group == np.array([1, 3, 2, 4])[kind]).mean())

    assert right("cosine") < 0.7
    assert right("euclidean") > 0.95
    assert np.isfinite(balanced(np.zeros((5, d), np.float32), "euclidean")).all()
    assert parts(z, 4, metric="euclidean").tolist() != parts(z, 4).tolist()
