"""What to do next, by the verdict: sentences with commands that can be run as they are printed."""

from __future__ import annotations

from pathlib import Path

from shoal.images.output_checks import outside
from shoal.plural import of_vectors
from shoal.scoring.evidence import (
    Evidence,
    Sentence,
    is_asked_to_ignore,
    is_shown,
    of_light,
    sentence,
)
from shoal.scoring.group_sizes import FEW_TO_GROUP
from shoal.scoring.training_command import TrainingCommand, command
from shoal.scoring.worth_asking import by_groups


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
    steps = [
        check if known.one_group else
        _of_what("Look at the groups: the typical images of each, and the images it is least sure "
                 "of.", evidence)
    ]  # fmt: skip
    if known.copies:
        copies = command("duplicates", data, checkpoint, "--csv", training.beside("duplicates.csv"),
                         "--picture", training.beside("duplicates.png"))  # fmt: skip
        return (*steps, sentence("List the copies: {command}.", command=copies))
    if evidence.n_rivals and trust != "no":
        picture = training.beside("splits.png")
        splits = command("splits", data, checkpoint, "--picture", picture)
        steps.append(sentence("Look at the other ways to divide the pile: {command}.",
                              command=splits))  # fmt: skip
    if (evidence.tried_views == "stronger" or is_asked_to_ignore(evidence)) and (
        training.verb != "cluster"
    ):
        steps.append(_keep_light(evidence))
    if trust != "yes" and training.verb != "cluster":
        steps += _train_again(evidence)
    other_number = trust != "yes" or evidence.n_clusters > 2
    if other_number and not evidence.number_is_settled and known.answers("clusters"):
        picture = training.beside("n_clusters.png")
        clusters = command("clusters", data, checkpoint, "--picture", picture)
        steps.append(sentence("Try another number of groups: {command}.", command=clusters))
    if trust == "yes":
        steps.append(_use(training))
    return tuple(steps[:5])


def _of_what(text: str, evidence: Evidence) -> Sentence:
    """A sentence on images, or on vectors that no images show."""
    shown = any(option[0] == "--images" for option in evidence.training.options)
    return sentence(of_vectors(text) if evidence.vectors and not shown else text)


def _train_again(evidence: Evidence) -> list[Sentence]:
    training = evidence.training
    if evidence.minutes is not None:
        longer = training.again("longer", minutes=f"{max(1.0, 4 * evidence.minutes):g}")
    else:
        epochs = max(evidence.recipe_epochs, 2 * evidence.epochs)
        longer = training.again("longer", epochs=f"{epochs:g}")
    steps = [sentence("Train longer: {command}.", command=longer)]
    if not is_shown(evidence.representation) or of_light(evidence.signals):
        steps = _change_views(evidence)
    if evidence.larger_size is not None:
        larger = training.again("larger", size=str(evidence.larger_size))
        steps.append(sentence("Train on larger images: {command}.", command=larger))
    return steps


def _change_views(evidence: Evidence) -> list[Sentence]:
    """Other views, where what images show hardly tells the groups, unless a trial was for them.

    A trial that kept the usual views is too short to have the last word on groups that follow the
    light: those who know that colours mean nothing may ask for a whole training.
    """
    training = evidence.training
    by_light = of_light(evidence.signals)
    vain = evidence.tried_views == "usual" and not by_light
    if vain or evidence.tried_views == "stronger" or is_asked_to_ignore(evidence):
        return []
    if evidence.colours:
        ignoring = training.again("any-colour", intensity="ignored")
        step = sentence("Train with views that tell nothing of light and colours: {command}.",
                        command=ignoring)  # fmt: skip
    else:
        ignoring = training.again("any-intensity", intensity="ignored")
        step = sentence("Train with views that tell nothing of the intensity: {command}.",
                        command=ignoring)  # fmt: skip
    return [step, _keep_light(evidence)] if by_light else [step]


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
