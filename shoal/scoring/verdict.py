"""The verdict: can the groups be trusted, why, and what to do next.

Commands, reports and tables all show the verdict that `decide` makes. It is never surer than the
weakest of its evidence. The bounds between its answers were chosen, not measured; the numbers in
its sentences were measured.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from shoal.models.facts import Representation
from shoal.plural import of_vectors
from shoal.scoring.accuracy import ROUGH_BELOW, Estimate
from shoal.scoring.choice import of_rivals
from shoal.scoring.evidence import (
    CLEARLY,
    EXPLAINED,
    MEANINGLESS,
    Evidence,
    Sentence,
    is_shown,
    of_light,
    sentence,
)
from shoal.scoring.next_steps import next_steps
from shoal.scoring.than_noise import is_noise

Trust = Literal["yes", "in part", "no", "not known"]

GOOD, POOR = 0.9, 0.4
"""From this expected accuracy on the answer is yes: of benchmark piles with 0.9 or more all had at
least 0.87, of those with 0.85 to 0.9 one had 0.76 (benchmarks/LOG.md). Below this share of the way
from chance to 1 it is no."""
CONSISTENT, INCONSISTENT = 0.7, 0.4
"""Bounds of the consistency under augmentation, see `consistency`: from the first on clusters are
called consistent, below the second not consistent."""
_STAY = 0.9
"""If at least this share of images stays in its group, a low consistency has another cause."""
_CONSISTENT_ALONE = 0.8
"""From this consistency on the answer is yes if the expected accuracy is not known."""
_ORDER: tuple[Trust, ...] = ("no", "not known", "in part", "yes")
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
    trust = min(_answers(evidence), key=_ORDER.index)
    reasons = _reasons(evidence)
    if evidence.n_rivals is not None and trust != "no":
        reasons += (of_rivals(evidence.n_rivals, vectors=evidence.vectors),)
    if evidence.vectors:
        reasons = tuple(replace(each, template=of_vectors(each.template)) for each in reasons)
    return Verdict(trust, reasons, evidence.warnings, next_steps(evidence, trust))


def _answers(evidence: Evidence) -> Sequence[Trust]:
    """The answer of each piece of evidence by itself."""
    estimate, consistency = _estimate(evidence), evidence.consistency
    if evidence.n_nonempty < 2 or any(MEANINGLESS in warning for warning in evidence.warnings):
        return ["no"]
    answers: list[Trust] = []
    if estimate is not None:
        good = estimate.expected_accuracy >= GOOD
        answers.append("no" if _is_poor(estimate, evidence) else "yes" if good else "in part")
    elif consistency is not None:
        good = consistency >= _CONSISTENT_ALONE
        answers.append("no" if consistency < INCONSISTENT else "yes" if good else "in part")
    else:
        answers.append("not known")
    if _is_noise(evidence):
        answers.append("no")
    if estimate is not None and consistency is not None and consistency < CONSISTENT:
        answers.append("in part")
    if not is_shown(evidence.representation):
        answers.append("in part" if any(EXPLAINED in each for each in evidence.warnings) else "no")
    if evidence.n_rivals or evidence.warnings or of_light(evidence.representation):
        answers.append("in part")
    return answers


def _is_poor(estimate: Estimate, evidence: Evidence) -> bool:
    chance = 1.0 / evidence.n_clusters
    return (estimate.expected_accuracy - chance) / (1.0 - chance) < POOR


def _is_noise(evidence: Evidence) -> bool:
    return evidence.signals is not None and is_noise(evidence.signals.beyond_noise)


def _estimate(evidence: Evidence) -> Estimate | None:
    estimate = evidence.estimate
    return None if estimate is None or math.isnan(estimate.expected_accuracy) else estimate


def _reasons(evidence: Evidence) -> tuple[Sentence, ...]:
    if evidence.n_nonempty < 2:
        return (sentence("All images are in one group, so nothing was told apart."),)
    if any(MEANINGLESS in warning for warning in evidence.warnings):
        return (sentence("The groups mean nothing; the warning says why."),)  # whatever is measured
    if _is_noise(evidence):
        return (sentence("Random numbers that spread as the images do form groups that are as "
                         "clear as these: nothing says that there are any groups."),)  # fmt: skip
    reasons = []
    estimate, signals, consistency = _estimate(evidence), evidence.signals, evidence.consistency
    if estimate is not None:
        reasons.append(_expected(estimate, evidence))
        if _is_poor(estimate, evidence):
            reasons.append(
                sentence("The answer is no because that is less than {poor:.0%} of the way from "
                         "random groups to groups that are all right.", poor=POOR)
            )  # fmt: skip
    if signals is not None and math.isfinite(signals.view_agreement):
        seen = sentence(
            "{share:.0%} of the images stay in their group when they are cropped, turned "
            "and recoloured a little.", share=signals.view_agreement,
        )  # fmt: skip
        if not evidence.colours:
            seen = sentence(
                "{share:.0%} of the images stay in their group when they are cropped, turned "
                "and made a little brighter or darker.", share=signals.view_agreement,
            )  # fmt: skip
        reasons.append(seen)
    if signals is not None and math.isfinite(signals.stability) and evidence.halves_tell:
        reasons.append(
            sentence("{share:.0%} of the images get the same group when only half of the images "
                     "form the groups.", share=signals.stability)
        )  # fmt: skip
    if consistency is not None:
        stay = signals is not None and signals.view_agreement >= _STAY
        reasons.append(_consistency(consistency, stay))
    if evidence.representation is not None:
        reasons.append(_of_pixels(evidence.representation))
    if evidence.representation is not None and of_light(evidence.representation):
        reasons.append(_of_light(evidence.representation))
    if evidence.tried_views == "stronger":
        reasons.append(
            sentence("Training took views that change light and colours far more, because what "
                     "the images show was learned far better under them: kinds that only light or "
                     "colours tell apart are not found.")
        )  # fmt: skip
    if estimate is None and consistency is None:
        reasons.append(
            sentence("Nothing was measured to judge the groups by: there are too few images, or "
                     "an older version of shoal trained the checkpoint.")
        )  # fmt: skip
    return tuple(reasons)


def _of_pixels(found: Representation) -> Sentence:
    """How the groups compare with those of the simple way, PCA of the pixels and k-means."""
    if not found.scores:
        return sentence("The simple way, PCA of the pixels and k-means, has {agreement:.2f} of 1 "
                        "in common with these groups.", agreement=found.agreement)  # fmt: skip
    scores = {name: found.scores[name] for name in ("learned", "pixels", "joined")}
    if not is_shown(found):
        return sentence(
            "What the images show, whatever their light and colours, does not tell the groups "
            "({score:.2f} of 1), and those of PCA of the pixels and k-means no better "
            "({pixels:.2f}): they follow the light, colours or chance.",
            score=scores[found.choice], pixels=scores["pixels"],
        )  # fmt: skip
    if found.choice == "pixels":
        return sentence(
            "Learning was no help with this pile: the groups are those of PCA of the pixels and "
            "k-means. What the images show tells them better ({pixels:.2f} of 1) than the groups "
            "that were learned ({learned:.2f}).", **scores,
        )  # fmt: skip
    if found.choice == "joined":
        return sentence(
            "The groups were found in what was learned and in the pixels, side by side. What the "
            "images show tells them better ({joined:.2f} of 1) than those of either alone "
            "({learned:.2f} learned, {pixels:.2f} PCA of the pixels and k-means).", **scores,
        )  # fmt: skip
    if found.scores["pixels"] + CLEARLY < found.scores["learned"]:
        return sentence(
            "Learning helped: what the images show tells the groups better ({learned:.2f} of 1) "
            "than those of PCA of the pixels and k-means ({pixels:.2f}).", **scores,
        )  # fmt: skip
    return sentence(
        "Learning hardly helped: what the images show tells the groups about as well "
        "({learned:.2f} of 1) as those of PCA of the pixels and k-means ({pixels:.2f}).", **scores,
    )  # fmt: skip


def _of_light(found: Representation) -> Sentence:
    """Groups that light and colours tell: right for some piles, and for others not at all."""
    return sentence(
        "Light and colours alone tell the groups ({light:.2f} of 1), what the images show hardly "
        "does ({shown:.2f}). Where light and colours tell kinds apart that is right; where things "
        "of one kind may have any colour these groups mean little.",
        light=found.light, shown=found.scores[found.choice],
    )  # fmt: skip


def _expected(estimate: Estimate, evidence: Evidence) -> Sentence:
    if evidence.n_images < ROUGH_BELOW:
        rough = estimate.rough()
        if _is_poor(estimate, evidence):  # more images would not make them groups
            return sentence(
                "Between {low:.0%} and {high:.0%} of the images are probably in the right group. "
                "Random groups would reach {chance:.0%}.",
                low=rough.low, high=rough.high, chance=1.0 / evidence.n_clusters,
            )  # fmt: skip
        return sentence(
            "Between {low:.0%} and {high:.0%} of the images are probably in the right group; "
            "{n:,} {n:image is|images are} too few to tell more exactly. Random groups would reach "
            "{chance:.0%}.",
            low=rough.low, high=rough.high, n=evidence.n_images, chance=1.0 / evidence.n_clusters,
        )  # fmt: skip
    return sentence(
        "About {right:.0%} of the images are probably in the right group; nine times in ten it is "
        "between {low:.0%} and {high:.0%}. Random groups would reach {chance:.0%}.",
        right=estimate.expected_accuracy, low=estimate.low, high=estimate.high,
        chance=1.0 / evidence.n_clusters,
    )  # fmt: skip


def _consistency(score: float, stay: bool) -> Sentence:
    """What the score says.

    It is low if images change their group, or if they are not recognised: then an image shown
    differently is less like itself than like others, though it may stay in its group.

    Args:
        score: the consistency.
        stay: whether nearly all images are known to stay in their group.
    """
    if score >= CONSISTENT:
        return sentence("The groups are consistent ({score:.2f} of 1): they hardly change when "
                        "images are shown a little differently.", score=score)  # fmt: skip
    if stay:
        return sentence("The images are not well recognised (consistency {score:.2f} of 1): they "
                        "stay in their group, but shown a little differently many are more like "
                        "other images than like themselves.", score=score)  # fmt: skip
    if score >= INCONSISTENT:
        return sentence("The groups are consistent in part ({score:.2f} of 1): many images change "
                        "their group when they are shown a little differently.",
                        score=score)  # fmt: skip
    return sentence("The groups are not consistent ({score:.2f} of 1): they depend on how the "
                    "images happen to be shown.", score=score)  # fmt: skip
