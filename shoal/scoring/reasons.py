"""The reasons of a verdict: what was measured, in sentences."""

from __future__ import annotations

import math

from shoal.clustering.n_clusters import CLEAR
from shoal.models.facts import Representation
from shoal.scoring.accuracy import ROUGH_BELOW, Estimate
from shoal.scoring.evidence import (
    CLEARLY,
    COPIES,
    MEANINGLESS,
    UNJUDGED,
    Evidence,
    Sentence,
    is_asked_to_ignore,
    is_far_clearer,
    is_shown,
    of_light,
    sentence,
    was_short,
)
from shoal.scoring.one_piece import is_one_piece
from shoal.scoring.signals import Signals
from shoal.scoring.than_noise import CLEARER, is_noise

POOR = 0.4
"""Below this share of the way from chance to 1 an expected accuracy is poor."""
CONSISTENT, INCONSISTENT = 0.7, 0.4
"""Bounds of the consistency under augmentation, see `consistency`: from the first on clusters are
called consistent, below the second not consistent."""
_STAY = 0.9
"""If at least this share of images stays in its group, a low consistency has another cause. Of
groups of which 0.9 was expected and so many stayed, 0.87 or more were right; of fewer, 0.49 to 0.98
(benchmarks/LOG.md)."""


def reasons_for(evidence: Evidence, trust: str) -> tuple[Sentence, ...]:
    """What was measured and what it says, in sentences on images; of vectors the nouns differ.

    ``trust`` is the answer of the verdict: after a no nothing is said to have helped.
    """
    if evidence.n_nonempty < 2:
        return (sentence("All images are in one group, so nothing was told apart."),)
    if any(MEANINGLESS in warning for warning in evidence.warnings):
        return (sentence("The groups mean nothing; the warning says why."),)  # whatever is measured
    if any(COPIES in warning for warning in evidence.warnings):
        return (sentence("No more images differ than there are groups, the others are copies: "
                         "nothing else can be told apart."),)  # fmt: skip
    if is_unjudged(evidence):
        return (sentence("Nothing tells whether the groups mean anything; the warning says "
                         "why."),)  # fmt: skip
    if is_of_noise(evidence):
        return (sentence("Random numbers that spread as the images do form groups that are as "
                         "clear as these: nothing says that these groups mean anything. "
                         "Another number of groups may.",),)  # fmt: skip
    if is_of_one_piece(evidence):
        return (sentence("The groups are pieces of one thing that hangs together: most could be "
                         "cut in two as easily as they were cut from one another, so that nothing "
                         "says where one ends."),)  # fmt: skip
    reasons = []
    estimate, signals, consistency = estimate_of(evidence), evidence.signals, evidence.consistency
    if estimate is not None:
        reasons.append(_expected(estimate, evidence))
        if is_poor(estimate, evidence):
            reasons.append(
                sentence("The answer is no because that is less than {poor:.0%} of the way from "
                         "random groups to groups that are all right.", poor=POOR)
            )  # fmt: skip
        if signals is not None and signals.beyond_noise < CLEARER:
            reasons.append(
                sentence("The groups are hardly clearer than those of random numbers that spread "
                         "alike ({score:.2f} of 1).", score=signals.beyond_noise)
            )  # fmt: skip
        if signals is not None and is_far_clearer(signals) and _is_low(estimate, evidence):
            reasons.append(
                sentence("The groups are far clearer than those of random numbers that spread "
                         "alike ({score:.2f} of 1), though no more images are expected to be "
                         "right.", score=signals.beyond_noise)
            )  # fmt: skip
    if evidence.unclear is not None:
        reasons.append(
            sentence("The number of groups was chosen, and none is clear: {k:,} groups are found "
                     "again in other images with a strength of {strength:z.2f} (0 as by chance, 1 "
                     "always; {clear:g} would be clear).", k=evidence.n_clusters,
                     strength=evidence.unclear, clear=CLEAR)
        )  # fmt: skip
    if signals is not None and math.isfinite(signals.view_agreement):
        reasons.append(_stay(signals.view_agreement, evidence.changed))
    if signals is not None and math.isfinite(signals.stability) and evidence.halves_tell:
        reasons.append(
            sentence("{share:.0%} of the images get the same group when only half of the images "
                     "form the groups.", share=signals.stability)
        )  # fmt: skip
    if consistency is not None:
        reasons.append(_consistency(consistency, evidence))
    if evidence.representation is not None:
        reasons.append(_of_pixels(evidence.representation, evidence, trust))
    if signals is not None and of_light(signals):
        reasons.append(_of_light(signals, evidence.colours))
    if evidence.tried_views == "stronger":
        reasons.append(
            sentence("Training took views that change light and colours far more, because what "
                     "the images show was learned far better under them: kinds that only light or "
                     "colours tell apart are not found.")
        )  # fmt: skip
    if is_asked_to_ignore(evidence):
        reasons.append(
            sentence("You asked for views that change light and colours far more: kinds that only "
                     "light or colours tell apart are not found.")
        )  # fmt: skip
    if estimate is None and consistency is None:
        reasons.append(
            sentence("Nothing was measured to judge the groups by: there are too few images, or "
                     "an older version of shoal trained the checkpoint.")
        )  # fmt: skip
    return tuple(reasons)


