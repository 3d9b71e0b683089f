"""Labels that were given elsewhere, as an entry of the journal: the person decided these images."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from shoal.corrections.entry import NOWHERE, Entry
from shoal.corrections.group_names import LONGEST_NAME, is_title, printable_name
from shoal.corrections.groups import Groups
from shoal.corrections.image_names import SEVERAL, UNKNOWN, ImageNames
from shoal.corrections.labels import Labels
from shoal.embedding.table import NOWHERE_NAME
from shoal.errors import DataError
from shoal.images.csv_files import quoted
from shoal.plural import counted, fill

_LARGEST = 10**6
"""Numbers of new groups stay below."""


@dataclass(frozen=True)
class Imported:
    """What a file of labels says of a pile."""

    entry: Entry
    notes: tuple[str, ...]
    """What did not fit, as sentences."""
    changes: bool = True
    """Whether the entry changes anything."""
    guesses: Entry | None = None
    """What the file says and marks as no person's word, to follow the entry: it decides nothing."""


def import_labels(groups: Groups, labels: Labels) -> Imported:
    """Take over labels: images of one label go to the group of that name, which may be a new one.

    A group without a name takes the label of most of its labelled images, if most of the images of
    that label are in it: so a few labels name what is there already. Labels that shoal wrote of
    groups without a name, such as ``group 12``, keep their number where they can.

    The latest word of a person counts: images that were decided before go where the file says. A
    label that the file marks as a guess moves only an image that nobody decided, and decides
    nothing.

    Args:
        groups: as they are.
        labels: what a file says.

    Raises:
        DataError: it names no image of the pile, or a label is too long.
    """
    label_of, guessed, notes = _label_of(groups, labels)
    called = [group for group in groups.names if group in groups.sizes]
    group_of = {groups.title(group): group for group in called}
    group_of |= {label: NOWHERE for label in label_of.values() if label.lower() == NOWHERE_NAME}
    numbered = _numbered(groups, label_of)
    names = _named(groups, label_of, set(group_of), set(numbered.values()))
    group_of |= {label: group for group, label in names.items()}
    group_of |= _unnamed(groups, label_of, set(names), numbered)
    taken, n_new = set(group_of.values()), 0
    new_labels = dict.fromkeys(label for _, label in sorted(label_of.items()))
    for label in sorted(new_labels, key=lambda label: _number(label) < 0):  # numbers come first
        if label not in group_of:
            group_of[label] = _new_group(groups, label, taken)
            taken.add(group_of[label])
            if not is_title(label):
                names[group_of[label]] = label
            n_new += 1
    moves: dict[int, list[str]] = {}
    guesses: dict[int, list[str]] = {}
    for row, label in sorted(label_of.items()):
        if row in guessed:
            if not groups.decided[row] and groups.group[row] != group_of[label]:
                guesses.setdefault(group_of[label], []).append(groups.ids[row])
            continue
        moves.setdefault(group_of[label], []).append(groups.ids[row])
    new = f", {_all_or(n_new, len(moves))} new" if n_new else ""
    rows = np.array(sorted(label_of.keys() - guessed), dtype=np.int64)
    says = (
        f"Imported the labels of {counted(len(rows), 'image')} from {labels.path.name}: "
        f"{counted(len(moves), 'group')}{new}."
    )
    target = np.array([group_of[label_of[row]] for row in rows.tolist()], dtype=np.int64)
    other = groups.group[rows] != target
    again = int((groups.decided[rows] & other).sum())
    if again:
        notes.append(fill(
            "{n:,} {n:image|images} that you had put elsewhere {n:is|are} where the file says now.",
            n=again,
        ))  # fmt: skip
    entry = Entry(
        "import", says, moves={group: tuple(ids) for group, ids in moves.items()}, decides=True,
        names=names, about={"format": labels.format, "notes": notes},
    )  # fmt: skip
    changes = bool(names or other.any() or not groups.decided[rows].all())
    return Imported(entry, tuple(notes), changes, _guesses(guesses, labels))


def _all_or(n: int, of: int) -> str:
    """How many of some, in words that fit one and all of them.

    >>> _all_or(1, 1), _all_or(3, 3), _all_or(2, 5)
    ('a', 'all', '2 of them')
    """
    if n < of:
        return f"{n:,} of them"
    return "a" if of == 1 else "all"


def _guesses(guesses: dict[int, list[str]], labels: Labels) -> Entry | None:
    """The entry of images that go where a file guessed; None if there are none."""
    if not guesses:
        return None
    n = sum(map(len, guesses.values()))
    says = f"Moved {counted(n, 'image')} by what {labels.path.name} marks as guesses."
    return Entry("learn", says, moves={group: tuple(ids) for group, ids in guesses.items()})


def _numbered(groups: Groups, label_of: dict[int, str]) -> dict[str, int]:
    """The labels like ``group 12`` that mean the group of this number, which has no name.

    It is meant if most images of the label are in it, or if all of its images have a label: then
    none is left in it that the file does not put there.
    """
    numbers = {label: _number(label) for label in label_of.values()}
    numbers = {
        label: number for label, number in numbers.items()
        if number in groups.sizes and number not in groups.names and number != NOWHERE
    }  # fmt: skip
    labelled = Counter(int(groups.group[row]) for row in label_of)
    n_of, n_inside = Counter(label_of.values()), Counter[str]()
    for row, label in label_of.items():
        n_inside[label] += int(groups.group[row]) == numbers.get(label)
    return {
        label: number for label, number in numbers.items()
        if 2 * n_inside[label] > n_of[label] or labelled[number] == groups.sizes[number]
    }  # fmt: skip


