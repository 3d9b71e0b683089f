"""How sure: what was measured without labels, and the confidence of the images."""

from __future__ import annotations

import math

import numpy as np

from shoal.embedding.table import ImageTable, equally_sure
from shoal.reports import figures
from shoal.reports.document import Block, Heading, Picture, Table
from shoal.reports.inputs import ReportInputs
from shoal.reports.wording import Wording
from shoal.scoring.assignment import calibration_of


def section(inputs: ReportInputs, table: ImageTable, wording: Wording) -> list[Block]:
    """Numbers and confidences of `ReportInputs.main`; ``table`` is of all images learned from."""
    tenth, half = np.quantile(table.confidence, (0.1, 0.5))
    caption = wording(
        "Confidence of {n:,} {n:image|images}: a tenth is below {tenth:.3f}, half below "
        "{half:.3f}.",
        n=len(table.labels), tenth=tenth, half=half,
    )  # fmt: skip
    if equally_sure(table.confidence):
        caption = wording("All images have the confidence {value:.3f}: they cannot be told apart "
                          "by it.", value=half)  # fmt: skip
    figure = figures.confidences(table.confidence, table.labels, wording=wording)
    return [
        Heading(wording("How sure")),
        numbers(inputs, table, wording),
        Picture(figure, caption),
    ]


def numbers(inputs: ReportInputs, table: ImageTable, wording: Wording) -> Table:
    """The label-free scores of `ReportInputs.main`."""
    trained = inputs.main.trained
    calibration = calibration_of(trained.checkpoint)
    consistency = trained.checkpoint.facts.consistency.get(trained.checkpoint.step)
    rows: list[tuple[str, str]] = []

    def add(name: str, value: float | None) -> None:
        if value is not None and math.isfinite(value):
            rows.append((name, f"{value:.3f}"))

    if calibration is not None:
        estimate, signals = calibration.estimate, calibration.signals
        if math.isfinite(estimate.expected_accuracy):
            rows.append(
                (wording("expected share of images in the right group"),
                 estimate.text(len(inputs.train)))
            )  # fmt: skip
        add(wording("images that stay in their group when shown differently"),
            signals.view_agreement)  # fmt: skip
        add(wording("images put alike by groups of half of them"), signals.stability)
        add(wording("images put alike by other methods"), signals.method_agreement)
        add(wording("how well what the images show tells the groups"), signals.shown)
        add(wording("how well light and colours alone tell the groups"), signals.light)
        add(wording("images found again among their nearest by another view"), signals.recognition)
    add(wording("consistency under augmentation"), consistency)
    add(wording("mean confidence"), float(table.confidence.mean()))
    return Table((wording("measure, without labels"), trained.name), tuple(rows))