def _stay(share: float, changed: str) -> Sentence:
    """How many images stay in their group, by what views changed of them."""
    if changed == "colours":
        return sentence("{share:.0%} of the images stay in their group when they are cropped, "
                        "turned and recoloured a little.", share=share)  # fmt: skip
    if changed == "light":
        return sentence("{share:.0%} of the images stay in their group when they are cropped, "
                        "turned and made a little brighter or darker.", share=share)  # fmt: skip
    return sentence("{share:.0%} of the images stay in their group when they are cropped and "
                    "turned a little; light and colours were kept, as in training.",
                    share=share)  # fmt: skip


def _of_pixels(found: Representation, evidence: Evidence, trust: str) -> Sentence:
    """How the groups compare with those of the simple way, PCA of the pixels and k-means.

    Where light and colours tell the groups it is not said whether learning helped.
    """
    by_light = of_light(evidence.signals)
    if not found.scores or (by_light and is_shown(found) and found.choice == "learned"):
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
    if found.choice == "pixels" and was_short(evidence):
        return sentence(
            "Learning was no help yet, in {epochs:g} of the recipe's {all:g} epochs: the groups "
            "are those of PCA of the pixels and k-means. What the images show tells them better "
            "({pixels:.2f} of 1) than the groups that were learned ({learned:.2f}).",
            epochs=evidence.epochs, all=evidence.recipe_epochs, **scores,
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
    if trust == "no":
        return sentence(
            "What the images show tells the groups to {learned:.2f} of 1, and those of PCA of the "
            "pixels and k-means to {pixels:.2f}.", **scores,
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


def _of_light(signals: Signals, colours: bool) -> Sentence:
    """Groups that light and colours tell: right for some piles, and for others not at all."""
    if not colours:
        return sentence(
            "Intensity alone tells the groups ({light:.2f} of 1), what the images show hardly "
            "does. Where the intensity tells kinds apart that is right; where it changes by "
            "chance these groups mean little.", light=signals.light,
        )  # fmt: skip
    return sentence(
        "Light and colours alone tell the groups ({light:.2f} of 1), what the images show hardly "
        "does. Where light and colours tell kinds apart that is right; where things of one kind "
        "may have any colour these groups mean little.", light=signals.light,
    )  # fmt: skip


def _expected(estimate: Estimate, evidence: Evidence) -> Sentence:
    """How many are probably right, if the number of groups is: nothing measured tells that."""
    assumed: dict[str, object] = {"k": evidence.n_clusters, "chance": 1.0 / evidence.n_clusters}
    if evidence.n_images < ROUGH_BELOW:
        rough = estimate.rough()
        if is_poor(estimate, evidence):  # more images would not tell more
            return sentence(
                "Between {low:.0%} and {high:.0%} of the images are probably in the right group, "
                "if there are {k:,} groups. Random groups would reach {chance:.0%}.",
                low=rough.low, high=rough.high, **assumed,
            )  # fmt: skip
        return sentence(
            "Between {low:.0%} and {high:.0%} of the images are probably in the right group, if "
            "there are {k:,} groups; {n:,} {n:image is|images are} too few to tell more exactly. "
            "Random groups would reach {chance:.0%}.",
            low=rough.low, high=rough.high, n=evidence.n_images, **assumed,
        )  # fmt: skip
    return sentence(
        "About {right:.0%} of the images are probably in the right group, if there are {k:,} "
        "groups; nine times in ten it is between {low:.0%} and {high:.0%}. Random groups would "
        "reach {chance:.0%}.",
        right=estimate.expected_accuracy, low=estimate.low, high=estimate.high, **assumed,
    )  # fmt: skip


def _consistency(score: float, evidence: Evidence) -> Sentence:
    """What the score says, as `are_moved` counts it.

    It is low if images change their group, or if they are not recognised: then an image shown
    differently is less like itself than like others, though it may stay in its group.
    """
    moved, stay = are_moved(evidence), known_to_stay(evidence)
    if score >= CONSISTENT and not moved:
        return sentence("The groups are consistent ({score:.2f} of 1): they hardly change when "
                        "images are shown a little differently.", score=score)  # fmt: skip
    if stay and not moved:
        return sentence("Many images look so alike that they are not told from one another when "
                        "shown a little differently (consistency {score:.2f} of 1). They stay in "
                        "their group: that says nothing against it.", score=score)  # fmt: skip
    if stay:
        return sentence("Many images look so alike that they are not told from one another when "
                        "shown a little differently (consistency {score:.2f} of 1). They stay in "
                        "their group, but that alone is not enough to trust the groups.",
                        score=score)  # fmt: skip
    if score >= INCONSISTENT:
        return sentence("The groups are consistent in part ({score:.2f} of 1): many images change "
                        "their group when they are shown a little differently.",
                        score=score)  # fmt: skip
    return sentence("The groups are not consistent ({score:.2f} of 1): they depend on how the "
                    "images happen to be shown.", score=score)  # fmt: skip


def known_to_stay(evidence: Evidence) -> bool:
    """Whether it was measured that nearly all images stay in their group when shown differently."""
    return evidence.signals is not None and evidence.signals.view_agreement >= _STAY  # NaN is not


def are_moved(evidence: Evidence) -> bool:
    """Whether views move so many images to other groups that the answer is no plain yes.

    The share that stays says so, wherever it is known. If nearly all stay, the consistency may be
    low because images of a group look alike, as simple shapes do, which is no fault of the groups.
    That is believed only where the estimate knows what the images show: else it knows less, and a
    low consistency counts.
    """
    signals = evidence.signals
    if signals is not None and math.isfinite(signals.view_agreement):
        if not known_to_stay(evidence):
            return True
        if math.isfinite(signals.shown) and estimate_of(evidence) is not None:
            return False
    return evidence.consistency is not None and evidence.consistency < CONSISTENT


_BY_CHANCE = 0.02
"""So little more than random groups would reach is no more than they would."""


def is_poor(estimate: Estimate, evidence: Evidence) -> bool:
    """Whether so few images are expected to be right that the groups cannot be trusted.

    Of groups that light tells it is not said: they may be right, where light tells kinds apart.
    Nor of groups of vectors that are far clearer than those of noise, unless no more is expected of
    them than by chance: a small one among large ones may be lost in half of the vectors, which is
    all that the estimate goes by.
    """
    signals = evidence.signals
    if of_light(signals):
        return False
    if is_far_clearer(signals):
        return estimate.expected_accuracy < 1.0 / evidence.n_clusters + _BY_CHANCE
    return _is_low(estimate, evidence)


def allows_anything(estimate: Estimate, evidence: Evidence) -> bool:
    """Whether there are so few images that their range is all that is possible."""
    rough, chance = estimate.rough(), 1.0 / evidence.n_clusters
    return evidence.n_images < ROUGH_BELOW and rough.low <= chance and rough.high >= 1.0


def _is_low(estimate: Estimate, evidence: Evidence) -> bool:
    chance = 1.0 / evidence.n_clusters
    return (estimate.expected_accuracy - chance) / (1.0 - chance) < POOR


def is_of_noise(evidence: Evidence) -> bool:
    """Whether groups of vectors are no clearer than those of noise, see `than_noise`."""
    return evidence.signals is not None and is_noise(evidence.signals.beyond_noise)


def is_of_one_piece(evidence: Evidence) -> bool:
    """Whether they are pieces of one thing, see `one_piece`."""
    return evidence.signals is not None and is_one_piece(evidence.signals.cut_inside)


def is_unjudged(evidence: Evidence) -> bool:
    """Whether too few images or vectors differ to judge their groups."""
    return any(UNJUDGED in warning for warning in evidence.warnings)


def estimate_of(evidence: Evidence) -> Estimate | None:
    """The estimate of the accuracy; None if it was not, or could not be, measured."""
    estimate = evidence.estimate
    return None if estimate is None or math.isnan(estimate.expected_accuracy) else estimate
