"""What each change between checkpoints gave, as a chain of steps, and every setting that changed.

`benchmarks/contributions.py` measures the steps and keeps them in the checkpoints' provenance.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from shoal.recipes.recipe import differences
from shoal.reports.document import Block, Heading, Paragraph, Table
from shoal.reports.inputs import Measured
from shoal.reports.wording import Wording


@dataclass(frozen=True)
class Step:
    """A change whose gain in accuracy was measured, all else equal."""

    letter: str
    checkpoint: str
    """The name of the checkpoint that it is a step towards."""
    what: str
    fields: frozenset[str]
    """The recipe's settings that changed."""
    before: float
    after: float
    """Means over the seeds."""
    seeds: tuple[int, ...]
    source: str
    """The program that measured it."""

    def follows(self, other: Step) -> bool:
        """Whether this step begins where ``other`` ends, on the same seeds."""
        return self.seeds == other.seeds and abs(self.before - other.after) < 5e-5


def section(chain: Sequence[Measured], wording: Wording) -> list[Block]:
    """The measured steps as one chain, then the settings that changed from each checkpoint.

    Args:
        chain: at least two checkpoints, each an improvement of the one before it.
        wording: the language.
    """
    steps = _steps(chain)
    blocks: list[Block] = [Heading(wording("What each change gave"), 2)]
    if steps:
        blocks += [
            Paragraph(_honesty(steps, wording)),
            _table(steps, wording),
            Paragraph(wording("Each accuracy is the mean over the seeds, all else equal; measured "
                              "by {source}.", source=", ".join(dict.fromkeys(
                                  step.source for step in steps)))),
        ]  # fmt: skip
    else:
        blocks.append(Paragraph(wording("What each change gave by itself was not measured.")))
    for before, after in pairwise(chain):
        blocks += _settings(before, after, steps, wording)
    return blocks


def _changed(before: Measured, after: Measured) -> dict[str, tuple[Any, Any]]:
    changed = differences(before.trained.checkpoint.recipe, after.trained.checkpoint.recipe)
    changed.pop("name", None)
    return changed


def _steps(chain: Sequence[Measured]) -> list[Step]:
    """The changes between the checkpoints, in order, with what each gave."""
    known = []
    for before, after in pairwise(chain):
        changed = _changed(before, after).keys()
        same = after.trained.checkpoint.recipe.describe().keys() - changed
        for entry in after.trained.checkpoint.provenance.get("contributions", []):
            fields = frozenset(entry["fields"])
            # What was measured between other recipes is not what was changed here. A setting that
            # no recipe has any more was renamed since.
            if fields & changed and not fields & same:
                known.append((after.trained.name, entry, fields))
    return [
        Step(letter, name, entry["what"], fields, entry["before"], entry["after"],
             tuple(entry["seeds"]), entry["source"])
        for (name, entry, fields), letter in zip(known, string.ascii_uppercase, strict=False)
    ]  # fmt: skip


def _honesty(steps: Sequence[Step], wording: Wording) -> str:
    """Whether the gains add up; if not, between which steps they do not, and why."""
    broken = [(a, b) for a, b in pairwise(steps) if not b.follows(a)]
    if not broken:
        return wording(
            "Every step was measured against the one before it, on the same seeds ({seeds}): "
            "together they bring the accuracy from {before:.3f} to {after:.3f} ({gain:+.3f}).",
            seeds=_listed(steps[0].seeds), before=steps[0].before, after=steps[-1].after,
            gain=steps[-1].after - steps[0].before,
        )  # fmt: skip
    gaps = [
        wording(
            "step {a} ends at {end:.3f} (seeds {these}) and step {b} begins at {start:.3f} (seeds "
            "{those})",
            a=a.letter, end=a.after, these=_listed(a.seeds), b=b.letter, start=b.before,
            those=_listed(b.seeds),
        )
        for a, b in broken
    ]  # fmt: skip
    return wording(
        "Each step compares two recipes on the same seeds, but not all steps were measured on the "
        "same seeds: {gaps}. So the gains of different steps do not add up.",
        gaps="; ".join(gaps),
    )  # fmt: skip


def _table(steps: Sequence[Step], wording: Wording) -> Table:
    # Elsewhere a step is one of training.
    header = ("step of change", "change", "accuracy before", "accuracy after", "gain in accuracy",
              "seeds")  # fmt: skip
    rows = tuple(
        (step.letter, wording(step.what), f"{step.before:.3f}", f"{step.after:.3f}",
         f"{step.after - step.before:+.3f}", _listed(step.seeds))
        for step in steps
    )  # fmt: skip
    return Table(tuple(wording(text) for text in header), rows)


def _settings(
    before: Measured, after: Measured, steps: Sequence[Step], wording: Wording
) -> list[Block]:
    """Every setting that differs, with the letters of the steps that changed it."""
    changed = _changed(before, after)
    own = [step for step in steps if step.checkpoint == after.trained.name]
    rows = []
    for name, (old, new) in changed.items():
        letters = ",\u00a0".join(step.letter for step in own if name in step.fields)
        rows.append((name, str(old), str(new), letters or wording("not measured")))
    names = before.trained.name, after.trained.name
    title = wording("Every setting that changed from {a} to {b}", a=names[0], b=names[1])
    header = (wording("setting"), *names, wording("in step"))
    return [Heading(title, 2), Table(header, tuple(rows))]


def _listed(seeds: Sequence[int]) -> str:
    """Seeds as text: the first and last of more than three in a row.

    >>> _listed((0, 1, 2)), _listed(tuple(range(10)))
    ('0, 1, 2', '0 – 9')
    """
    if len(seeds) > 3 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]} – {seeds[-1]}"
    return ", ".join(map(str, seeds))
