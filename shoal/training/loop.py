"""Training: one plain loop, a generator of checkpoints.

Randomness is stateless. The order of an epoch is drawn from (seed, epoch), the views of a step
from (seed, step), so a run resumed at any step sees just what the uninterrupted one saw.
"""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from shoal import __version__
from shoal.errors import CheckpointError, RecipeError, TrainingError
from shoal.images.pixel_range import PixelRange
from shoal.images.tensors import to_float
from shoal.models.checkpoint import Checkpoint
from shoal.models.pace import Pace
from shoal.protocols import Batch, Encoder, ImageSource, IntArray, Objective
from shoal.recipes import parts
from shoal.recipes.augmentation import Views
from shoal.recipes.recipe import Recipe, differences
from shoal.training import optimizers
from shoal.training.augment import augment, local_crops
from shoal.training.devices import fast_bf16, peak_memory, reproducible
from shoal.training.schedule import batch_size, learning_rate, n_steps
from shoal.training.spread import spread
from shoal.training.time_limit import TimeLimit

_HISTORY_ROWS = 100
# Streams of randomness, so that no two uses share numbers.
_WEIGHTS, _ORDER, _VIEWS = range(3)


def train(
    source: ImageSource,
    recipe: Recipe,
    *,
    device: str = "cpu",
    resume: Checkpoint | None = None,
    notes: dict[str, Any] | None = None,
    limit: TimeLimit | None = None,
) -> Iterator[Checkpoint]:
    """Train an encoder on ``source`` and yield the state after each step.

    The same seed, machine and number of threads give the same bits, interrupted or not.

    Args:
        source: at least 2 images.
        recipe: what to do.
        device: cpu or cuda.
        resume: the state of an interrupted run of the same recipe on the same images.
        notes: kept in the checkpoints' provenance.
        limit: how long the command may take: the run is made longer or shorter on the way, and
            the checkpoints tell what was decided. None: as many steps as the recipe says.

    Yields:
        The live state; save it before asking for the next.

    Raises:
        CheckpointError: ``resume`` is of another recipe or other images.
        TrainingError: the loss is no longer finite.
    """
    run = Run.start(source, recipe, device, resume, notes or {})
    began = time.monotonic() - run.seconds_before
    recent: list[dict[str, Tensor]] = []
    step = run.step
    while step < run.total_steps:
        step += 1
        losses = run.take_step(source, step)
        recent.append(losses)
        if limit is not None:
            float(sum(losses.values()))  # waits for the device
            limit.saw_step()
            run.pace = limit.decide(run.pace, step, recipe.checkpoints)
        if step % max(1, run.pace.first_total // _HISTORY_ROWS) == 0 or step == run.total_steps:
            run.record(step, recent, time.monotonic() - began)
            recent = []
        yield run.checkpoint(step, time.monotonic() - began)


def check_resumable(resume: Checkpoint, recipe: Recipe, digest: str) -> None:
    """Raise unless ``resume`` is of this recipe and of the images with this digest.

    Raises:
        CheckpointError: naming what differs.
    """
    changed = differences(resume.recipe, recipe)
    if changed:
        name, (before, now) = next(iter(changed.items()))
        raise CheckpointError(
            f"the run to resume has {name} = {before}, and {now} was asked for; give the same "
            "settings, or start anew without --resume."
        )
    if resume.provenance.get("fingerprint") != digest:
        raise CheckpointError(
            "the run to resume learned from other images than these; give the same data, or start "
            "anew without --resume."
        )


@dataclass
class Run:
    """A run in progress: everything that a step reads or changes."""

    recipe: Recipe
    device: str
    precision: str
    encoder: Encoder
    objectives: list[Objective]
    optimizers: list[torch.optim.Optimizer]
    image_shape: tuple[int, int, int]
    pixel_range: PixelRange
    n_images: int
    pace: Pace
    step: int
    history: list[dict[str, float]]
    provenance: dict[str, Any]
    seconds_before: float
    order: IntArray
    order_epoch: int = -1
    codes: Tensor | None = None
    """The first views' latent codes at the last step, for the record."""

    @staticmethod
    def start(
        source: ImageSource, recipe: Recipe, device: str, resume: Checkpoint | None,
        notes: dict[str, Any],
    ) -> Run:  # fmt: skip
        """A run before its first step, or, resumed, before its next; see `train`."""
        digest = source.digest()
        if resume is None:
            encoder, objectives = _initialise(recipe, source.shape)
            auto = "bf16" if fast_bf16(device) else "fp32"
            precision = auto if recipe.precision == "auto" else recipe.precision
        else:
            check_resumable(resume, recipe, digest)
            encoder = resume.build_encoder()
            objectives = resume.build_objectives(encoder)
            precision = resume.provenance["precision"]
        for module in (encoder, *objectives):
            module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            module.train()
        moved_by = optimizers.build(recipe, [encoder, *objectives])
        if resume is not None and resume.optimizer_states is not None:
            for optimizer, state in zip(moved_by, resume.optimizer_states, strict=True):
                optimizer.load_state_dict(state)
        provenance = notes | {
            "fingerprint": digest,
            "precision": precision,
            "device": device if device == "cpu" else torch.cuda.get_device_name(),
            "threads": torch.get_num_threads(),
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
            optimizers=moved_by,
            image_shape=source.shape,
            pixel_range=getattr(source, "pixel_range", PixelRange(eight_bit=True)),
            n_images=len(source),
            pace=(resume and resume.pace) or Pace.of(n_steps(recipe, len(source))),
            step=0 if resume is None else resume.step,
            history=[] if resume is None else list(resume.history),
            provenance=provenance if resume is None else resume.provenance | provenance,
            seconds_before=0.0 if resume is None else float(resume.provenance["seconds"]),
            order=np.arange(len(source)),
        )

    @property
    def total_steps(self) -> int:
        return self.pace.total

    @reproducible()
    def take_step(self, source: ImageSource, step: int) -> dict[str, Tensor]:
        """One optimiser step, the ``step``-th, counted from 1. Returns the parts of the loss."""
        views, targets, crops = self._views(source, step)
        n_encoded = max(objective.n_encoded for objective in self.objectives)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16"):
            z = self.encoder.encode(views[:n_encoded].flatten(0, 1)).unflatten(0, (n_encoded, -1))
            batch = Batch(views=views, targets=targets, z=z, local_crops=crops)
            losses = {
                part.name: objective.weight * objective(self.encoder, batch)
                for part, objective in zip(self.recipe.objectives, self.objectives, strict=True)
            }
        self.codes = z[0].detach()
        total = torch.stack(list(losses.values())).sum()
        if not math.isfinite(float(total.detach())):
            raise TrainingError(
                f"the loss is no longer finite at step {step}; lower learning_rate, for instance "
                f"--set learning_rate={self.recipe.learning_rate / 10:g}."
            )
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        total.backward()
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(self.recipe, step, self.total_steps, self.pace)
            optimizer.step()
        for objective in self.objectives:
            objective.after_step(self.encoder)
        return {name: loss.detach() for name, loss in losses.items()}

    def _views(self, source: ImageSource, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Views, targets and local crops of a step's images, see `Batch`."""
        size = batch_size(self.recipe, self.n_images)
        epoch, position = divmod(step - 1, self.n_images // size)
        if epoch != self.order_epoch:
            generator = np.random.default_rng([self.recipe.seed, _ORDER, epoch])
            self.order, self.order_epoch = generator.permutation(self.n_images), epoch
        # In the file's order within a batch: a memory map is then read forward.
        pixels = source.read(np.sort(self.order[position * size : (position + 1) * size]))
        images = to_float(pixels, self.device)
        views, draw = self.views, _generator(self.recipe.seed, _VIEWS, step)
        return *augment(views, images, draw), local_crops(views, images, draw)

    @property
    def views(self) -> Views:
        """The recipe's, without local crops if nothing could learn from them."""
        learnt = any(objective.learns_from_local_crops for objective in self.objectives)
        views = self.recipe.views
        return views if learnt and self.encoder.any_size else replace(views, n_local_crops=0)

    def record(self, step: int, recent: list[dict[str, Tensor]], seconds: float) -> None:
        """Add a row to the history: the means since the last."""
        means = {
            name: float(torch.stack([losses[name] for losses in recent]).mean())
            for name in recent[0]
        }
        self.history.append(
            {
                "step": step,
                "epoch": self._epoch(step),
                "seconds": round(seconds, 3),
                "learning_rate": learning_rate(self.recipe, step, self.total_steps, self.pace),
                "loss": sum(means.values()),
                **means,
                "spread": self._spread(),
            }
        )

    @torch.no_grad()
    def _spread(self) -> float:
        """How far the last batch's embeddings point apart: near 0 they have collapsed."""
        assert self.codes is not None  # a step was taken
        z = self.codes.float()
        heads = [objective for objective in self.objectives if objective.has_head]
        if heads and self.recipe.embedding != "encoder":
            heads[0].eval()  # as when it embeds; and the batch norm does not learn from this
            z = heads[0].project(z)
            heads[0].train()
        return spread(z.cpu().numpy())

    def _epoch(self, step: int) -> float:
        return step / (self.n_images // batch_size(self.recipe, self.n_images))

    def checkpoint(self, step: int, seconds: float) -> Checkpoint:
        """The state as it is now; nothing is copied."""
        return Checkpoint(
            recipe=self.recipe,
            image_shape=self.image_shape,
            pixel_range=self.pixel_range,
            n_images=self.n_images,
            step=step,
            total_steps=self.total_steps,
            pace=self.pace if len(self.pace.decisions) > 1 or self.pace.seconds else None,
            epoch=self._epoch(step),
            encoder_state=self.encoder.state_dict(),
            objective_states=[objective.state_dict() for objective in self.objectives],
            optimizer_states=[optimizer.state_dict() for optimizer in self.optimizers],
            history=self.history,
            provenance=self.provenance
            | {"seconds": round(seconds, 3), "peak_memory_gb": peak_memory()},
        )


def _initialise(
    recipe: Recipe, image_shape: tuple[int, int, int]
) -> tuple[Encoder, list[Objective]]:
    # PyTorch initialises layers from the global generator alone; it is put back as it was.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_seed(recipe.seed, _WEIGHTS, 0))
        encoder = parts.build("encoders", recipe.encoder, image_shape)
        objectives = [parts.build("objectives", part, encoder) for part in recipe.objectives]
    _check_views(recipe, encoder, objectives)
    return encoder, objectives


def _check_views(recipe: Recipe, encoder: Encoder, objectives: list[Objective]) -> None:
    """Raise `RecipeError` unless encoder and objectives can do with the recipe's views."""
    views = recipe.views
    if views.resolution < 1 and not encoder.any_size:
        raise RecipeError(
            f"views.resolution=1 is expected with the encoder {recipe.encoder.name}, which takes "
            f"images of one size, and {views.resolution:g} came; change one of the two."
        )
    for part, objective in zip(recipe.objectives, objectives, strict=True):
        if views.n_views < objective.n_views:
            raise RecipeError(
                f"views.n_views={objective.n_views} or more is expected with the objective "
                f"{part.name}, and {views.n_views} came; change one of the two."
            )


def _seed(*entropy: int) -> int:
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _generator(*entropy: int) -> torch.Generator:
    return torch.Generator().manual_seed(_seed(*entropy))
