"""How a run starts: from a recipe, or from the last state of an interrupted run."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from shoal import __version__
from shoal.errors import CheckpointError, RecipeError
from shoal.images.pictures import composite_of
from shoal.images.pixel_range import PixelRange
from shoal.images.within import Within
from shoal.models.checkpoint import Checkpoint
from shoal.models.facts import Origin
from shoal.models.pace import Pace
from shoal.protocols import Encoder, ImageSource, IntArray, Objective, Workers
from shoal.recipes import parts
from shoal.recipes.recipe import Recipe, differences
from shoal.training import optimizers
from shoal.training.batch_norm import over_all_workers
from shoal.training.devices import fast_bf16
from shoal.training.randomness import WEIGHTS, seed_of
from shoal.training.run import Run
from shoal.training.schedule import batch_size, n_steps
from shoal.training.workers import ALONE, of_batch


def start_run(
    source: ImageSource, recipe: Recipe, device: str, resume: Checkpoint | None = None, *,
    groups: IntArray | None = None, origin: Origin | None = None,
    notes: Mapping[str, Any] | None = None, workers: Workers = ALONE,
) -> Run:  # fmt: skip
    """Return a run before its first step or, if it is resumed, before its next; see `train`."""
    digest = source.digest()
    workers = of_batch(workers, batch_size(recipe, len(source)))
    if resume is None:
        encoder, objectives = _initialise(recipe, source.shape)
        auto = "bf16" if fast_bf16(device) else "fp32"
        precision = auto if recipe.precision == "auto" else recipe.precision
    else:
        check_resumable(resume, recipe, digest, groups)
        encoder = resume.build_encoder()
        objectives = resume.build_objectives(encoder)
        precision = resume.origin.precision
    for module in (encoder, *objectives):
        module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        module.train()
        over_all_workers(module, workers, device)
    built = optimizers.build(recipe, [encoder, *objectives], workers, precision)
    if resume is not None and resume.optimizer_states is not None:
        for optimizer, state in zip(built, resume.optimizer_states, strict=True):
            optimizer.load_state_dict(state)
    if groups is not None and not any(part.learns_from_groups for part in objectives):
        raise RecipeError(
            f"groups cannot be learned by the objectives of the recipe {recipe.name}, which lack "
            "nt_xent; those of best and digits have it."
        )
    before = Origin() if resume is None else resume.origin
    origin = replace(
        before.updated_by(origin or Origin()), digest=digest, precision=precision,
        threads=torch.get_num_threads(), workers=workers.size, groups=groups_digest(groups),
    )  # fmt: skip
    provenance = dict(notes or {}) | {
        "device": device if device == "cpu" else torch.cuda.get_device_name(),
        "machine": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "shoal": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    return Run(
        recipe=recipe,
        device=device,
        precision=precision,
        encoder=encoder,
        objectives=objectives,
        optimizers=built,
        image_shape=source.shape,
        pixel_range=getattr(source, "pixel_range", PixelRange(eight_bit=True)),
        within=getattr(source, "within", Within()),
        fit=getattr(source, "fit", "crop"),
        composite=tuple(channel + 1 for channel in composite_of(source) or ()),
        n_images=len(source),
        pace=(resume and resume.pace) or Pace.of(n_steps(recipe, len(source))),
        step=0 if resume is None else resume.step,
        history=[] if resume is None else list(resume.history),
        recent=[
            {name: loss.to(device) for name, loss in losses.items()}
            for losses in (() if resume is None else resume.recent)
        ],
        origin=origin,
        provenance=provenance if resume is None else resume.provenance | provenance,
        order=np.arange(len(source)),
        workers=workers,
        groups=groups,
    )


def groups_digest(groups: IntArray | None) -> str:
    """Tells what was known of images, int64 (n,), from others; empty for None."""
    if groups is None:
        return ""
    # By who is together: the numbers of groups mean nothing.
    together = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    return hashlib.sha256(together.tobytes() + (groups >= 0).tobytes()).hexdigest()[:16]


def check_resumable(
    resume: Checkpoint, recipe: Recipe, digest: str, groups: IntArray | None = None
) -> None:
    """Raise unless ``resume`` has this recipe and learned from the images with this digest.

    Raises:
        CheckpointError: the recipe, the images or their known groups differ.
    """
    if resume.origin.groups != groups_digest(groups):
        raise CheckpointError(
            "the run to resume was told other corrections; give the same corrections, or start a "
            "new run."
        )
    changed = differences(resume.recipe, recipe)
    if changed:
        name, (before, now) = next(iter(changed.items()))
        raise CheckpointError(
            f"the run to resume has {name}={before}, not {now}; give the same settings, or start "
            "a new run."
        )
    if resume.origin.digest != digest:
        raise CheckpointError(
            "the run to resume learned from other images; give the same data, or start a new run."
        )


def _initialise(
    recipe: Recipe, image_shape: tuple[int, int, int]
) -> tuple[Encoder, list[Objective]]:
    # PyTorch initialises layers from the global generator alone; it is put back as it was.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(recipe.seed, WEIGHTS, 0))
        encoder = parts.build("encoders", recipe.encoder, image_shape)
        objectives = [parts.build("objectives", part, encoder) for part in recipe.objectives]
    _check_views(recipe, encoder, objectives)
    return encoder, objectives


def _check_views(recipe: Recipe, encoder: Encoder, objectives: list[Objective]) -> None:
    """Raise `RecipeError` unless the encoder and the objectives can use the recipe's views."""
    views = recipe.views
    if views.resolution < 1 and not encoder.any_size:
        raise RecipeError(
            f"views.resolution must be 1 with the encoder {recipe.encoder.name}, which takes "
            f"images of one size only, got {views.resolution:g}."
        )
    for part, objective in zip(recipe.objectives, objectives, strict=True):
        if views.n_views < objective.n_views:
            raise RecipeError(
                f"views.n_views must be at least {objective.n_views} with the objective "
                f"{part.name}, got {views.n_views}."
            )
