"""How it was made: enough to make it again."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from datetime import UTC, datetime

from shoal.images.files import digest_of
from shoal.images.vectors.source import n_dimensions_of
from shoal.models.provenance import command_line
from shoal.reports.document import Block, Code, Heading, Paragraph, Table
from shoal.reports.inputs import ReportInputs, Trained
from shoal.reports.wording import Wording

_FACTS = (
    "seconds", "peak_memory_gb", "machine", "device", "threads", "precision", "python", "shoal",
    "torch", "numpy", "allocator",
)  # fmt: skip
_LIBRARIES = ("torch", "numpy", "scikit-learn", "faiss-cpu", "openTSNE", "matplotlib")


def section(inputs: ReportInputs, wording: Wording) -> list[Block]:
    """Commands, recipes, seeds, versions, machine, durations and digests."""
    blocks: list[Block] = [
        Heading(wording("How it was made")),
        Paragraph(wording("The commands, from the images to this report:")),
        Code(
            "\n".join(
                [
                    *(trained.checkpoint.origin.command or wording("not recorded")
                      for trained in inputs.all),
                    command_line(),
                ]
            )
        ),
    ]  # fmt: skip
    names = [trained.name for trained in inputs.all]
    facts = [_facts(trained) for trained in inputs.all]
    fields = list(dict.fromkeys(field for known in facts for field in known))
    rows = [(field, *(known.get(field, "–") for known in facts)) for field in fields]
    recipes = [trained.checkpoint.recipe.describe() for trained in inputs.all]
    rows += [(field, *(str(recipe[field]) for recipe in recipes)) for field in recipes[0]]
    blocks += [
        Paragraph(_by_digest(inputs, wording)),
        Table(
            (wording("images"), wording("number"), "SHA-256"),
            tuple(
                (name, f"{len(source):,}", source.digest())
                for name, source in (
                    (wording("learned from"), inputs.train),
                    (wording("measured on"), inputs.images),
                )
                if source is not None
            ),
        ),
        Paragraph(wording("Each checkpoint: how it was trained, and every setting of its recipe:")),
        Table((wording("what"), *names), tuple(rows)),
        Paragraph(_here(wording)),
    ]  # fmt: skip
    return blocks


def _by_digest(inputs: ReportInputs, wording: Wording) -> str:
    if n_dimensions_of(inputs.train):  # with pictures, too: it is of the vectors
        return wording("Vectors, by the digest of their numbers:")
    return wording("Images, by the digest of their pixels:")


def _facts(trained: Trained) -> dict[str, str]:
    checkpoint = trained.checkpoint
    known = checkpoint.provenance | {
        name: value for name, value in checkpoint.origin.to_json().items() if value
    }
    facts = {name: str(known[name]) for name in _FACTS if name in known}
    return facts | {
        "weights": f"{sum(t.numel() for t in checkpoint.encoder_state.values()):,}",
        "epochs trained": f"{checkpoint.epoch:g}",
        "steps trained": f"{checkpoint.step:,}",
        "file SHA-256": digest_of(trained.path)[:16] + "…",
        "weights SHA-256": checkpoint.weights_digest()[:16] + "…",
        f"{checkpoint.recipe.kind} SHA-256": (checkpoint.origin.digest or "–")[:16] + "…",
    }


def _here(wording: Wording) -> str:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES)
    return wording(
        "This report: {when}, {machine}, Python {python}, {versions}.",
        when=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        machine=f"{platform.system()} {platform.machine()}",
        python=".".join(map(str, sys.version_info[:3])), versions=versions,
    )  # fmt: skip
