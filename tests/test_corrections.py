"""What a person said is kept: the journal survives any kill, and its entries come to one thing."""

import contextlib
import json
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.corrections import say
from shoal.corrections.corrected import corrected
from shoal.corrections.entry import NOWHERE, Entry
from shoal.corrections.groups import Groups, apply, start
from shoal.corrections.history import replay
from shoal.corrections.honoured import Honoured
from shoal.corrections.journal import Journal
from shoal.corrections.journal_file import journal_beside, read_journal, start_entry
from shoal.corrections.mend import mend
from shoal.embedding.table import ImageTable
from shoal.errors import DataError, OutputError

N = 12
IDS = [f"{row}.png" for row in range(N)]
LABELS = np.arange(N) % 3


def beginning() -> Groups:
    return start(start_entry(IDS, LABELS))


def partition(groups: Groups) -> set[frozenset[str]]:
    return {frozenset(groups.ids_of(groups.members(group))) for group in groups.sizes}


def something(groups: Groups, draw, among: list[int]) -> Entry | None:
    """A random word about the images ``among`` alone; None where it makes no sense."""
    rows = np.array(sorted(draw(st.sets(st.sampled_from(among), min_size=1))))
    word = draw(st.sampled_from(["move", "new", "confirm", "nowhere", "apart", "note"]))
    if word == "move":
        return say.move(groups, rows, int(groups.group[among[0]]))
    if word == "apart":
        return say.apart(groups, rows[:2]) if len(rows) > 1 else None
    if word == "note":
        return say.note(groups, "look again", row=int(rows[0]))
    return getattr(say, word)(groups, rows)


def anything(groups: Groups, draw) -> Entry | None:
    """A random word about groups or images; None where it makes no sense."""
    known = [group for group in groups.sizes if group != NOWHERE]
    word = draw(
        st.sampled_from(["merge", "split", "name", "dissolve", "divide", "learn", "images"])
    )
    if word == "images" or not known:
        return something(groups, draw, list(range(N)))
    group = draw(st.sampled_from(known))
    others = [other for other in known if other != group]
    if word == "name":
        return say.name(groups, group, f"kind {groups.next_group} {group}")
    if word == "divide":
        return say.divide(groups, np.arange(N) % 4, "4 clusters", {"n_clusters": 4})
    if word == "split":
        rows = groups.members(group)
        return say.split(groups, group, np.arange(len(rows)) % 2) if len(rows) > 1 else None
    if not others:
        return None
    if word == "merge":
        return say.merge(groups, [group, others[0]])
    if word == "dissolve":
        return say.dissolve(groups, group, np.full(len(groups.members(group)), others[0]))
    target = np.where(groups.decided, groups.group, others[0])
    return say.learn(groups, target) if (target != groups.group).any() else None


