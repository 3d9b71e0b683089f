"""What a person said about one result holds on another: of another seed, k, or other images."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.corrections import say
from shoal.corrections.carry import carry
from shoal.corrections.entry import NOWHERE, Entry
from shoal.corrections.groups import Groups, apply, start
from shoal.corrections.history import replay
from shoal.corrections.journal_file import start_entry
from shoal.embedding.table import ImageTable
from shoal.errors import DataError
from shoal.review.said import conflicts
from tests.test_corrections import anything, partition

N, KINDS = 240, 4
IDS = [f"{row}.png" for row in range(N)]
TRUTH = np.arange(N) % KINDS


def embedding(rows: np.ndarray, seed: int = 0) -> np.ndarray:
    """Kinds on the corners of a square, so that neighbours tell them apart."""
    corners = np.array([[0, 0], [9, 0], [0, 9], [9, 9]], dtype=np.float32)
    noise = np.random.default_rng(seed).normal(size=(len(rows), 2))
    return corners[rows % KINDS] + noise.astype(np.float32)


def table(labels: np.ndarray, ids: list[str] | None = None, seed: int = 0) -> ImageTable:
    ids = IDS if ids is None else ids
    rows = np.array([int(name.split(".")[0]) for name in ids])
    confidence = np.full(len(ids), 0.9, np.float32)
    return ImageTable(ids, labels, embedding(rows, seed), confidence)


def noisy(seed: int, share: float = 0.1) -> np.ndarray:
    """A result: the kinds under other numbers, some images in a wrong one."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(KINDS)[TRUTH]
    wrong = rng.random(N) < share
    return np.where(wrong, rng.integers(KINDS, size=N), labels)


def accuracy(labels: np.ndarray, truth: np.ndarray) -> float:
    """The share of images in clusters that are mostly of their kind."""
    return sum(np.bincount(truth[labels == g]).max() for g in np.unique(labels)) / len(truth)


def reviewed_groups(labels: np.ndarray) -> Groups:
    """A person names all groups, and moves ten images of a wrong one."""
    groups = start(start_entry(IDS, labels))
    home = {}
    for number in np.unique(labels):
        kind = int(np.bincount(TRUTH[labels == number]).argmax())
        home[kind] = int(number) + 1
        groups = apply(groups, say.name(groups, int(number) + 1, f"kind {kind}"))
    for kind, group in home.items():
        wrong = np.flatnonzero((kind == TRUTH) & (groups.group != group))[:3]
        if len(wrong):
            groups = apply(groups, say.move(groups, wrong, group))
    return groups


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_on_the_same_result_nothing_changes(data):
    ids, labels = [f"{row}.png" for row in range(12)], np.arange(12) % 3
    entries = [replace(start_entry(ids, labels), n=1)]
    groups = start(entries[0])
    seen = table(labels, ids)
    for _ in range(data.draw(st.integers(1, 8))):
        entry = anything(groups, data.draw)
        if entry is not None:
            entries.append(replace(entry, n=len(entries) + 1))
            groups = apply(groups, entry)
    for reviewed in (None, seen):
        carried = carry(groups, seen, reviewed=reviewed)
        assert carried.conflicts == ()
        for after in (carried.groups, carry(carried.groups, seen, reviewed=reviewed).groups):
            assert partition(after) == partition(groups)
            assert dict(after.names) == dict(groups.names)
            assert after.decided.tolist() == groups.decided.tolist()
            assert after.inferred.tolist() == groups.inferred.tolist()
            assert (after.apart, after.notes) == (groups.apart, groups.notes)
            for group in groups.touched & set(groups.sizes):
                assert groups.members(group).tolist() == after.members(group).tolist()


def test_a_journal_replays_what_was_carried():
    groups = reviewed_groups(noisy(1))
    entry = carry(groups, table(noisy(2)), about={"result": "abc"}).entry
    first = replace(start_entry(IDS, noisy(1)), n=1)
    history = replay([first]).then(replace(entry, n=2))
    assert history.done == ()
    assert entry.about["result"] == "abc"
    again = type(entry).from_json(entry.to_json())
    assert again == entry
    carried = carry(groups, table(noisy(2))).groups
    after = apply(groups, again)
    assert after.group.tolist() == carried.group.tolist()
    assert after.result.tolist() == carried.result.tolist()


@pytest.mark.parametrize("seed", range(4))
def test_another_seed_keeps_names_and_moves_and_is_no_worse(seed):
    groups = reviewed_groups(noisy(seed))
    other = noisy(seed + 10)
    carried = carry(groups, table(other))
    after = carried.groups
    assert set(after.names.values()) == set(groups.names.values())
    assert (after.group[groups.decided] == groups.group[groups.decided]).all()
    before = accuracy(groups.group, TRUTH), accuracy(other, TRUTH)
    assert accuracy(after.group, TRUTH) >= max(before)


