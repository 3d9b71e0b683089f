"""The verdict: can these groups be trusted, why, and what to do next; made once, shown everywhere.

It is never surer than the weakest of what speaks for it. Its bounds are a manner of speaking: the
numbers beside it are what was measured.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from shoal.plural import fill
from shoal.scoring.accuracy import Estimate
from shoal.scoring.next_steps import Training, command
from shoal.scoring.signals import Signals

Trust = Literal["yes", "in part", "no", "not known"]

GOOD, POOR = 0.85, 0.4
"""Expected accuracy of a yes, and its share beyond chance below which the answer is no."""
STEADY, UNSTEADY = 0.7, 0.4
"""Likewise of the consistency under augmentation, where nothing else is known; see `steadiness`."""
_STEADY_ALONE = 0.8
"""Of a yes by an older checkpoint, whose expected accuracy is not known."""
_WEIGHED = 20
"""Of fewer images 'shoal clusters' weighs no numbers."""
_MEANINGLESS = "mean nothing"
"""What `diagnosis` says of clusters of which nothing holds."""
_ORDER: tuple[Trust, ...] = ("no", "not known", "in part", "yes")


@dataclass(frozen=True)
class Said:
    """A sentence in English, and what fills it: a report says it in its own language."""

    template: str
    values: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        return fill(self.template, **dict(self.values)) if self.values else self.template


def said(template: str, **values: object) -> Said:
    """A `Said` with its values."""
    return Said(template, tuple(values.items()))


@dataclass(frozen=True)
class Evidence:
    """All that the verdict hangs on."""

    n_images: int
    n_clusters: int
    """As many as were asked for."""
    n_found: int
    """Clusters that are not empty."""
    estimate: Estimate | None = None
    """None in a checkpoint of an older shoal, or where there were too few images to tell."""
    signals: Signals | None = None
    steadiness: float | None = None
    """Likewise; in [0, 1]."""
    separations: tuple[float, ...] = ()
    """Of each way to divide the pile, the chosen one first; in [0, 1]."""
    nearly: float = 0.03
    """Ways this much less separated are as clear."""
    warnings: tuple[str, ...] = ()
    epochs: float = 0.0
    """Trained for so many,"""
    own_epochs: float = 0.0
    """of so many of the recipe's own."""
    minutes: float | None = None
    """What was asked for, if minutes were."""
    larger: int | None = None
    """Pixels a side that would show more of the images; None if they were not shrunk."""
    training: Training = field(default_factory=Training)

    @property
    def rivals(self) -> int:
        """Other ways to divide the pile, about as clear as the chosen one."""
        if len(self.separations) < 2 or self.n_clusters != 2:  # of more, it does not order them
            return 0
        least = self.separations[0] - self.nearly
        return sum(separation >= least for separation in self.separations[1:])


@dataclass(frozen=True)
class Verdict:
    """Can these groups be trusted."""

    trust: Trust
    reasons: tuple[Said, ...]
    warnings: tuple[str, ...]
    next_steps: tuple[Said, ...]

    @property
    def answer(self) -> Said:
        """The first sentence."""
        return {
            "yes": said("Can these groups be trusted? Yes, as far as can be told without labels."),
            "in part": said("Can these groups be trusted? In part."),
            "no": said("Can these groups be trusted? No."),
            "not known": said("Can these groups be trusted? That is not known."),
        }[self.trust]

    def __str__(self) -> str:
        """The whole, in lines, for a terminal."""
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
        """As JSON values."""
        return {
            "trust": self.trust,
            "answer": str(self.answer),
            "reasons": [str(reason) for reason in self.reasons],
            "warnings": list(self.warnings),
            "next_steps": [str(step) for step in self.next_steps],
        }

    def metadata(self) -> dict[bytes, bytes]:
        """For the schema of a parquet file, under the key ``shoal.verdict``."""
        text = json.dumps(self.to_json(), ensure_ascii=False)
        return {METADATA: text.encode("utf-8", "replace")}


METADATA = b"shoal.verdict"


def judge(evidence: Evidence) -> Verdict:
    """The verdict on a clustering: the least of what its evidence allows.

    >>> judge(Evidence(500, 2, 2, steadiness=0.87)).trust
    'yes'
    >>> judge(Evidence(500, 2, 2, steadiness=0.87, separations=(0.8, 0.79))).trust
    'in part'
    >>> judge(Evidence(500, 2, 1, steadiness=0.87)).trust
    'no'
    """
    trust = min(_opinions(evidence), key=_ORDER.index)
    reasons = _reasons(evidence)
    if evidence.rivals and trust != "no":
        reasons += (_rivals(evidence.rivals),)
    return Verdict(trust, reasons, evidence.warnings, _next_steps(evidence, trust))