def same(first: Groups, second: Groups) -> bool:
    return (
        first.ids == second.ids and first.group.tolist() == second.group.tolist()
        and first.decided.tolist() == second.decided.tolist()
        and first.inferred.tolist() == second.inferred.tolist()
        and dict(first.names) == dict(second.names) and first.apart == second.apart
        and first.notes == second.notes and first.touched == second.touched
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_words_can_all_be_undone_and_done_again(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("journal") / "x.corrections.jsonl"
    with Journal(path, start_entry(IDS, LABELS)) as journal:
        before = [journal.history.groups]
        for _ in range(data.draw(st.integers(1, 8))):
            entry = anything(before[-1], data.draw)
            if entry is not None:
                journal.append(entry)
                before.append(journal.history.groups)
        for groups in reversed(before[:-1]):
            journal.undo()
            assert same(journal.history.groups, groups)
        for groups in before[1:]:
            journal.redo()
            assert same(journal.history.groups, groups)
    again = read_journal(path).history
    assert same(again.groups, before[-1])
    assert same(replay(again.entries).groups, before[-1])


def test_nothing_is_learned_from_nothing():
    groups = beginning()
    with pytest.raises(DataError, match="no image is decided yet"):
        say.learn(groups, groups.group)
    groups = apply(groups, say.confirm(groups, np.array([0])))
    with pytest.raises(DataError, match="every image is where the corrections put it"):
        say.learn(groups, groups.group)


def test_undo_goes_back_further_than_states_are_kept(tmp_path):
    with Journal(tmp_path / "x.jsonl", start_entry(IDS, LABELS)) as journal:
        first = journal.history.groups
        for n in range(100):
            journal.append(say.move(journal.history.groups, np.array([n % N]), 1 + n % 2))
        for _ in range(100):
            journal.undo()
        assert same(journal.history.groups, first)
        with pytest.raises(DataError, match="nothing to undo"):
            journal.undo()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_words_about_different_images_commute(data):
    groups = beginning()
    first = something(groups, data.draw, list(range(6)))
    second = something(groups, data.draw, list(range(6, N)))
    if first is None or second is None:
        return
    if first.op == second.op == "new":  # each made its group first
        second = say.new(apply(groups, first), np.array(groups.pile.rows(*second.moves.values())))
    one, other = apply(apply(groups, first), second), apply(apply(groups, second), first)
    assert partition(one) == partition(other)
    assert one.decided.tolist() == other.decided.tolist()
    assert set(one.apart) == set(other.apart)


def test_a_first_line_that_is_not_whole_is_kept_beside_the_new_journal(tmp_path):
    path = tmp_path / "x.corrections.jsonl"
    begin = start_entry(IDS, LABELS)
    with Journal(path, begin) as journal:
        assert journal.kept is None
    whole = path.read_bytes()
    for name in ("x.corrections.jsonl.torn", "x.corrections.jsonl.1.torn"):
        path.write_bytes(whole[:60])
        with Journal(path, begin) as journal:
            assert journal.kept == tmp_path / name
        assert (tmp_path / name).read_bytes() == whole[:60]
        assert len(read_journal(path).history.entries) == 1
    path.write_bytes(b"")  # as a process that was killed before its first byte leaves it
    with Journal(path, begin) as journal:
        assert journal.kept is None


def test_a_line_that_does_not_fit_is_named_with_what_to_do(tmp_path):
    path = tmp_path / "x.corrections.jsonl"
    with Journal(path, start_entry(IDS, LABELS)) as journal:
        journal.append(say.confirm(journal.history.groups, np.array([0])))
    path.write_text(path.read_text().replace(f'"{IDS[0]}"]}}', '"nope.png"]}'))
    with pytest.raises(DataError, match=r"damaged: line 2 does not fit .*'nope.png'\. Restore it"):
        read_journal(path)


def test_a_journal_cut_at_any_byte_opens_with_what_was_whole(tmp_path):
    path = tmp_path / "x.jsonl"
    with Journal(path, start_entry(IDS, LABELS)) as journal:
        journal.append(say.merge(journal.history.groups, [1, 2], "cats"))
        journal.append(say.move(journal.history.groups, np.array([2]), 4))
    content = path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(content) if byte == ord("\n")]
    for size in range(len(content)):
        path.write_bytes(content[:size])
        whole = sum(end - 1 <= size for end in ends)  # a line without its end is whole, too
        with Journal(path, start_entry(IDS, LABELS)) as journal:
            assert len(journal.history.entries) == max(whole, 1)
            journal.append(say.confirm(journal.history.groups, np.array([0])))
            journal.append(say.confirm(journal.history.groups, np.array([1])))
        assert len(read_journal(path).history.entries) == max(whole, 1) + 2
        pieces = [torn.read_bytes() for torn in tmp_path.glob("*.torn")]
        last = content[:size].rpartition(b"\n")[2]
        assert pieces == ([] if size in (0, *ends, *(end - 1 for end in ends)) else [last])
        for torn in tmp_path.glob("*.torn"):
            torn.unlink()


def test_one_process_writes_and_a_full_disk_changes_nothing(tmp_path, monkeypatch):
    path = tmp_path / "x.jsonl"
    with Journal(path, start_entry(IDS, LABELS)) as journal:
        with pytest.raises(OutputError, match="another shoal process"):
            Journal(path, start_entry(IDS, LABELS))
        before = path.read_bytes(), journal.history

        def full(file, content, place):
            os.lseek(file, place, os.SEEK_SET)
            os.write(file, bytes(content[:10]))
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(OutputError, match="disk is full"):
            journal.append(say.confirm(journal.history.groups, np.array([0])))
        monkeypatch.undo()
        assert (path.read_bytes(), journal.history) == before
        with monkeypatch.context() as at:  # nor can the line be cut: a longer one is left behind
            at.setattr(os, "pwrite", full)
            at.setattr(os, "ftruncate", lambda *_: (_ for _ in ()).throw(OSError(5, "I/O error")))
            with pytest.raises(OutputError):
                journal.append(say.confirm(journal.history.groups, np.arange(N)))
        assert path.stat().st_size > len(before[0])
        path.write_bytes(path.read_bytes() + b"x" * 10_000)
        journal.append(say.confirm(journal.history.groups, np.array([0])))
    assert read_journal(path).history.groups.decided.sum() == 1


@pytest.mark.parametrize("change", ["cut", "replaced", "gone"])
def test_nothing_is_written_where_it_would_be_lost(tmp_path, change):
    path = tmp_path / "x.jsonl"
    with Journal(path, start_entry(IDS, LABELS)) as journal:
        journal.append(say.confirm(journal.history.groups, np.array([0])))
        before = path.read_bytes()
        if change == "cut":
            os.truncate(path, len(before) - 9)
        else:
            path.rename(tmp_path / "copy")
        if change == "replaced":
            path.write_bytes(before)
        with pytest.raises(OutputError, match="moved, replaced or cut by another program"):
            journal.append(say.confirm(journal.history.groups, np.array([1])))
        assert len(journal.history.entries) == 2
        if change != "gone":
            assert path.read_bytes() == before[: path.stat().st_size]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: [b"not json", *lines[1:]], "damaged: line 1 cannot be read"),
        (lambda lines: [b"not json"], "not a file of corrections"),
        (lambda lines: [lines[0].replace(b'"version":1', b'"version":2'), *lines[1:]], "newer"),
        (lambda lines: [lines[0], b"{}", *lines[1:]], "line 2 cannot be read"),
        (lambda lines: [lines[0], lines[2]], "line 2 holds entry 3"),
        (lambda lines: [lines[0], lines[1].replace(b"0.png", b"?.png")], "an image that is not"),
        (lambda lines: [b"[" * 100_000], "not a file of corrections"),
    ],
)
def test_a_damaged_journal_is_refused_in_a_sentence_and_left_as_it_is(tmp_path, change, says):
    path = tmp_path / "x.jsonl"
    with Journal(path, start_entry(IDS, LABELS)) as journal:
        journal.append(say.confirm(journal.history.groups, np.array([0])))
        journal.append(say.confirm(journal.history.groups, np.array([1])))
    content = b"\n".join(change(path.read_bytes().splitlines())) + b"\n"
    path.write_bytes(content)
    with pytest.raises(DataError, match=says):
        read_journal(path)
    with pytest.raises(DataError, match=says):
        Journal(path, start_entry(IDS, LABELS))
    assert path.read_bytes() == content