def test_another_number_of_clusters_does_not_undo_the_groups():
    groups = reviewed_groups(noisy(1, 0.05))
    for labels in (TRUTH // 2, TRUTH * 3 + np.arange(N) % 3, np.zeros(N, np.int64), TRUTH % 2):
        after = carry(groups, table(labels)).groups
        assert set(after.names.values()) == set(groups.names.values())
        assert accuracy(after.group, TRUTH) >= accuracy(groups.group, TRUTH)


def test_groups_that_nobody_spoke_of_follow_the_other_result():
    groups = start(start_entry(IDS, TRUTH))
    groups = apply(groups, say.name(groups, 1, "first"))
    labels = np.where(TRUTH == 3, 3 + np.arange(N) % 8 // 4, TRUTH)  # the last kind in two
    after = carry(groups, table(labels)).groups
    assert len(after.sizes) == 5
    assert after.names == {1: "first"}


def test_images_set_aside_stay_aside():
    groups = start(start_entry(IDS, TRUTH))
    groups = apply(groups, say.nowhere(groups, np.arange(8)))
    groups = apply(groups, say.learn(groups, np.where(groups.group == 1, 2, groups.group)))
    after = carry(groups, table(noisy(4))).groups
    assert after.members(NOWHERE).tolist() == list(range(8))


def test_new_images_go_where_their_neighbours_are():
    more = [f"{row}.png" for row in range(N + 40)]
    truth = np.arange(N + 40) % KINDS
    groups = start(start_entry(IDS, TRUTH // 2))  # two clusters, each of two kinds
    groups = apply(groups, say.split(groups, 1, TRUTH[groups.members(1)]))
    groups = apply(groups, say.name(groups, groups.next_group - 2, "left"))
    whole = table(truth // 2, more)
    for carried in (
        carry(groups, whole),
        carry(groups, table(truth[N:] // 2, more[N:]), reviewed=table(TRUTH // 2)),
    ):
        after = carried.groups
        new = after.pile.rows(more[N:])
        known = {kind: int(groups.group[kind == TRUTH][0]) for kind in range(KINDS)}
        assert after.group[new].tolist() == [known[kind] for kind in truth[N:]]
        assert not after.decided[new].any()
        assert carried.conflicts == ()
        assert "left" in after.names.values()


def test_a_new_cluster_of_new_images_is_a_group_of_its_own():
    groups = reviewed_groups(TRUTH)
    more = [*IDS, *(f"{row}.png" for row in range(N, N + 20))]
    after = carry(groups, table(np.r_[TRUTH, np.full(20, 9)], more)).groups
    own = set(after.group[N:].tolist())
    assert len(own) == 1
    assert own.isdisjoint(groups.sizes)


def test_what_was_said_of_images_that_are_gone_holds_when_they_come_back():
    groups = reviewed_groups(noisy(3))
    groups = apply(groups, say.apart(groups, np.array([0, 100])))
    fewer = carry(groups, table(noisy(5)[:60], IDS[:60]))
    n_gone = int(groups.decided[60:].sum())
    assert f"{n_gone} images that you decided are not in this result" in " ".join(fewer.conflicts)
    assert fewer.groups.apart == ()
    back = carry(fewer.groups, table(noisy(6))).groups
    assert back.decided.tolist() == groups.decided.tolist()
    assert (back.group[groups.decided] == groups.group[groups.decided]).all()
    assert back.apart == ((0, 100),)
    assert set(back.names.values()) == set(groups.names.values())


def test_conflicts_are_told_in_words():
    groups = start(start_entry(IDS, TRUTH))
    for group, called in ((1, "cats"), (2, "dogs")):
        groups = apply(groups, say.name(groups, group, called))
    groups = apply(groups, say.confirm(groups, np.array([0, 4])))
    groups = apply(groups, say.apart(groups, np.array([8, 1])))
    other = TRUTH.copy()
    other[[0, 4, 8, 12]] = 1  # cats among dogs: two confirmed, one apart from a dog, one free
    near = carry(groups, table(other))  # by its neighbours the free one is a cat
    assert near.groups.title(int(near.groups.group[12])) == "cats"
    assert near.conflicts[1:] == ()
    carried = carry(groups, ImageTable.of_labels(IDS, other))
    assert [carried.groups.title(int(carried.groups.group[row])) for row in (0, 4, 8, 12)] == [
        "cats",
        "cats",
        "cats",
        "dogs",
    ]
    assert carried.conflicts == (
        "2 images that you put into 'cats' are among 'dogs' in this result; they stay where you "
        "put them.",
        "1 image of 'cats' that you had not confirmed follows this result: 1 to 'dogs'.",
    )
    assert carried.groups.inferred[[0, 4, 8, 12]].tolist() == [False] * 4
    assert list(carried.entry.about["conflicts"]) == list(carried.conflicts)


def test_a_conflict_is_told_until_it_is_settled():
    groups = start(start_entry(IDS, TRUTH))
    groups = apply(groups, say.confirm(groups, np.array([0, 4])))
    other = TRUTH.copy()
    other[[0, 4]] = 1
    carried = carry(groups, ImageTable.of_labels(IDS, other)).entry
    history = replay([start_entry(IDS, TRUTH), replace(carried, n=2)])
    (told,) = conflicts(history)
    assert told.startswith("2 images that you put into Group 1 are among Group 2")
    merge = replace(say.merge(history.groups, [1, 2]), n=3)
    assert conflicts(history.then(merge)) == []
    undone = history.then(merge).then(Entry("undo", "Undid", n=4, of=3))
    assert conflicts(undone) == [told]
    one = replace(say.move(history.groups, np.array([0]), 2), n=3)
    assert conflicts(history.then(one)) == [told]  # the other image is still there
    old = replace(carried, n=2, about={"conflicts": [told]})  # of a journal before this
    assert conflicts(replay([start_entry(IDS, TRUTH), old]).then(merge)) == [told]


def test_other_images_alone_need_the_table_that_was_reviewed():
    groups = reviewed_groups(TRUTH)
    new = table(np.zeros(3, np.int64), ["900.png", "901.png", "902.png"])
    with pytest.raises(DataError, match="none of these images is among the corrected ones"):
        carry(groups, new)
    short = replace(new, embedding=new.embedding[:, :1])
    with pytest.raises(DataError, match="has 2 numbers an image, this one 1"):
        carry(groups, short, reviewed=table(TRUTH))
