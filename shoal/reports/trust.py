"""What a report begins with: can these groups be trusted, why, and what to do next."""

from __future__ import annotations

import math

from shoal.embedding.embed import batches
from shoal.embedding.table import ImageTable
from shoal.reports.document import Block, Bullets, Heading, Table
from shoal.reports.inputs import Subject
from shoal.reports.wording import Wording
from shoal.scoring import label_free
from shoal.scoring.assignment import calibration_of
from shoal.scoring.evidence import Sentence
from shoal.scoring.verdict import Verdict
from shoal.search.copies import digests


def section(subject: Subject, verdict: Verdict, wording: Wording) -> list[Block]:
    """The verdict on `Subject.main`, its reasons and warnings, and what to do next."""
    blocks: list[Block] = [
        Heading(_said(verdict.answer, wording)),
        Bullets(tuple(_said(reason, wording) for reason in verdict.reasons)),
    ]
    warnings = (*verdict.warnings, *_copies(subject, wording))
    if warnings:
        blocks += [Heading(wording("Warnings"), 2), Bullets(warnings)]
    if verdict.next_steps:
        steps = tuple(_said(step, wording) for step in verdict.next_steps)
        blocks += [Heading(wording("What to do next"), 2), Bullets(steps)]
    return blocks


def verdict_on(subject: Subject) -> Verdict:
    """The verdict that a report of ``subject`` gives."""
    return label_free.verdict_on(subject.main.trained.checkpoint)


def numbers(subject: Subject, table: ImageTable, wording: Wording) -> Table:
    """What was measured of `Subject.main` without labels; ``table`` is of all its images."""
    one = subject.main.trained
    calibrated = calibration_of(one.checkpoint)
    steady = one.checkpoint.provenance.get("steadiness", {}).get(str(one.checkpoint.step))
    rows: list[tuple[str, str]] = []

    def add(name: str, value: float | None) -> None:
        if value is not None and math.isfinite(value):
            rows.append((name, f"{value:.3f}"))

    if calibrated is not None:
        found, signals = calibrated.estimate, calibrated.signals
        if math.isfinite(found.expected_accuracy):
            rows.append(
                (wording("expected share of images in the right group"),
                 found.text(len(subject.train)))
            )  # fmt: skip
        add(wording("images that stay in their group when shown differently"),
            signals.view_agreement)  # fmt: skip
        add(wording("images put alike by groups of half of them"), signals.stability)
        add(wording("images put alike by other methods"), signals.method_agreement)
        add(wording("images found again among their nearest by another view"), signals.recognition)
    add(wording("consistency under augmentation"), steady)
    add(wording("mean confidence"), float(table.confidence.mean()))
    return Table((wording("measure, without labels"), one.name), tuple(rows))


def _said(sentence: Sentence, wording: Wording) -> str:
    return wording(sentence.template, **dict(sentence.values))


def _copies(subject: Subject, wording: Wording) -> tuple[str, ...]:
    """A sentence if images occur more than once, pixel for pixel."""
    seen: set[bytes] = set()
    for rows in batches(subject.train):
        seen.update(digests(subject.train.read(rows)))
    copies = len(subject.train) - len(seen)
    if not copies:
        return ()
    told = wording(
        "{n:,} {n:image is an exact copy of another|images are exact copies of others}.", n=copies
    )
    return (told,)
