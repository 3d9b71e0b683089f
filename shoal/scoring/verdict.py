"""The verdict: can the groups be trusted, why, and what to do next.

Commands, reports and tables all show the verdict that `decide` makes. It is never surer than the
weakest of its evidence. The bounds between its answers were chosen, not measured; the numbers in
its sentences were measured.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from shoal.plural import of_vectors
from shoal.scoring.choice import of_rivals
from shoal.scoring.evidence import (
    EXPLAINED,
    HARMLESS,
    MEANINGLESS,
    Evidence,
    Sentence,
    is_shown,
    of_light,
    sentence,
)
from shoal.scoring.next_steps import next_steps
from shoal.scoring.reasons import (
    CONSISTENT,
    INCONSISTENT,
    allows_anything,
    are_moved,
    estimate_of,
    is_of_noise,
    is_of_one_piece,
    is_poor,
    is_unjudged,
    known_to_stay,
    reasons_for,
)

Trust = Literal["yes", "in part", "no", "not known"]

GOOD = 0.9
"""From this expected accuracy on the answer is yes: of benchmark piles with 0.9 or more all had at
least 0.87, of those with 0.85 to 0.9 one had 0.76 (benchmarks/LOG.md)."""
_CONSISTENT_ALONE = 0.8
"""From this consistency on the answer is yes if the expected accuracy is not known."""
_ORDER: tuple[Trust, ...] = ("no", "not known", "in part", "yes")
_TOO_FEW = sentence(
    "The answer is in part because less than {good:.0%} are expected to be right.", good=GOOD
)
_ALLOWS_ANYTHING = sentence(
    "The answer is not known because so few images cannot be judged: anything from random groups "
    "to groups that are all right is possible."
)
_UNSTEADY = sentence("The answer is in part because the groups are not consistent enough.")
_CONSISTENCY_ALONE = sentence(
    "The answer is in part because nothing but the consistency was measured, and it is below "
    "{good:g}.", good=_CONSISTENT_ALONE
)  # fmt: skip
_INCONSISTENT = sentence("The answer is no because the groups are not consistent.")
_PARTLY_SHOWN = sentence("The answer is in part because what the images show does not tell them.")
_NOT_SHOWN = sentence("The answer is no because what the images show does not tell the groups.")
_OF_LIGHT = sentence("The answer is in part because what the images show hardly tells the groups.")
_RIVALS = sentence("The answer is in part because other ways are about as clear.")
_WARNED = sentence("The answer is in part because of the warning.")
METADATA = b"shoal.verdict"
"""The key of the verdict in the metadata of a Parquet file."""


@dataclass(frozen=True)
class Verdict:
    """Whether the groups can be trusted, the reasons, and what to do next."""

    trust: Trust
    reasons: tuple[Sentence, ...]
    warnings: tuple[str, ...]
    next_steps: tuple[Sentence, ...]

    @property
    def answer(self) -> Sentence:
        """The first sentence: the question with its answer."""
        return {
            "yes": sentence(
                "Can these groups be trusted? Yes, as far as can be told without labels."
            ),
            "in part": sentence("Can these groups be trusted? In part."),
            "no": sentence("Can these groups be trusted? No."),
            "not known": sentence("Can these groups be trusted? That is not known."),
        }[self.trust]

    def __str__(self) -> str:
        """The whole verdict as lines for a terminal."""
        return "\n".join(
            [
                str(self.answer),
                *(f"  {reason}" for reason in self.reasons),
                *(f"  warning: {warning}" for warning in self.warnings),
                *(["What to do next:"] if self.next_steps else []),
                *(f"  {step}" for step in self.next_steps),
            ]
        )

    def to_json(self) -> dict[str, object]:
        """The verdict as JSON values."""
        return {
            "trust": self.trust,
            "answer": str(self.answer),
            "reasons": [str(reason) for reason in self.reasons],
            "warnings": list(self.warnings),
            "next_steps": [str(step) for step in self.next_steps],
        }

    def metadata(self) -> dict[bytes, bytes]:
        """The verdict as metadata of a Parquet file, under the key ``shoal.verdict``."""
        text = json.dumps(self.to_json(), ensure_ascii=False)
        return {METADATA: text.encode("utf-8", "replace")}


def decide(evidence: Evidence) -> Verdict:
    """The verdict on a clustering: the least sure answer that its evidence gives.

    >>> decide(Evidence(500, 2, 2, consistency=0.87)).trust
    'yes'
    >>> decide(Evidence(500, 2, 2, consistency=0.87, separations=(0.8, 0.79))).trust
    'in part'
    >>> decide(Evidence(500, 2, 1, consistency=0.87)).trust
    'no'
    """
    trust, because = min(_answers(evidence), key=lambda answer: _ORDER.index(answer[0]))
    reasons = reasons_for(evidence, trust)
    if because is not None and trust != "yes":
        reasons += (because,)
    if evidence.n_rivals is not None and trust != "no" and not is_unjudged(evidence):
        reasons += (of_rivals(evidence.n_rivals, vectors=evidence.vectors),)
    if evidence.vectors:
        reasons = tuple(replace(each, template=of_vectors(each.template)) for each in reasons)
    return Verdict(trust, reasons, evidence.warnings, next_steps(evidence, trust))


_Answer = tuple[Trust, Sentence | None]
"""An answer, and the sentence that gives its reason if no other does."""


def _answers(evidence: Evidence) -> Sequence[_Answer]:
    """The answer of each piece of evidence by itself, and of the least sure the first counts."""
    estimate, consistency = estimate_of(evidence), evidence.consistency
    if evidence.n_nonempty < 2 or any(MEANINGLESS in warning for warning in evidence.warnings):
        return [("no", None)]
    if is_unjudged(evidence):
        return [("not known", None)]
    if is_of_noise(evidence) or is_of_one_piece(evidence):
        return [("no", None)]
    answers: list[_Answer] = [("in part", _OF_LIGHT)] if of_light(evidence.signals) else []
    if estimate is not None and is_poor(estimate, evidence):
        answers.append(("no", None))
    elif estimate is not None:
        good = estimate.expected_accuracy >= GOOD
        answers.append(("yes" if good else "in part", _TOO_FEW))
        if allows_anything(estimate, evidence):
            answers.append(("not known", _ALLOWS_ANYTHING))
    elif consistency is not None:
        answers.append(_by_consistency_alone(consistency, stay=known_to_stay(evidence)))
    else:
        answers.append(("not known", None))
    if are_moved(evidence):
        answers.append(("in part", _UNSTEADY))
    if not is_shown(evidence.representation):
        explained = any(EXPLAINED in each for each in evidence.warnings)
        answers.append(("in part", _PARTLY_SHOWN) if explained else ("no", _NOT_SHOWN))
    if evidence.n_rivals:
        answers.append(("in part", _RIVALS))
    if any(not warning.endswith(HARMLESS) for warning in evidence.warnings):
        answers.append(("in part", _WARNED))
    return answers


def _by_consistency_alone(consistency: float, *, stay: bool) -> _Answer:
    """The answer where it is not known how many images are expected to be right."""
    if consistency >= CONSISTENT:
        good = consistency >= _CONSISTENT_ALONE
        return ("yes" if good else "in part", _CONSISTENCY_ALONE)
    low = consistency < INCONSISTENT and not stay
    return ("no", _INCONSISTENT) if low else ("in part", _UNSTEADY)
