"""What to do next, by the verdict: sentences with commands that can be run as they are printed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from shoal.clustering.n_clusters import CLEAR
from shoal.images.output_checks import outside
from shoal.plural import of_vectors
from shoal.scoring.evidence import (
    Evidence,
    Sentence,
    is_asked_to_ignore,
    is_far_clearer,
    is_shown,
    light_tells,
    of_light,
    sentence,
    was_no_help,
    was_short,
)
from shoal.scoring.group_sizes import FEW_TO_GROUP
from shoal.scoring.reasons import is_unjudged
from shoal.scoring.training_command import TrainingCommand, command
from shoal.scoring.worth_asking import by_groups

_LARGER_TAKES = 4
"""A step on images of twice the side takes so many times as long."""
_BETTER = 0.1
"""A number of groups is clearly better if it is found again so much more surely: twice what counts
as a tie."""
_AS_SURELY = 0.01
"""More groups that are found again about as surely say more."""


def next_steps(evidence: Evidence, trust: str) -> tuple[Sentence, ...]:
    """What to do next, at most five steps, the most promising first.

    Args:
        evidence: what the verdict depends on.
        trust: the answer of the verdict.
    """
    training = evidence.training
    data, checkpoint = training.data, training.checkpoint
    known = by_groups(
        evidence.n_images, evidence.n_nonempty, evidence.warnings, len(evidence.separations)
    )
    check = _of_what("Check the images: are they the ones you meant to give?", evidence)
    if known.indistinct:
        return (check,)
    if known.single and evidence.n_images < FEW_TO_GROUP:
        return (_of_what("Give more images: so few form no groups.", evidence),)
    if known.single:
        return (_of_what("Ask for fewer groups, or give more images.", evidence),)
    look = check if known.one_group else _look(evidence)
    if known.copies:
        copies = command("duplicates", data, checkpoint, "--csv", training.beside("duplicates.csv"),
                         "--picture", training.beside("duplicates.png"))  # fmt: skip
        return (look, sentence("List the copies: {command}.", command=copies))
    if is_unjudged(evidence):
        return (look,)  # and the warning asks for more images
    settled = evidence.number_is_settled and not evidence.others_are_clear
    asked = not settled and known.answers("clusters")
    other_number = _other_number(evidence, trust) if asked else []
    if trust == "no":
        first = [look] if known.one_group else []
        last = [] if known.one_group else [look]
        none = [_of_what("It may be that the images form no groups at all.", evidence)]
        if is_far_clearer(evidence.signals):  # there is something, if not these groups
            none, other_number = [], _other_number(evidence, trust)
        if _clearer_number(evidence, trust) is not None:  # there are groups, of another number
            none = []
        return tuple([*first, *none, *_what_may_change(evidence)[:3], *other_number, *last][:5])
    steps = [look]
    if evidence.n_rivals:
        picture = training.beside("splits.png")
        splits = command("splits", data, checkpoint, "--picture", picture)
        steps.append(sentence("Look at the other ways to divide the pile: {command}.",
                              command=splits))  # fmt: skip
    if training.verb != "cluster":
        if evidence.tried_views == "stronger" or is_asked_to_ignore(evidence):
            steps.append(_keep_light(evidence))
        if trust != "yes":
            steps += _train_again(evidence)
    others_are_clear = evidence.others_are_clear or _clearer_number(evidence, trust) is not None
    if trust != "yes" or evidence.n_clusters > 2 or others_are_clear:
        steps += other_number
    if trust == "yes":
        steps.append(_use(training))
    return tuple(steps[:5])


def _what_may_change(evidence: Evidence) -> list[Sentence]:
    """After a no: other trainings that this one was not, the most promising first.

    Nothing says that a training of the recipe's length would have gained by more.
    """
    if evidence.training.verb == "cluster":
        return []
    longer = _longer(evidence)
    steps = _train_again(evidence)
    more = [*(longer if was_short(evidence) else []), *_other_intensities(evidence)]
    steps += [step for step in more if step not in steps]
    return [step for step in steps if was_short(evidence) or step not in longer]


def _other_number(evidence: Evidence, trust: str) -> list[Sentence]:
    training = evidence.training
    picture = training.beside("n_clusters.png")
    clusters = command("clusters", training.data, training.checkpoint, "--picture", picture)
    other = _clearer_number(evidence, trust)
    if other is None:
        return [sentence("Try another number of groups: {command}.", command=clusters)]
    # In words: the strengths are of a quick look, and the command takes them of more images.
    values: dict[str, object] = {"command": clusters, "other": other, "k": evidence.n_clusters}
    if evidence.weighed[other] > evidence.weighed[evidence.n_clusters] + _BETTER:
        found = sentence(
            "Try another number of groups: {command}. {other:,} groups are found again in other "
            "images more surely than {k:,}.", **values,
        )  # fmt: skip
    else:
        found = sentence(
            "Try another number of groups: {command}. {other:,} groups are found again in other "
            "images as surely as {k:,}, and say more.", **values,
        )  # fmt: skip
    return [replace(found, template=of_vectors(found.template)) if evidence.vectors else found]


def _clearer_number(evidence: Evidence, trust: str) -> int | None:
    """The number of groups that is better than the one that was given, if one is.

    A larger number may be as clear. A smaller one must be clearer, and is not named beside a yes:
    few groups are often found more surely than those they fall into, which says nothing against
    these.
    """
    own = evidence.weighed.get(evidence.n_clusters)
    if own is None:
        return None

    def is_better(k: int, strength: float) -> bool:
        if strength < CLEAR or k == evidence.n_clusters:
            return False
        if k > evidence.n_clusters:
            return strength >= own - _AS_SURELY
        return trust != "yes" and strength > own + _BETTER

    better = {k: each for k, each in evidence.weighed.items() if is_better(k, each)}
    return max(better, key=lambda k: (better[k], k), default=None)


def _look(evidence: Evidence) -> Sentence:
    if evidence.equally_sure:
        return _of_what("Look at the groups: the typical images of each, and some at random. "
                        "shoal is equally sure of all images.", evidence)  # fmt: skip
    return _of_what("Look at the groups: the typical images of each, and the images it is least "
                    "sure of.", evidence)  # fmt: skip


def _of_what(text: str, evidence: Evidence) -> Sentence:
    """A sentence on images, or on vectors that no images show."""
    shown = any(option[0] == "--images" for option in evidence.training.options)
    return sentence(of_vectors(text) if evidence.vectors and not shown else text)


def _train_again(evidence: Evidence) -> list[Sentence]:
    """Other trainings that may give better groups, first what a warning speaks of."""
    by_light = of_light(evidence.signals)
    remedy = _as_warned(evidence)
    if is_shown(evidence.representation) and not by_light:
        steps = _longer(evidence)
    else:
        vain = evidence.tried_views == "usual" and not by_light
        steps = [] if vain else _ignore_light(evidence)
    if light_tells(evidence.signals):
        steps += _keep_light_unless_kept(evidence)
    return [*remedy, *(step for step in steps if step not in remedy), *_larger(evidence)]


def _as_warned(evidence: Evidence) -> list[Sentence]:
    """The training that a warning of a simple feature names, as a command."""
    named = [re.search(r"train with --intensity (\w+)\.$", each) for each in evidence.warnings]
    for intensity in (found[1] for found in named if found is not None):
        if intensity == "ignored":
            return _ignore_light(evidence)
        varied = evidence.training.again("any-light", intensity=intensity)
        return [sentence("Train with views that change the intensity: {command}.", command=varied)]
    return []


def _larger(evidence: Evidence) -> list[Sentence]:
    """A training on larger images, which has as many epochs; not where time was short already."""
    if evidence.larger_size is None:
        return []
    changed = {"size": str(evidence.larger_size)}
    if evidence.minutes is not None:
        if was_short(evidence):
            return []
        changed["minutes"] = f"{_LARGER_TAKES * evidence.minutes:g}"
    larger = evidence.training.again("larger", **changed)
    return [sentence("Train on larger images: {command}.", command=larger)]


def _longer(evidence: Evidence) -> list[Sentence]:
    """A longer training, unless a whole one was no help."""
    if not was_short(evidence) and was_no_help(evidence.representation):
        return []
    if evidence.minutes is not None:
        longer = evidence.training.again("longer", minutes=f"{max(1.0, 4 * evidence.minutes):g}")
    else:
        epochs = max(evidence.recipe_epochs, 2 * evidence.epochs)
        longer = evidence.training.again("longer", epochs=f"{epochs:g}")
    return [sentence("Train longer: {command}.", command=longer)]


def _other_intensities(evidence: Evidence) -> list[Sentence]:
    """Views that keep light and colours, or tell nothing of them, unless the run had such views."""
    vain = evidence.tried_views == "usual"
    return [
        *([] if vain else _ignore_light(evidence)),
        *_keep_light_unless_kept(evidence),
    ]


def _ignore_light(evidence: Evidence) -> list[Sentence]:
    """Views that tell nothing of light and colours, unless the run had them.

    A trial that kept the usual views is too short to have the last word on groups that follow the
    light: those who know that colours mean nothing may ask for a whole training.
    """
    training = evidence.training
    if evidence.tried_views == "stronger" or is_asked_to_ignore(evidence):
        return []
    if evidence.colours:
        ignoring = training.again("any-colour", intensity="ignored")
        return [sentence("Train with views that tell nothing of light and colours: {command}.",
                         command=ignoring)]  # fmt: skip
    ignoring = training.again("any-intensity", intensity="ignored")
    return [sentence("Train with views that tell nothing of the intensity: {command}.",
                     command=ignoring)]  # fmt: skip


def _keep_light_unless_kept(evidence: Evidence) -> list[Sentence]:
    return [] if evidence.keeps_light else [_keep_light(evidence)]


def _keep_light(evidence: Evidence) -> Sentence:
    keeping = evidence.training.again("by-light", intensity="matters")
    if not evidence.colours:
        return sentence("If the intensity tells kinds apart, train with views that keep it: "
                        "{command}.", command=keeping)  # fmt: skip
    return sentence("If light or colours tell kinds apart, train with views that keep them: "
                    "{command}.", command=keeping)  # fmt: skip


def _use(training: TrainingCommand) -> Sentence:
    if training.verb in ("run", "cluster"):
        table = training.beside("prediction.csv")
        if training.verb == "cluster" and not any(o[0] == "--images" for o in training.options):
            use = command("export", training.data, table, f"{training.place}-groups.csv",
                          "--as", "csv")  # fmt: skip
            return sentence("Write the groups with their names to a file: {command}.", command=use)
        folders = outside(Path(f"{training.place}-sorted"), Path(training.data))
        use = command("export", training.data, table, str(folders))
        return sentence("Copy the images into one folder for each group: {command}.", command=use)
    use = command("predict", training.data, training.checkpoint, training.beside("prediction.csv"))
    return sentence("Write the group of each image to a file: {command}.", command=use)