def _named(
    groups: Groups, label_of: dict[int, str], known: set[str], taken: set[int]
) -> dict[int, str]:
    """The groups without a name that a label names, each with its label."""
    inside: dict[int, Counter[str]] = {}
    spread: dict[str, Counter[int]] = {}
    for row, label in sorted(label_of.items()):
        group = int(groups.group[row])
        inside.setdefault(group, Counter())[label] += 1
        spread.setdefault(label, Counter())[group] += 1
    return {
        group: label
        for group, labels in inside.items()
        for label, count in labels.items()
        if label not in known and not is_title(label)
        and group not in groups.names and group not in taken and group != NOWHERE
        and 2 * count > labels.total() and 2 * count > spread[label].total()
    }  # fmt: skip


def _unnamed(
    groups: Groups, label_of: dict[int, str], named: set[int], numbered: dict[str, int]
) -> dict[str, int]:
    """The groups that labels like ``group 12`` mean: shoal wrote them of groups without a name.

    That is the group of this number, see `_numbered`, or else the group without a name that most of
    the images are in and that holds little else. A number that is free here is a new group, where
    nothing would be left of the other one.
    """
    labelled = Counter(int(groups.group[row]) for row in label_of)
    inside: dict[str, Counter[int]] = {}
    for row, label in label_of.items():
        if is_title(label) and label.lower() != NOWHERE_NAME and label not in numbered:
            inside.setdefault(label, Counter())[int(groups.group[row])] += 1
    meant = dict(numbered)
    for label, counts in sorted(inside.items()):
        group, count = counts.most_common(1)[0]
        most = 2 * count > counts.total() and 2 * count > labelled[group] and group != NOWHERE
        emptied = labelled[group] == groups.sizes[group] and _number(label) >= groups.next_group
        free = group not in groups.names and group not in named | set(meant.values())
        if most and free and not emptied:
            meant[label] = group
    return meant


def _new_group(groups: Groups, label: str, taken: set[int]) -> int:
    """The number of a new group; of one without a name, that which its label has, if it is free."""
    number = _number(label)
    if groups.next_group <= number < _LARGEST and number not in taken:
        return number
    return next(n for n in range(groups.next_group, _LARGEST) if n not in taken)


def _number(label: str) -> int:
    """The number in ``group 12``; -1 in any other label."""
    words = label.split()
    return int(words[1]) if is_title(label) and words[-1].isdecimal() else -1


def _label_of(groups: Groups, labels: Labels) -> tuple[dict[int, str], set[int], list[str]]:
    """The label of each row that has just one, the rows whose label is a guess, and what did not
    fit."""
    names = ImageNames(groups.ids)
    said: dict[int, set[str]] = {}
    guessed: set[int] = set()
    missed: dict[int, dict[str, None]] = {UNKNOWN: {}, SEVERAL: {}}
    for name, label in labels.labels:
        row = names.row(name)
        if row < 0:
            missed[row][name] = None
        else:
            said.setdefault(row, set()).add(_checked(label, labels))
            if name in labels.guessed:
                guessed.add(row)
    if not said:
        example = quoted(labels.labels[0][0])
        raise DataError(
            f"{labels.path} names none of these images: {example}, for one, is not "
            f"{'one of them' if missed[UNKNOWN] else 'one of them alone'}; an image goes by its "
            f"id, such as {quoted(groups.ids[0])}, or the name of its file."
        )
    notes = [
        fill(sentence, n=len(missed[kind]), example=quoted(next(iter(missed[kind]))))
        for kind, sentence in (
            (UNKNOWN, "{n:,} {n:name|names} in the file {n:is|are} of no image here, such as "
             "{example}."),
            (SEVERAL, "{n:,} {n:name|names} in the file may each be several images here, such as "
             "{example}; left out."),
        ) if missed[kind]
    ]  # fmt: skip
    several = [row for row, given in said.items() if len(given - {""}) > 1]
    if several:
        notes.append(fill(
            "{n:,} {n:image has|images have} several labels, such as {example}; left out.",
            n=len(several), example=quoted(groups.ids[several[0]]),
        ))  # fmt: skip
    none = sum(not given - {""} for given in said.values())
    if none:
        notes.append(fill("{n:,} {n:image has|images have} no label.", n=none))
    one = {row: given - {""} for row, given in said.items() if len(given - {""}) == 1}
    if not one:
        raise DataError(f"{labels.path} has just one label of none of these images.")
    guessed &= one.keys()
    if guessed:
        notes.append(fill(
            "{n:,} {n:label counts|labels count} as no word of yours: the column decided of the "
            "file says so.", n=len(guessed),
        ))  # fmt: skip
    return {row: next(iter(given)) for row, given in one.items()}, guessed, notes


def _checked(label: str, labels: Labels) -> str:
    label = printable_name(label)
    if len(label) > LONGEST_NAME:
        raise DataError(
            f"{labels.path}: a label must have at most {LONGEST_NAME} characters, "
            f"got {len(label):,}."
        )
    return label
