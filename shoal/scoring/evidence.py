"""The evidence that the verdict on a clustering depends on, and the sentences of the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shoal.clustering.splits import n_rivals
from shoal.models.facts import Representation
from shoal.plural import fill
from shoal.scoring.accuracy import Estimate
from shoal.scoring.signals import Signals, follows_light
from shoal.scoring.training_command import TrainingCommand

MEANINGLESS = "mean nothing"
"""The warnings of `warnings` say this of clusters that separate nothing."""
COPIES = "copies of them"
"""They say this of groups that each hold an image and its copies."""
UNJUDGED = "nothing tells whether"
"""They say this of groups of too few different images to judge them by."""
HARMLESS = ("it tells nothing.", "they tell nothing.")
"""They end so if they say nothing of the clusters, such as of a channel with one number in it."""
EXPLAINED = "the clusters apart"
"""They say this of clusters that a simple feature tells, such as the brightness."""

SHOWN = 0.1
"""Below this score what images show does not tell the groups. Groups of noise have 0.00 to 0.01,
groups by colour of shapes in any colours up to 0.05, groups that are partly right 0.15 or more."""
FAR_CLEARER = 0.7
"""From this score of `than_noise` on groups of vectors are far clearer than those of noise."""
LIGHT_TELLS = 0.6
"""From this score on light and colours tell the groups well, though what images show may do so as
well: dim images are grainier, say. Light may then be what tells kinds apart."""
UNTOLD = 0.08
"""Views are tried out before training where what images show tells the groups of their pixels no
better than this. Things in any colours have 0.00 to 0.07, photographs 0.04 to 0.48
(benchmarks/LOG.md)."""
CLEARLY = 0.03
"""A score of `structure.predictability` is clearly higher than another from this difference on:
above its noise on 1,000 images."""


@dataclass(frozen=True)
class Sentence:
    """A sentence in English and its values; reports translate the template."""

    template: str
    values: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        return fill(self.template, **dict(self.values)) if self.values else self.template


def sentence(template: str, **values: object) -> Sentence:
    """A `Sentence` with its values.

    >>> sentence("{score:.2f} of 1", score=-0.004).values
    (('score', 0.0),)
    """
    # Scores are told with two decimals, and nobody scores "-0.00".
    told = ((name, 0.0 if isinstance(value, float) and -0.005 < value < 0 else value)
            for name, value in values.items())  # fmt: skip
    return Sentence(template, tuple(told))


@dataclass(frozen=True)
class Evidence:
    """All that the verdict depends on."""

    n_images: int
    n_clusters: int
    """The number of clusters asked for."""
    n_nonempty: int
    """How many of these hold images."""
    estimate: Estimate | None = None
    """None for a checkpoint of an older shoal, or if there were too few images to measure it."""
    signals: Signals | None = None
    """None in the same cases."""
    consistency: float | None = None
    """Under augmentation, in [0, 1]; None in the same cases."""
    separations: tuple[float, ...] = ()
    """The separation of each way to divide the pile, in [0, 1], the chosen one first."""
    tolerance: float = 0.03
    """Ways whose separation is less by at most this are as clear as the chosen one."""
    representation: Representation | None = None
    """How the embedding compares with the pixels; None for a checkpoint of an older shoal."""
    warnings: tuple[str, ...] = ()
    epochs: float = 0.0
    """How many epochs the training had."""
    recipe_epochs: float = 0.0
    """How many the named recipe has; 0 if the recipe has no name."""
    minutes: float | None = None
    """How many minutes were asked for, if any."""
    larger_size: int | None = None
    """The side, in pixels, at which images lose less; None if they were not shrunk."""
    colours: bool = True
    """Whether the channels are colours, and no measurements."""
    changed: str = "colours"
    """What the views that test the groups changed beside how images lie: colours, the light alone,
    or nothing, see `evaluation_views.changed_by`."""
    equally_sure: bool = False
    """Whether all images have the same confidence, so that none is the least certain."""
    keeps_light: bool = False
    """Whether training kept light and colours, or the intensity, as they are."""
    tried_views: str = ""
    """usual, or stronger: the views taken after a trial, see `try_views`; empty without one."""
    halves_tell: bool = True
    """Whether it says anything that half of the images form the same groups. It does not where
    there are fewer than two images a group."""
    number_is_settled: bool = False
    """Whether the number of groups was chosen, and no other would do as well."""
    others_are_clear: bool = False
    """Whether another number of groups is clear, too."""
    weighed: Mapping[int, float] = field(default_factory=dict)
    """Where the number of groups was given, the prediction strength of it and of others."""
    unclear: float | None = None
    """The prediction strength of the number of groups that was chosen, where none is clear."""
    vectors: bool = False
    """Whether it is vectors from elsewhere that were clustered."""
    training: TrainingCommand = field(default_factory=TrainingCommand)

    @property
    def n_rivals(self) -> int | None:
        """How many other ways to divide the pile are about as clear, if that can be told."""
        return n_rivals(self.separations, self.n_clusters, self.tolerance)


def is_asked_to_ignore(evidence: Evidence) -> bool:
    """Whether a person asked for views under which light and colours tell nothing."""
    return evidence.training.intensity == "ignored"


def was_short(evidence: Evidence) -> bool:
    """Whether training had clearly fewer epochs than the recipe has by itself."""
    return evidence.epochs < 0.9 * evidence.recipe_epochs


def was_no_help(found: Representation | None) -> bool:
    """Whether the groups are those of the pixels, as what was learned tells less."""
    return found is not None and found.choice == "pixels"


def is_far_clearer(signals: Signals | None) -> bool:
    """Whether groups of vectors are far clearer than those of noise."""
    return signals is not None and signals.beyond_noise >= FAR_CLEARER  # NaN is not


def light_tells(signals: Signals | None) -> bool:
    """Whether light and colours tell the groups well, whatever else does."""
    return signals is not None and signals.light >= LIGHT_TELLS


def of_light(signals: Signals | None) -> bool:
    """Whether light and colours alone tell the groups, and what images show hardly does."""
    return signals is not None and follows_light(signals.light, signals.shown)


def is_shown(found: Representation | None) -> bool:
    """Whether the structure of the images tells their groups, as far as that was measured."""
    return found is None or not found.scores or found.scores[found.choice] >= SHOWN
