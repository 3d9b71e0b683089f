"""Optimisers: Adam, AdamW, and Muon for the weights that are matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from shoal.protocols import Workers
from shoal.recipes.recipe import Recipe
from shoal.training.workers import ALONE

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""The coefficients of a polynomial a x + b x³ + c x⁵ by Jordan et al., see `orthogonalise`."""
_MOMENTUM = 0.9


class Muon(torch.optim.Optimizer):
    """Gradient descent with Nesterov's momentum, in orthogonalised steps.

    All singular values of a step are near 1, so no direction of a weight matrix learns more slowly
    than the others (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks",
    kellerjordan.github.io/posts/muon). A convolution's kernel (o, i, h, w) counts as the matrix
    (o, i · h · w).

    Steps are scaled by 0.2 √max(m, n) for a matrix (m, n). That is the size of Adam's steps, so
    both share one learning rate (Liu et al. 2025, arXiv:2502.16982, equation 4). Weight decay is
    decoupled, as in AdamW.

    Args:
        matrices: float tensors of 2 dimensions or more.
        lr: the learning rate.
        weight_decay: the share ``lr * weight_decay`` of each weight is taken off in each step.
        workers: each orthogonalises its share of the matrices.
        precision: of the products that orthogonalise, fp32 or bf16.

    >>> weight = torch.nn.Parameter(torch.eye(2))
    >>> (weight[0, 0] * 5.0).backward()
    >>> Muon([weight], lr=1.0, weight_decay=0.0).step()
    >>> bool(weight[0, 0] < 1.0), weight[1].tolist()
    (True, [0.0, 1.0])
    """

    def __init__(
        self, matrices: Iterable[Tensor], lr: float, weight_decay: float,
        workers: Workers = ALONE, precision: str = "fp32",
    ) -> None:  # fmt: skip
        self.workers = workers
        self.dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move each weight that has a gradient; ``closure`` is not called."""
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            ahead = (self._ahead(weight).to(self.dtype) for weight in weights)
            steps = orthogonalise_all(ahead, self.workers)
            for weight, step in zip(weights, steps, strict=True):
                size = 0.2 * max(step.shape) ** 0.5
                weight.mul_(1.0 - group["lr"] * group["weight_decay"])
                weight.sub_(step.view_as(weight), alpha=group["lr"] * size)

    def _ahead(self, weight: Tensor) -> Tensor:
        """The gradient with Nesterov's momentum, as a matrix."""
        assert weight.grad is not None
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        momentum = state["momentum"].mul_(_MOMENTUM).add_(weight.grad)
        return weight.grad.add(momentum, alpha=_MOMENTUM).flatten(1)


def orthogonalise_all(matrices: Iterable[Tensor], workers: Workers) -> Iterator[Tensor]:
    """`orthogonalise` each matrix; each worker computes some of them, and all get all."""
    if workers.size == 1:
        yield from map(orthogonalise, matrices)
        return
    matrices = list(matrices)
    work = [0] * workers.size
    own: dict[int, bool] = {}
    for place in sorted(range(len(matrices)), key=lambda i: -_cost(matrices[i])):
        worker = work.index(min(work))  # the one with the least to do so far
        work[worker] += _cost(matrices[place])
        own[place] = worker == workers.rank
    parts = [
        orthogonalise(matrix) if own[place] else torch.zeros_like(matrix, dtype=torch.float32)
        for place, matrix in enumerate(matrices)
    ]
    joined = workers.total(torch.cat([part.flatten() for part in parts]))
    sizes = [matrix.numel() for matrix in matrices]
    for matrix, part in zip(matrices, joined.split(sizes), strict=True):
        yield part.view_as(matrix)


def _cost(matrix: Tensor) -> int:
    """The multiplications of `orthogonalise`, up to a factor."""
    return min(matrix.shape) * matrix.numel()


def orthogonalise(matrix: Tensor, n_iterations: int = 5) -> Tensor:
    """Return a matrix with the same singular vectors, and singular values near 1.

    By Newton and Schulz's iteration with the coefficients of Jordan et al. 2024 (see `Muon`). They
    raise small singular values fast, and leave all of them between about 0.7 and 1.2.

    Args:
        matrix: float (m, n), of any precision. bfloat16 is enough, as in Jordan et al.'s own code,
            and four times as fast where the processor multiplies it.
        n_iterations: five are enough for singular values from a thousandth of the greatest on.

    Returns:
        float32 (m, n). A matrix of zeros stays a matrix of zeros.

    >>> q = orthogonalise(torch.tensor([[3.0, 0.0, 0.0], [0.0, 0.1, 0.0]]))
    >>> bool(torch.linalg.svdvals(q).sub(1.0).abs().max() < 0.35)
    True
    """
    a, b, c = _COEFFICIENTS
    x = matrix
    tall = x.shape[0] > x.shape[1]
    if tall:  # the Gram matrix of the shorter side is smaller
        x = x.T
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(n_iterations):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.T if tall else x).float()


def build(
    recipe: Recipe, modules: Iterable[torch.nn.Module], workers: Workers = ALONE,
    precision: str = "fp32",
) -> list[torch.optim.Optimizer]:  # fmt: skip
    """Return the optimisers of a recipe, each for its own parameters of ``modules``.

    With adamw and muon, weight decay spares biases and the parameters of norms. With muon, AdamW
    moves those.

    Args:
        recipe: with its optimizer, learning rate and weight decay.
        modules: the encoder and the objectives; parameters without gradient are left out.
        workers: those that train together.
        precision: of the run, fp32 or bf16; Muon's products are of it.

    >>> from shoal.recipes.named import BEST
    >>> [type(optimizer).__name__ for optimizer in build(BEST, [torch.nn.Linear(3, 2)])]
    ['Muon', 'AdamW']
    """
    trained = [p for module in modules for p in module.parameters() if p.requires_grad]
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.optimizer == "adam":
        return [torch.optim.Adam(trained, lr=rate, weight_decay=decay)]
    weights = [p for p in trained if p.ndim > 1]
    others = {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0}
    if recipe.optimizer == "muon":
        return [
            Muon(weights, rate, decay, workers, precision),
            torch.optim.AdamW([others], lr=rate),
        ]
    return [torch.optim.AdamW([{"params": weights, "weight_decay": decay}, others], lr=rate)]