def _opinions(evidence: Evidence) -> Sequence[Trust]:
    found, steady = _estimate(evidence), evidence.steadiness
    if evidence.n_found < 2 or any(_MEANINGLESS in warning for warning in evidence.warnings):
        return ["no"]
    opinions: list[Trust] = []
    if found is not None:
        chance = 1.0 / evidence.n_clusters
        beyond = (found.expected_accuracy - chance) / (1.0 - chance)
        good = found.expected_accuracy >= GOOD
        opinions.append("no" if beyond < POOR else "yes" if good else "in part")
    elif steady is not None:
        opinions.append(
            "no" if steady < UNSTEADY else "yes" if steady >= _STEADY_ALONE else "in part"
        )
    else:
        opinions.append("not known")
    if found is not None and steady is not None and steady < STEADY:
        opinions.append("in part")
    if evidence.rivals or evidence.warnings:
        opinions.append("in part")
    return opinions


def _estimate(evidence: Evidence) -> Estimate | None:
    found = evidence.estimate
    return None if found is None or math.isnan(found.expected_accuracy) else found


def _reasons(evidence: Evidence) -> tuple[Said, ...]:
    if evidence.n_found < 2:
        return (said("All images fell into one group: nothing was told apart."),)
    reasons = []
    found, signals, steady = _estimate(evidence), evidence.signals, evidence.steadiness
    if found is not None:
        reasons.append(
            said("About {right:.0%} of the images are expected to be in the right group, "
                 "{low:.0%} to {high:.0%} by the piles this was measured on; by chance it would "
                 "be {chance:.0%}.",
                 right=found.expected_accuracy, low=found.low, high=found.high,
                 chance=1.0 / evidence.n_clusters)
        )  # fmt: skip
    if signals is not None and math.isfinite(signals.view_agreement):
        reasons.append(
            said("Shown cropped, turned and recoloured a little, {share:.0%} of the images stay "
                 "in their group.", share=signals.view_agreement)
        )  # fmt: skip
    if signals is not None and math.isfinite(signals.stability):
        reasons.append(
            said("Found again from half of the images, the groups put {share:.0%} of the images "
                 "the same way.", share=signals.stability)
        )  # fmt: skip
    if steady is not None:
        reasons.append(_steadiness(steady))
    if found is None and steady is None:
        reasons.append(
            said("Nothing was measured by which to tell: the images are too few, or an older "
                 "shoal trained this.")
        )  # fmt: skip
    return tuple(reasons)


def _rivals(count: int) -> Said:
    return said("{n:,} other {n:way|ways} to divide the pile {n:is|are} about as clear: which is "
                "the one you want, only you can tell.", n=count)  # fmt: skip


def _steadiness(steady: float) -> Said:
    if steady >= STEADY:
        return said("Consistency under augmentation is {score:.2f} of 1: the groups hardly change "
                    "when the images are shown a little differently.", score=steady)  # fmt: skip
    if steady >= UNSTEADY:
        return said("Consistency under augmentation is {score:.2f} of 1: many images change their "
                    "group when they are shown a little differently.", score=steady)  # fmt: skip
    return said("Consistency under augmentation is {score:.2f} of 1: the groups hang on how the "
                "images happen to be shown.", score=steady)  # fmt: skip


def _next_steps(evidence: Evidence, trust: Trust) -> tuple[Said, ...]:
    """At most four, the most promising first."""
    training = evidence.training
    data, checkpoint = training.data, training.checkpoint
    look = said("Look at the groups: what is typical of each, and what it is least sure of.")
    if any(_MEANINGLESS in warning for warning in evidence.warnings):
        return (said("Check the images: are they what you meant to give?"),)
    steps = [look]
    if evidence.rivals and trust != "no":
        splits = command("splits", data, checkpoint, training.beside("splits.png"))
        steps.append(said("Look at the other ways to divide the pile: {command}.", command=splits))
    if trust != "yes":
        steps += _train_again(evidence)
    if (trust != "yes" or evidence.n_clusters > 2) and evidence.n_images >= _WEIGHED:
        weighed = command("clusters", data, checkpoint, training.beside("n_clusters.png"))
        steps.append(said("Try another number of groups: {command}.", command=weighed))
    if trust == "yes":
        steps.append(_use(training))
    return tuple(steps[:5])


def _train_again(evidence: Evidence) -> list[Said]:
    training = evidence.training
    if evidence.minutes is not None:
        longer = training.again("longer", minutes=f"{4 * evidence.minutes:g}")
    else:
        epochs = max(evidence.own_epochs, 2 * evidence.epochs)
        longer = training.again("longer", epochs=f"{epochs:g}")
    steps = [said("Train longer: {command}.", command=longer)]
    if evidence.larger is not None:
        larger = training.again("larger", size=str(evidence.larger))
        steps.append(said("Train on larger images: {command}.", command=larger))
    return steps


def _use(training: Training) -> Said:
    if training.verb == "run":
        use = command("export", training.data, training.beside("prediction.csv"),
                      f"{training.out}-sorted")  # fmt: skip
        return said("Copy the images into a folder for each group: {command}.", command=use)
    use = command("predict", training.data, training.checkpoint, training.beside("prediction.csv"))
    return said("Write the group of each image: {command}.", command=use)
