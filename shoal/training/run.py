"""A run in progress: its state, one step, and what is recorded.

Randomness is stateless. The order of an epoch is drawn from (seed, epoch), the views of a step
from (seed, step). So a run resumed at any step sees exactly what the uninterrupted run saw.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from shoal.errors import TrainingError
from shoal.images.pixel_range import PixelRange
from shoal.images.tensors import to_float
from shoal.images.within import Within
from shoal.models.checkpoint import Checkpoint
from shoal.models.facts import Origin
from shoal.models.pace import Pace
from shoal.protocols import Batch, Encoder, ImageSource, IntArray, Objective, Workers
from shoal.recipes.augmentation import Views
from shoal.recipes.recipe import Recipe
from shoal.training.augment import augment, local_crops
from shoal.training.devices import peak_memory, reproducible
from shoal.training.randomness import ORDER, VIEWS, generator
from shoal.training.schedule import batch_size, learning_rate, steps_an_epoch
from shoal.training.spread import spread
from shoal.training.workers import ALONE, sum_gradients


@dataclass
class Run:
    """Everything that a step reads or changes."""

    recipe: Recipe
    device: str
    precision: str
    encoder: Encoder
    objectives: list[Objective]
    optimizers: list[torch.optim.Optimizer]
    image_shape: tuple[int, int, int]
    pixel_range: PixelRange
    within: Within
    fit: str
    composite: tuple[int, ...]
    n_images: int
    pace: Pace
    step: int
    history: list[dict[str, float]]
    recent: list[dict[str, Tensor]]
    """The losses of the steps since the last row of the history."""
    origin: Origin
    provenance: dict[str, Any]
    order: IntArray
    order_epoch: int = -1
    workers: Workers = ALONE
    """Those that share the images of a step."""
    groups: IntArray | None = None
    """int64 (n,): the group of each image that is known, else -1; None: of none."""
    codes: Tensor | None = None
    """The latent codes of the first views at the last step, for `record`."""

    @property
    def total_steps(self) -> int:
        return self.pace.total

    @reproducible()
    def take_step(self, source: ImageSource, step: int) -> dict[str, Tensor]:
        """Take optimiser step ``step``, counted from 1, and return the parts of the loss."""
        rows = self._rows(step)[self.workers.own]
        views, targets, crops = self._views(source, rows, step)
        n_encoded = max(objective.n_encoded for objective in self.objectives)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16"):
            z = self.encoder.encode(views[:n_encoded].flatten(0, 1)).unflatten(0, (n_encoded, -1))
            batch = Batch(views, targets, z, crops, workers=self.workers)
            if self.groups is not None:
                batch.groups = torch.from_numpy(self.groups[rows]).to(self.device)
            losses = {
                part.name: objective.weight * objective(self.encoder, batch)
                for part, objective in zip(self.recipe.objectives, self.objectives, strict=True)
            }
        self.codes = z[0].detach()
        total = torch.stack(list(losses.values())).sum()
        if not math.isfinite(float(total.detach())):
            raise TrainingError(
                f"the loss is not finite at step {step}; lower learning_rate, for instance to "
                f"{self.recipe.learning_rate / 10:g}."
            )
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        total.backward()
        sum_gradients(self.workers, self.optimizers)
        rate = learning_rate(self.recipe, step, self.total_steps, self.pace)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
        for objective in self.objectives:
            objective.after_step(self.encoder)
        return {name: loss.detach() for name, loss in losses.items()}

    def _rows(self, step: int) -> IntArray:
        """The images of a step, of all workers, ascending."""
        size = batch_size(self.recipe, self.n_images)
        epoch, position = divmod(step - 1, steps_an_epoch(self.recipe, self.n_images))
        if epoch != self.order_epoch:
            shuffle = np.random.default_rng([self.recipe.seed, ORDER, epoch])
            self.order, self.order_epoch = shuffle.permutation(self.n_images), epoch
        # Within a batch in the file's order, so that a memory map is read forward.
        return np.sort(self.order[position * size : (position + 1) * size])

    def _views(
        self, source: ImageSource, rows: IntArray, step: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the views, targets and local crops of a step's images, see `Batch`."""
        images = to_float(source.read(rows), self.device)
        views, draw = self.views, generator(self.recipe.seed, VIEWS, step)
        seen, targets = augment(views, images, draw, self.workers)
        return seen, targets, local_crops(views, images, draw, self.workers)

    @property
    def views(self) -> Views:
        """The recipe's views, without local crops if nothing could learn from them."""
        learnt = any(objective.learns_from_local_crops for objective in self.objectives)
        views = self.recipe.views
        return views if learnt and self.encoder.any_size else replace(views, n_local_crops=0)

    def record(self, step: int, seconds: float) -> None:
        """Add a row to the history: the mean losses since the last row."""
        means = {
            name: float(torch.stack([losses[name] for losses in self.recent]).mean())
            for name in self.recent[0]
        }
        self.recent = []
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
        """How far the last batch's embeddings point apart. Near 0 they have collapsed."""
        assert self.codes is not None  # a step was taken
        z = self.workers.gather(self.codes).float()
        heads = [objective for objective in self.objectives if objective.has_head]
        if heads and self.recipe.embedding != "encoder":
            heads[0].eval()  # as when it embeds; and the batch norm does not learn from this
            z = heads[0].project(z)
            heads[0].train()
        return spread(z.cpu().numpy())

    def _epoch(self, step: int) -> float:
        return step / steps_an_epoch(self.recipe, self.n_images)

    def checkpoint(self, step: int, seconds: float) -> Checkpoint:
        """Return the state as it is now. Nothing is copied."""
        return Checkpoint(
            recipe=self.recipe,
            image_shape=self.image_shape,
            pixel_range=self.pixel_range,
            within=self.within,
            fit=self.fit,
            composite=self.composite,
            n_images=self.n_images,
            step=step,
            total_steps=self.total_steps,
            pace=self.pace if len(self.pace.decisions) > 1 or self.pace.seconds else None,
            epoch=self._epoch(step),
            encoder_state=self.encoder.state_dict(),
            objective_states=[objective.state_dict() for objective in self.objectives],
            optimizer_states=[optimizer.state_dict() for optimizer in self.optimizers],
            history=self.history,
            recent=self.recent,
            origin=replace(self.origin, seconds=round(seconds, 3)),
            provenance=self.provenance | {"peak_memory_gb": peak_memory()},
        )
