"""What a report begins with: can these groups be trusted, why, and what to do next."""

from __future__ import annotations

from shoal.embedding.embed import batches
from shoal.images.vectors.source import n_dimensions_of
from shoal.reports.document import Block, Bullets, Heading
from shoal.reports.inputs import ReportInputs
from shoal.reports.wording import Wording
from shoal.scoring import label_free
from shoal.scoring.evidence import Sentence
from shoal.scoring.verdict import Verdict
from shoal.search.copies import content_of, digests


def section(inputs: ReportInputs, verdict: Verdict, wording: Wording) -> list[Block]:
    """The verdict on `ReportInputs.main`, its reasons and warnings, and what to do next."""
    blocks: list[Block] = [
        Heading(_in_words(verdict.answer, wording)),
        Bullets(tuple(_in_words(reason, wording) for reason in verdict.reasons)),
    ]
    warnings = (*map(wording.warning, verdict.warnings), *_copies(inputs, wording))
    if warnings:
        blocks += [Heading(wording("Warnings"), 2), Bullets(warnings)]
    if verdict.next_steps:
        steps = tuple(_in_words(step, wording) for step in verdict.next_steps)
        blocks += [Heading(wording("What to do next"), 2), Bullets(steps)]
    return blocks


def verdict_on(inputs: ReportInputs) -> Verdict:
    """The verdict that a report of ``inputs`` gives."""
    return label_free.verdict_on(inputs.main.trained.checkpoint)


def _in_words(sentence: Sentence, wording: Wording) -> str:
    return wording(sentence.template, **dict(sentence.values))


def _copies(inputs: ReportInputs, wording: Wording) -> tuple[str, ...]:
    """A sentence if images occur more than once, pixel for pixel."""
    seen: set[bytes] = set()
    for rows in batches(inputs.train):
        seen.update(digests(content_of(inputs.train, rows)))
    copies = len(inputs.train) - len(seen)
    if not copies:
        return ()
    if n_dimensions_of(inputs.train):
        return (
            wording("{n:,} {n:vector is an exact copy of another|vectors are exact copies of "
                    "others}.", n=copies),
        )  # fmt: skip
    return (
        wording("{n:,} {n:image is an exact copy of another|images are exact copies of others}.",
                n=copies),
    )  # fmt: skip
