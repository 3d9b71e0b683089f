"""What a report begins with: can these groups be trusted, why, and what to do next."""

from __future__ import annotations

from shoal.images.vectors.source import n_dimensions_of
from shoal.plural import pixels
from shoal.reports.document import Block, Bullets, Heading
from shoal.reports.inputs import ReportInputs
from shoal.reports.wording import Wording
from shoal.scoring import label_free
from shoal.scoring.evidence import Sentence
from shoal.scoring.verdict import Verdict


def section(inputs: ReportInputs, verdict: Verdict, wording: Wording) -> list[Block]:
    """The verdict on `ReportInputs.main`, its reasons and warnings, and what to do next."""
    blocks: list[Block] = [
        Heading(_in_words(verdict.answer, wording)),
        Bullets(tuple(_in_words(reason, wording) for reason in verdict.reasons)),
    ]
    warnings = (*map(wording.warning, verdict.warnings), *copies(inputs, wording))
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


def copies(inputs: ReportInputs, wording: Wording) -> tuple[str, ...]:
    """A sentence if images are the same as others to whoever learns from them."""
    n = inputs.n_copies
    if not n:
        return ()
    if n_dimensions_of(inputs.train):
        return (
            wording("{n:,} {n:vector is an exact copy of another|vectors are exact copies of "
                    "others}.", n=n),
        )  # fmt: skip
    height, width, _ = inputs.train.shape
    return (
        wording("{n:,} {n:image is|images are} the same as {n:another|others} at the size that "
                "shoal sees, {size}; shoal duplicates lists which, and compares whole files.",
                n=n, size=pixels(height, width)),
    )  # fmt: skip
