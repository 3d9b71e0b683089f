"""A checkpoint: one self-describing file of tensors and JSON.

It holds the resolved recipe, the weights, how training went and, in a finished one, the fitted
reducers and clusterer, so that new images are assigned without the old ones.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from shoal.errors import CheckpointError, ShoalError
from shoal.images.files import atomic_path
from shoal.images.output_checks import check_free
from shoal.images.pixel_range import PixelRange
from shoal.images.within import Within
from shoal.models import stored
from shoal.models.facts import ChosenMetric, ClusterFacts, Origin
from shoal.models.file_content import on_cpu, read_content, to_arrays, to_tensors
from shoal.models.pace import Pace
from shoal.protocols import Array, Encoder, Objective
from shoal.recipes import parts
from shoal.recipes.metric import metric_of
from shoal.recipes.recipe import Recipe

FORMAT = "shoal checkpoint"
FORMAT_VERSION = 2
"""2: what programs decide by has fields of its own, see `facts`; before, the provenance held it."""


@dataclass
class Checkpoint:
    """The state of a run after ``step`` of ``total_steps`` steps.

    While training goes on, the tensors are the live ones: save or copy them before the next step.
    """

    recipe: Recipe
    image_shape: tuple[int, int, int]
    """(H, W, C) of the images it learned from and takes."""
    n_images: int
    """The number of images it learned from."""
    step: int
    total_steps: int
    epoch: float
    """How many times every image has been seen."""
    encoder_state: dict[str, Tensor]
    objective_states: list[dict[str, Tensor]]
    optimizer_states: list[dict[str, Any]] | None = None
    """Only in the file that a run is resumed from."""
    history: list[dict[str, float]] = field(default_factory=list)
    """A row of step, epoch, seconds, learning_rate, loss and its parts, about a hundred in all."""
    recent: list[dict[str, Tensor]] = field(default_factory=list)
    """The losses of the steps since the last row of the history, each a scalar."""
    origin: Origin = field(default_factory=Origin)
    """How the checkpoint was made, as far as later steps read it."""
    provenance: dict[str, Any] = field(default_factory=dict)
    """More on how it was made, for people: versions, machine, device, memory."""
    facts: ClusterFacts = field(default_factory=ClusterFacts)
    """The facts of its clusters; empty in a checkpoint kept along the way."""
    reducers: list[dict[str, Array]] = field(default_factory=list)
    """The learned arrays of each reducer; empty until the run has finished."""
    clusterer: dict[str, Array] = field(default_factory=dict)
    """The learned arrays of the clusterer; empty until the run has finished."""
    pixels: dict[str, Array] = field(default_factory=dict)
    """The principal components of the pixels, where the recipe's embedding holds them."""
    familiar: dict[str, Array] = field(default_factory=dict)
    """Measures of the images learned from, for `out_of_distribution`; empty in older files."""
    calibration: dict[str, Array] = field(default_factory=dict)
    """The confidences of memberships, see `scoring.calibration`; empty in older files."""

    noise: dict[str, Array] = field(default_factory=dict)
    """What tells the images that belong nowhere, see `clustering.noise`; mostly empty."""

    n_dimensions: int = 0
    """The length of the vectors from elsewhere that it takes, in place of images; 0: it takes
    images. There is no encoder then, see `recipes.recipe.NO_ENCODER`."""

    centre: Array | None = None
    """float64 (n_dimensions,), what is subtracted in double precision from vectors that single
    precision would not tell apart, new ones, too; None where it does, and in older files."""

    within: Within = field(default_factory=Within)
    """What the images of a file were, where a file held several: the frames of a video, say."""

    pixel_range: PixelRange | None = None
    """The numbers that are black and white, in new images, too. None in older files, in which each
    image of more than 8 bits has a range of its own."""

    fit: str = "crop"
    """How images of other shapes are brought to this one, new images, too."""

    composite: tuple[int, ...] = ()
    """The channels that pictures show, of new images, too, counted from 1; empty where pictures
    show all, and in older files."""

    pace: Pace | None = None
    """The pace of a run with a time limit; None of another run."""

    @property
    def finished(self) -> bool:
        """Whether it can assign images to clusters."""
        return bool(self.clusterer)

    @property
    def metric(self) -> str:
        """How its embedding is compared: cosine; or of vectors that were clustered as they are,
        lengths too, euclidean."""
        return "cosine" if self.facts.metric is None else self.facts.metric.metric

    @property
    def chosen_metric(self) -> ChosenMetric:
        """How its vectors from elsewhere are compared, and why, as far as it knows."""
        older = ChosenMetric(metric_of(self.recipe), "an older shoal always compared vectors so")
        return self.facts.metric or older

    def build_encoder(self) -> Encoder:
        """The autoencoder with these weights, on the CPU, in evaluation mode.

        Raises:
            CheckpointError: the weights do not fit the recipe.
        """
        if self.n_dimensions:
            raise CheckpointError(
                "this checkpoint clusters vectors from elsewhere and has no encoder; give vectors, "
                "not images."
            )
        with torch.random.fork_rng(devices=[]):  # layers are initialised before they are filled
            encoder: Encoder = parts.build("encoders", self.recipe.encoder, self.image_shape)
        _load_state(encoder, self.encoder_state)
        return encoder.eval()

    def build_objectives(self, encoder: Encoder) -> list[Objective]:
        """The objectives with their heads, on the CPU, in evaluation mode."""
        with torch.random.fork_rng(devices=[]):
            objectives = [
                parts.build("objectives", part, encoder) for part in self.recipe.objectives
            ]
        for objective, state in zip(objectives, self.objective_states, strict=True):
            _load_state(objective, state)
            objective.eval()
        return objectives

    def weights_digest(self) -> str:
        """A digest of the encoder's weights: equal for runs that are equal bit for bit."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.encoder_state.items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


def save(checkpoint: Checkpoint, path: str | Path, *, force: bool = False) -> None:
    """Write a checkpoint, atomically; missing folders are made.

    Args:
        checkpoint: finished or not.
        path: the file to write.
        force: replace what is there.

    Raises:
        OutputError: the file exists and ``force`` is not given, or it cannot be written.
    """
    check_free(Path(path), force=force)
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "about": json.dumps(
            {
                "recipe": checkpoint.recipe.to_dict(),
                "image_shape": list(checkpoint.image_shape),
                "n_dimensions": checkpoint.n_dimensions,
                "within": checkpoint.within.to_json(),
                "pixel_range": checkpoint.pixel_range and checkpoint.pixel_range.to_json(),
                "fit": checkpoint.fit,
                "composite": list(checkpoint.composite),
                "n_images": checkpoint.n_images,
                "step": checkpoint.step,
                "total_steps": checkpoint.total_steps,
                "pace": checkpoint.pace and checkpoint.pace.to_json(),
                "epoch": checkpoint.epoch,
                "history": checkpoint.history,
                "recent": [
                    {name: float(loss) for name, loss in losses.items()}
                    for losses in checkpoint.recent
                ],
                "origin": checkpoint.origin.to_json(),
                "provenance": checkpoint.provenance,
                "facts": checkpoint.facts.to_json(),
            }
        ),
        "encoder": on_cpu(checkpoint.encoder_state),
        "objectives": on_cpu(checkpoint.objective_states),
        "optimizer": on_cpu(checkpoint.optimizer_states),
        "reducers": [to_tensors(arrays) for arrays in checkpoint.reducers],
        "clusterer": to_tensors(checkpoint.clusterer),
        "pixels": to_tensors(checkpoint.pixels),
        "familiar": to_tensors(checkpoint.familiar),
        "calibration": to_tensors(checkpoint.calibration),
        "noise": to_tensors(checkpoint.noise),
        "centre": None if checkpoint.centre is None else torch.tensor(checkpoint.centre),
    }
    # Through memory: torch.save writes a file's own name into it, and a full disk would reach
    # its C++ side as a crash rather than as an error.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with atomic_path(Path(path)) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def load(path: str | Path) -> Checkpoint:
    """Read a checkpoint. Only tensors, numbers and text are read: no code in it can run.

    Raises:
        CheckpointError: missing, truncated, of another program, of a newer format, or holding
            anything but tensors, numbers and text.
    """
    path = Path(path)
    content = read_content(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} is a checkpoint of another program; 'shoal train' makes one that shoal reads."
        )
    version = content.get("format_version")
    try:
        if not isinstance(version, int):
            raise ValueError("format_version")
        if version > FORMAT_VERSION:
            raise CheckpointError(
                f"this checkpoint has format {version}, of a newer shoal, and this shoal reads "
                f"up to {FORMAT_VERSION}; upgrade shoal."
            )
        about = json.loads(content["about"])
        stored.check_about(about)
        stored.check_state(content["encoder"], "encoder")
        for state in content["objectives"]:
            stored.check_state(state, "objectives")
        height, width, channels = about["image_shape"]
        pixel_range = about.get("pixel_range")
        optimizer = content["optimizer"]  # before Muon there was one, not a list
        loaded = Checkpoint(
            recipe=Recipe.from_dict(about["recipe"]),
            image_shape=(height, width, channels),
            within=Within.from_json(about.get("within")),
            pixel_range=None if pixel_range is None else PixelRange.from_json(pixel_range),
            n_dimensions=about.get("n_dimensions", 0),
            fit=stored.fit_of(about),
            composite=tuple(int(channel) for channel in about.get("composite", ())),
            n_images=about["n_images"],
            step=about["step"],
            total_steps=about["total_steps"],
            pace=None if about.get("pace") is None else Pace.from_json(about["pace"]),
            epoch=about["epoch"],
            encoder_state=content["encoder"],
            objective_states=content["objectives"],
            optimizer_states=[optimizer] if isinstance(optimizer, dict) else optimizer,
            history=about["history"],
            recent=[
                {name: torch.tensor(float(loss)) for name, loss in losses.items()}
                for losses in about.get("recent", [])  # older files have none
            ],
            **_facts(about),
            reducers=[to_arrays(tensors) for tensors in content["reducers"]],
            clusterer=to_arrays(content["clusterer"]),
            pixels=to_arrays(content.get("pixels", {})),
            familiar=to_arrays(content.get("familiar", {})),
            calibration=to_arrays(content.get("calibration", {})),
            noise=to_arrays(content.get("noise", {})),
            centre=stored.centre_of(content.get("centre"), about),
        )
        if len(loaded.objective_states) != len(loaded.recipe.objectives):
            raise KeyError("the state of an objective")
        if bool(loaded.n_dimensions) == loaded.recipe.has_encoder:
            raise KeyError("the encoder" if loaded.recipe.has_encoder else "n_dimensions")
        if loaded.finished and len(loaded.reducers) != len(loaded.recipe.reducers):
            raise KeyError("the state of a reducer")
        return loaded
    except (LookupError, TypeError, AttributeError, ValueError, RuntimeError) as error:
        if isinstance(error, ShoalError):
            raise CheckpointError(f"{path}: {error}") from error
        raise CheckpointError(
            f"{path}: a part of this checkpoint is missing or damaged ({error}); train again or "
            "restore the file from a copy."
        ) from error


def _facts(about: dict[str, Any]) -> dict[str, Any]:
    """Origin, provenance and facts; a file of format 1 has all of it in the provenance."""
    provenance = about["provenance"]
    if "origin" in about:
        origin, facts = Origin.from_json(about["origin"]), ClusterFacts.from_json(about["facts"])
        return {"origin": origin, "provenance": provenance, "facts": facts}
    return {
        "origin": Origin.from_provenance(provenance),
        "provenance": {name: told for name, told in provenance.items() if name not in stored.MOVED},
        "facts": ClusterFacts.from_provenance(provenance),
    }


def _load_state(module: torch.nn.Module, state: dict[str, Tensor]) -> None:
    try:
        module.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        reason = str(error).splitlines()[-1].strip()
        raise CheckpointError(
            f"the checkpoint's weights do not fit its recipe ({reason}); train again."
        ) from error
