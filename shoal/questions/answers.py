"""What the questions about single images were answered with, for a reader."""

from __future__ import annotations

from pathlib import Path

from shoal.questions.duplicates import Duplicates
from shoal.questions.outliers import Outliers
from shoal.questions.pairs import Pairs
from shoal.questions.similar import Similar
from shoal.rows import printable


def pairs(found: Pairs, *, space: str, metric: str, at_random: bool) -> str:
    """How many pairs are the same, by which threshold, and how that agrees with the clusters."""
    threshold = found.threshold
    origin = (
        f"learned without labels: of all thresholds it says most often of random pairs of training "
        f"images what the checkpoint's clusters say ({threshold.agreement:.1%} of them)"
        if threshold.learned
        else f"given; of random pairs of training images it says what the checkpoint's clusters "
        f"say for {threshold.agreement:.1%}"
    )
    what = {"clusters": "memberships of the clusters", "embedding": "the reduced embedding"}[space]
    drawn = " drawn at random" if at_random else ""
    return "\n".join(
        [
            f"{metric} similarity of {what}; the same at {threshold.value:.4f} or above",
            f"threshold {origin}",
            f"{len(found.same):,} pairs{drawn}: {found.same.mean():.1%} the same; "
            f"{found.agreement:.1%} agree with the clusters",
        ]
    )


def similar(found: Similar) -> str:
    """A line for each image asked about: the most similar, with their similarity."""
    lines = []
    for query, rows, alike in zip(found.queries, found.indices, found.similarity, strict=True):
        named = [
            f"{printable(found.ids[row])} ({value:.2f})"
            for row, value in zip(rows, alike, strict=True)
        ]
        lines.append(f"{printable(query)}: {', '.join(named)}")
    return "\n".join(lines)


def duplicates(found: Duplicates) -> str:
    """How many copies in how many groups, by which distance, and which to keep."""
    exact = sum(int(group.exact.sum()) for group in found.groups)
    if not found.groups:
        return f"no copies among {len(found.ids):,} images, up to a distance of {found.threshold:g}"
    return (
        f"{found.n_extra:,} of {len(found.ids):,} images are copies, {exact:,} exact and "
        f"{found.n_extra - exact:,} near (up to a distance of {found.threshold:.2g}), in "
        f"{len(found.groups):,} group{'s' if len(found.groups) > 1 else ''}; to keep: "
        f"{found.kept_because}"
    )


def outliers(found: Outliers, shown: int = 5) -> str:
    """The oddest images with their reasons, a line each."""
    lines = [
        f"  {rank}. {printable(found.ids[row])}: {'; '.join(reasons)}"
        for rank, (row, reasons) in enumerate(
            zip(found.rows[:shown], found.reasons[:shown], strict=True), start=1
        )
    ]
    return "\n".join([f"the oddest of {len(found.ids):,} images:", *lines])


def exported(n_images: int, n_left_out: int, how: str, out: Path) -> str:
    """What `export_prediction` wrote."""
    text = f"{n_images:,} images, {how}, written to {printable(str(out))}"
    if n_left_out:
        text += f"; {n_left_out:,} that the prediction does not mention are left out"
    return text


def named(names: dict[int, str], path: Path) -> str:
    """What the clusters of a prediction are called now."""
    given = ", ".join(f"{cluster}: {printable(name)}" for cluster, name in names.items())
    merged = len(names) - len(set(names.values()))
    return f"{given}; written to {printable(str(path))}" + (
        f"; {merged:,} merged with another of the same name" if merged else ""
    )
