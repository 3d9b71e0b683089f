"""The facts of a checkpoint that later steps read: how it was made, and its clusters.

A checkpoint's ``provenance`` is for people. Whatever a program decides by is a field here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any


@dataclass(frozen=True)
class Origin:
    """How a checkpoint came to be."""

    digest: str = ""
    """The digest of the images it learned from, see `ImageSource.digest`; empty if unknown."""
    command: str = ""
    """The command line that trained it, without absolute paths; empty if there was none."""
    seconds: float = 0.0
    """The training time so far."""
    precision: str = ""
    """fp32 or bf16: a run is resumed in the precision it began in."""
    threads: int = 0
    """The number of threads that computed, of each worker; 0 if unknown."""
    workers: int = 1
    """The number of processes that trained together."""
    minutes: float | None = None
    """The time limit of the command; None if it had none."""
    earlier_seconds: float = 0.0
    """The seconds that a run with a time limit had taken before it was interrupted."""
    groups: str = ""
    """The digest of the groups of images that it was told, see `groups_digest`; empty if none."""
    larger_size: int | None = None
    """Pixels a side that would show more of images that were shrunk."""
    row_range: tuple[float, float] | None = None
    """The numbers of a table that are black and white, see `estimator.inputs`; None for images."""
    numbers: tuple[float, float] | None = None
    """From which to which number vectors from elsewhere reach, see `vectors.scale`; None of images,
    in older files, and of vectors far from the origin."""
    tried_views: str = ""
    """Which views were taken after short trainings tried them out: usual, or stronger, which tell
    nothing of light and colours; empty if none were tried out."""
    column: str = ""
    """The column of the vectors from elsewhere, where it was named."""
    id_column: str = ""
    """The column of their ids, where it was named."""

    def updated_by(self, other: Origin) -> Origin:
        """Return this origin with each field that ``other`` sets.

        >>> Origin(command="a", minutes=2.0).updated_by(Origin(command="b")).minutes
        2.0
        """
        default = Origin()
        known = {field.name: getattr(other, field.name) for field in fields(other)}
        changed = {name: value for name, value in known.items() if value != getattr(default, name)}
        return replace(self, **changed)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Origin:
        """Read what `to_json` returned; a field that is missing has its default.

        >>> Origin.from_json(Origin(digest="a", row_range=(0.0, 1.0)).to_json()).row_range
        (0.0, 1.0)
        """
        names = {field.name for field in fields(cls)}
        known = {name: value for name, value in about.items() if name in names}
        for name in ("row_range", "numbers"):
            if known.get(name) is not None:
                low, high = known[name]
                known[name] = (float(low), float(high))
        return cls(**known)

    @classmethod
    def from_provenance(cls, provenance: Mapping[str, Any]) -> Origin:
        """Read the provenance of a file of format 1, which kept these facts there."""
        known = dict(provenance) | {"digest": provenance.get("fingerprint", "")}
        return cls.from_json({name: value for name, value in known.items() if value is not None})


@dataclass(frozen=True)
class Split:
    """One way to divide a pile, and what speaks for it."""

    sizes: tuple[int, ...]
    """Images in each cluster, by number."""
    separation: float
    """R² of predicting it from the embedding, in [0, 1]."""
    pixel_share: float | None
    """R² of predicting it from thumbnails of the images, in [0, 1]: what took no learning. None of
    vectors from elsewhere."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values, the shares rounded to six digits."""
        return {
            "sizes": list(self.sizes),
            "separation": round(self.separation, 6),
            "pixel_share": None if self.pixel_share is None else round(self.pixel_share, 6),
        }

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Split:
        """The inverse of `to_json`."""
        sizes = tuple(int(size) for size in about["sizes"])
        share = about["pixel_share"]
        return cls(sizes, float(about["separation"]), None if share is None else float(share))


@dataclass(frozen=True)
class ChosenNumber:
    """Why a pile was divided into as many clusters as it was, where the number was chosen."""

    reason: str
    """A sentence or two."""
    strengths: Mapping[int, float]
    """The prediction strength of each number of clusters."""

    def before_pixels(self) -> ChosenNumber:
        """The same where clusters were then found in another embedding, whose strengths differ."""
        return replace(self, reason=f"{self.reason} {BEFORE_PIXELS}")


BEFORE_PIXELS = (
    "The number was chosen by what was learned alone; the groups were then found with the pixels."
)
"""What is added to the reason for a number that was chosen in another embedding."""
ONE_NUMBER, ALL_THE_SAME = "a single number has no direction", "all vectors are the same"
"""Reasons for a metric in whose place the other would tell nothing."""