def test_damaged_journals_are_read_or_refused_and_never_changed(tmp_path):
    path = tmp_path / "x.jsonl"
    with Journal(path, start_entry(IDS, LABELS)) as journal:
        journal.append(say.merge(journal.history.groups, [1, 2], "cats"))
        journal.append(say.apart(journal.history.groups, np.array([0, 2])))
        journal.append(say.divide(journal.history.groups, LABELS, "3 clusters", {}))
        journal.undo()
    whole = path.read_bytes()
    refused = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        content = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            place, n = rng.integers(len(content)), rng.integers(0, 9)
            piece = [bytes(rng.integers(256, size=n, dtype=np.uint8)), b"", b"-1", b"null", b"[{}]",
                     whole[place : place + n], b"1e999", b"99999999999999999999"]  # fmt: skip
            content[place : place + n] = piece[rng.integers(len(piece))]
        path.write_bytes(content)
        said = []
        for opened in (read_journal, Journal):
            with contextlib.ExitStack() as stack:
                try:
                    found = opened(path)
                    if opened is Journal:
                        stack.enter_context(found)
                except DataError as error:
                    said.append(str(error))
        assert len(said) in (0, 2)
        assert not any("\n" in sentence for sentence in said)
        refused += bool(said)
        assert path.read_bytes() == content or not said
        if said and "shoal mend" in said[0]:
            found = mend(path, lambda piece: None)
            assert found is not None
            assert found.kept.read_bytes() == content
            if found.history is not None:
                assert same(read_journal(path).history.groups, found.history.groups)
    assert refused > 100


def test_notes_on_groups_outlive_merging_and_splitting():
    groups = beginning()
    first, second = list(groups.sizes)[:2]
    groups = apply(groups, say.note(groups, "blurred", group=first))
    groups = apply(groups, say.note(groups, "from May", group=second))
    merged = apply(groups, say.merge(groups, [first, second]))
    (target,) = set(merged.group[np.isin(groups.group, [first, second])].tolist())
    assert set(merged.note_on(group=target).split("\n")) == {"blurred", "from May"}
    parts = np.arange(len(merged.members(target))) % 3 // 2  # the first is the larger
    split = apply(merged, say.split(merged, target, parts))
    largest, other = [g for g in split.sizes if g not in merged.sizes]
    assert split.note_on(group=largest) == merged.note_on(group=target)
    assert split.note_on(group=other) is None


def test_a_table_as_a_person_left_it():
    groups = beginning()
    groups = apply(groups, say.merge(groups, [2, 3], "dogs"))
    groups = apply(groups, say.move(groups, np.array([0]), 4))
    groups = apply(groups, say.nowhere(groups, np.array([3])))
    table = ImageTable(IDS, LABELS, np.zeros((N, 2), np.float32), np.full(N, 0.7, np.float32))
    left = corrected(table, groups)
    assert left.labels[[0, 1, 3, 6]].tolist() == [0, 0, 2, 1]
    assert [left.names[row] for row in (0, 1, 3, 6)] == [
        "dogs",
        "dogs",
        "belongs nowhere",
        "group 1",
    ]
    assert left.confidence[[0, 1, 3]].tolist() == pytest.approx([1.0, 0.7, 1.0])


