"""What moves the weights: Adam, AdamW, and Muon for the weights that are matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from shoal.recipes.recipe import Recipe

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the odd quintic; see `orthogonalise`
_MOMENTUM = 0.9


class Muon(torch.optim.Optimizer):
    """Momentum whose direction is made orthogonal, so that no direction of a weight lags behind.

    Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"
    (kellerjordan.github.io/posts/muon), with Nesterov's momentum; a convolution's kernel (o, i, h,
    w) counts as the matrix (o, i · h · w). The step is scaled to the size that Adam's has, 0.2
    times the root of the longer side, so that both share one learning rate (Liu et al. 2025,
    arXiv:2502.16982, equation 4); weight decay is decoupled, as in AdamW.
    """

    def __init__(self, matrices: Iterable[Tensor], lr: float, weight_decay: float) -> None:
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                momentum = state["momentum"].mul_(_MOMENTUM).add_(weight.grad)
                ahead = weight.grad.add(momentum, alpha=_MOMENTUM).flatten(1)
                size = 0.2 * max(ahead.shape) ** 0.5
                weight.mul_(1.0 - group["lr"] * group["weight_decay"])
                weight.sub_(orthogonalise(ahead).view_as(weight), alpha=group["lr"] * size)


def orthogonalise(matrix: Tensor, n_iterations: int = 5) -> Tensor:
    """The nearest matrix with orthonormal rows or columns, roughly: singular values near 1.

    Newton and Schulz's iteration with the coefficients of Jordan et al., which lift small singular
    values fast and leave all of them within about 0.7 to 1.2 rather than at 1.

    Args:
        matrix: float32 (m, n).
        n_iterations: five suffice for singular values down to about a thousandth of the greatest.

    Returns:
        float32 (m, n). A matrix of zeros stays one.

    >>> q = orthogonalise(torch.tensor([[3.0, 0.0, 0.0], [0.0, 0.1, 0.0]]))
    >>> bool(torch.linalg.svdvals(q).sub(1.0).abs().max() < 0.35)
    True
    """
    a, b, c = _COEFFICIENTS
    x = matrix.float()
    tall = x.shape[0] > x.shape[1]
    if tall:  # the Gram matrix of the shorter side is the cheaper one
        x = x.T
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(n_iterations):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


def build(recipe: Recipe, modules: Iterable[torch.nn.Module]) -> list[torch.optim.Optimizer]:
    """The optimisers of a recipe, each for its own parameters of ``modules``.

    Decay pulls weights, not biases and norms, whose scale means nothing.
    """
    trained = [p for module in modules for p in module.parameters() if p.requires_grad]
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.optimizer == "adam":
        return [torch.optim.Adam(trained, lr=rate, weight_decay=decay)]
    weights = [p for p in trained if p.ndim > 1]
    others = {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0}
    if recipe.optimizer == "muon":
        return [Muon(weights, rate, decay), torch.optim.AdamW([others], lr=rate)]
    return [torch.optim.AdamW([{"params": weights, "weight_decay": decay}, others], lr=rate)]