@dataclass(frozen=True)
class ChosenMetric:
    """How vectors from elsewhere were compared, and why."""

    metric: str
    """cosine: by their directions alone; euclidean: as they are."""
    reason: str = ""
    """A sentence without its full stop; empty where nothing was to be chosen."""
    strengths: Mapping[str, float] = field(default_factory=dict)
    """The prediction strength of the clusters by each metric; empty if they were not compared."""

    @property
    def in_words(self) -> str:
        """What is compared, with the name of the metric.

        >>> ChosenMetric("cosine").in_words, ChosenMetric("euclidean").other
        ('the directions of the vectors are compared (cosine)', 'cosine')
        """
        if self.metric == "cosine":
            return "the directions of the vectors are compared (cosine)"
        return "the vectors are compared as they are, lengths too (euclidean)"

    @property
    def clauses(self) -> list[str]:
        """The same and the reason, in clauses that a report can translate one by one.

        >>> ChosenMetric("cosine").clauses[1]
        'it was asked for'
        """
        return [self.in_words, *(self.reason or "it was asked for").split("; ")]

    @property
    def explained(self) -> str:
        """All of that as one line."""
        return "; ".join(self.clauses)

    @property
    def other(self) -> str:
        """The name of the other metric."""
        return "euclidean" if self.metric == "cosine" else "cosine"

    @property
    def may_be_overruled(self) -> bool:
        """Whether it was chosen, and the other metric could tell something, too."""
        return bool(self.reason) and self.reason not in (ONE_NUMBER, ALL_THE_SAME)

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> ChosenMetric:
        """Read what `asdict` returned."""
        strengths = {str(name): float(value) for name, value in about["strengths"].items()}
        return cls(str(about["metric"]), str(about["reason"]), strengths)


@dataclass(frozen=True)
class Representation:
    """The embedding in which the clusters were found, compared with the pixels themselves."""

    choice: str = "learned"
    """learned; pixels, in which k-means found the clusters; or joined, both side by side."""
    agreement: float = 0.0
    """The adjusted mutual information of the clusters and those of the simple way, PCA of the
    pixels and k-means: 1 if they are the same, 0 if they agree by chance."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """For each of the three, how well its clusters are predicted from the structure of images, see
    `scoring.structure`; empty where nothing was to be chosen."""

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Representation:
        """Read what `asdict` returned."""
        scores = {str(name): float(score) for name, score in about["scores"].items()}
        return cls(str(about["choice"]), float(about["agreement"]), scores)


@dataclass(frozen=True)
class ClusterFacts:
    """The facts of a finished checkpoint's clusters."""

    splits: tuple[Split, ...] = ()
    """The ways to divide the pile, the choice first; none in an early file."""
    warnings: tuple[str, ...] = ()
    """Sentences on what makes the clusters doubtful."""
    consistency: Mapping[int, float] = field(default_factory=dict)
    """The consistency under augmentation, in [0, 1], of each compared checkpoint, by its step."""
    chosen: ChosenNumber | None = None
    """The number of clusters that was chosen; None where a person gave it."""
    weighed: Mapping[int, float] = field(default_factory=dict)
    """Where a person gave it, the prediction strength of it and of others, at a quick look: of
    fewer images than ``chosen`` has; empty in older files."""
    representation: Representation | None = None
    """How the embedding compares with the pixels; None in older files."""
    metric: ChosenMetric | None = None
    """How vectors from elsewhere were compared; None of images, and in older files."""

    @property
    def strengths(self) -> Mapping[int, float]:
        """The prediction strength of each number of clusters that was weighed, by shoal to choose
        one, or beside the one that a person gave."""
        return self.weighed if self.chosen is None else self.chosen.strengths

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        chosen, representation = self.chosen, self.representation
        return {
            "splits": [split.to_json() for split in self.splits],
            "warnings": list(self.warnings),
            "consistency": {str(step): score for step, score in sorted(self.consistency.items())},
            "chosen": None if chosen is None else {
                "reason": chosen.reason,
                "strengths": {str(k): value for k, value in chosen.strengths.items()},
            },
            "weighed": {str(k): value for k, value in self.weighed.items()},
            "representation": None if representation is None else asdict(representation),
            "metric": None if self.metric is None else asdict(self.metric),
        }  # fmt: skip

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> ClusterFacts:
        """The inverse of `to_json`; what is missing has its default."""
        chosen, representation = about.get("chosen"), about.get("representation")
        metric = about.get("metric")
        return cls(
            splits=tuple(Split.from_json(split) for split in about.get("splits", ())),
            warnings=tuple(str(warning) for warning in about.get("warnings", ())),
            consistency={
                int(step): float(score) for step, score in about.get("consistency", {}).items()
            },
            chosen=None if chosen is None else ChosenNumber(
                str(chosen["reason"]),
                {int(k): float(value) for k, value in chosen["strengths"].items()},
            ),
            weighed={int(k): float(value) for k, value in about.get("weighed", {}).items()},
            representation=(
                None if representation is None else Representation.from_json(representation)
            ),
            metric=None if metric is None else ChosenMetric.from_json(metric),
        )  # fmt: skip

    @classmethod
    def from_provenance(cls, provenance: Mapping[str, Any]) -> ClusterFacts:
        """Read the provenance of a file of format 1, which kept these facts there."""
        about = {name: provenance[name] for name in ("splits", "warnings") if name in provenance}
        about["consistency"] = provenance.get("steadiness", {})
        if "n_clusters_strength" in provenance:
            about["chosen"] = {
                "reason": provenance["n_clusters"],
                "strengths": provenance["n_clusters_strength"],
            }
        return cls.from_json(about)