def test_what_is_said_names_groups_one_way_and_tells_moved_from_confirmed():
    groups = apply(beginning(), say.name(beginning(), 2, "cats"))
    here = groups.members(1)
    there = groups.members(2)[:2]
    assert say.move(groups, here[:3], 1).says == "Confirmed 3 images in Group 1."
    assert say.move(groups, here[:3], 2).says == "Moved 3 images to 'cats'."
    both = np.concatenate([here[:1], there])
    assert say.move(groups, both, 2).says == "Moved 1 image to 'cats', and confirmed 2 there."
    merged = say.merge(groups, [1, 3])
    n, new = len(here) + len(groups.members(3)), groups.next_group
    assert merged.says.endswith(f": {n} images are Group {new} now.")
    assert "Group 1" in merged.says
    assert say.dissolve(groups, 1, np.full(len(here), 2)).says.startswith("Dissolved Group 1 (")


def test_an_answer_about_single_images_tells_what_became_of_each():
    groups = beginning()
    rows = np.array([0, 3, 6, 1, 4, 2, 5])  # of groups 1, 1, 1, 2, 2, 3, 3
    new = groups.next_group
    targets = np.array([1, 1, 2, new, new, NOWHERE, 3])
    assert say.answers(groups, rows, targets, "{cats}").says == (
        "Answered for 7 images: 3 stayed, 1 moved to Group 2, 2 went into the new group '{cats}' "
        "and 1 belongs nowhere."
    )
    assert say.answers(groups, rows[:1], targets[3:4]).says == (
        f"Answered for 1 image: 1 went into the new Group {new}."
    )
    assert say.answers(groups, rows[:2], targets[:2]).says == "Answered for 2 images: 2 stayed."


@pytest.mark.parametrize(("n", "stay"), [
    (0, ""), (1, " 1 decided image stays in its group."),
    (5, " 5 decided images stay in their groups."),
])  # fmt: skip
def test_another_division_tells_what_stays(n, stay):
    groups = beginning()
    groups = apply(groups, say.confirm(groups, np.arange(n))) if n else groups
    says = say.divide(groups, np.arange(N) % 4, "4 {clusters}", {}).says
    assert says == "Took another division: 4 {clusters}." + stay


def test_two_groups_never_have_one_name():
    groups = beginning()
    groups = apply(groups, say.name(groups, 1, "cats"))
    with pytest.raises(DataError, match="another group is called 'cats'"):
        say.name(groups, 2, " cats ")
    with pytest.raises(DataError, match="another group is called 'cats'"):
        say.new(groups, np.array([1]), "cats")
    merged = apply(groups, say.merge(groups, [1, 2]))
    assert merged.title(int(merged.group[0])) == "cats"


def test_the_journal_lies_beside_its_checkpoint_and_tells_no_paths(tmp_path):
    path = journal_beside(tmp_path / "best.pth")
    with Journal(path, start_entry(IDS, LABELS, about={"result": "abc"})):
        pass
    assert path.name == "best.corrections.jsonl"
    first = json.loads(path.read_text())
    assert first["about"]["result"] == "abc"
    assert str(tmp_path) not in path.read_text()


def test_a_name_is_not_what_shoal_calls_another_group_and_shows_what_it_is():
    groups = beginning()
    for called in ("group 1", "Group 99", "belongs nowhere"):
        with pytest.raises(DataError, match="what shoal calls a group without a name"):
            say.name(groups, 2, called)
    assert say.name(groups, 2, "a\u202eb\x00c").names == {2: "a b c"}


@pytest.mark.parametrize("change", [('"op":"move"', '"op":"zap"'), ("true", '"yes"')])
def test_an_entry_that_no_shoal_wrote_is_refused(tmp_path, change):
    path = tmp_path / "x.jsonl"
    with Journal(path, start_entry(IDS, LABELS)) as journal:
        journal.append(say.move(journal.history.groups, np.array([0]), 2))
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(DataError, match="line 2 cannot be read"):
        read_journal(path)


def test_of_images_that_belong_nowhere_nothing_is_said_of_their_kind():
    table = ImageTable.of_labels(IDS[:4], np.array([0, 0, 1, 1]))
    decided = np.array([True, True, True, False])
    honoured = Honoured(
        table, np.array([NOWHERE, NOWHERE, 2, 2]), decided, table.labels, (), (), ""
    )
    told, guessed, together = honoured.says(np.array([0, 0, 2]), np.array([1, 2, 3]))
    assert told.tolist() == [False, True, False]
    assert guessed.tolist() == [False, False, True]
    assert together.tolist() == [False, False, True]
