"""Each loss against a slow reference written from its paper, its gradient and its symmetries."""

from __future__ import annotations

import copy
import math

import pytest
import torch
import torch.nn.functional as F

from shoal.models.encoders import vgg
from shoal.protocols import Batch
from shoal.recipes import parts
from shoal.recipes.parts import Part
from shoal.training.objectives._sup_con import sup_con
from shoal.training.objectives.moco import info_nce
from shoal.training.objectives.nt_xent import local_to_global, nt_xent


def rows(n: int, d: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator, dtype=torch.float64)


def slow_nt_xent(a: torch.Tensor, b: torch.Tensor, temperature: float) -> float:
    """arXiv:2002.05709, algorithm 1, with its indices: z_2k-1 and z_2k are views of image k."""
    z = [view for pair in zip(a, b, strict=True) for view in pair]
    n = len(a)

    def similarity(i: int, j: int) -> float:
        return float(z[i] @ z[j] / (z[i].norm() * z[j].norm()))

    def loss(i: int, j: int) -> float:
        others = [math.exp(similarity(i, k) / temperature) for k in range(2 * n) if k != i]
        return -math.log(math.exp(similarity(i, j) / temperature) / sum(others))

    pairs = [(2 * k, 2 * k + 1) for k in range(n)]
    return sum(loss(i, j) + loss(j, i) for i, j in pairs) / (2 * n)


@pytest.mark.parametrize(("n", "temperature"), [(2, 0.1), (5, 0.2), (9, 1.0)])
def test_nt_xent_is_the_paper_s(n: int, temperature: float) -> None:
    a, b = rows(n, 4, 1), rows(n, 4, 2)
    assert float(nt_xent(a, b, temperature)) == pytest.approx(slow_nt_xent(a, b, temperature))


def test_nt_xent_does_not_mind_order_length_or_which_view_is_first() -> None:
    a, b = rows(6, 3, 1), rows(6, 3, 2)
    loss = float(nt_xent(a, b, 0.3))
    shuffled = torch.randperm(6, generator=torch.Generator().manual_seed(0))
    assert float(nt_xent(b, a, 0.3)) == pytest.approx(loss)
    assert float(nt_xent(a[shuffled], b[shuffled], 0.3)) == pytest.approx(loss)
    assert float(nt_xent(5.0 * a, b, 0.3)) == pytest.approx(loss)
    assert float(nt_xent(a, b[shuffled], 0.3)) != pytest.approx(loss)  # pairs do matter


def test_nt_xent_gradient() -> None:
    a, b = rows(4, 3, 1).requires_grad_(), rows(4, 3, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, y: nt_xent(x, y, 0.5), (a, b))


def test_local_crops_find_their_image_among_each_global_view() -> None:
    crops = torch.stack([rows(5, 4, seed) for seed in (1, 2, 3)])
    whole = torch.stack([rows(5, 4, seed) for seed in (4, 5)])
    losses = []
    for query in crops:
        for keys in whole:
            for i in range(5):
                alike = [
                    float(query[i] @ key / (query[i].norm() * key.norm())) / 0.3 for key in keys
                ]
                losses.append(math.log(sum(map(math.exp, alike))) - alike[i])
    assert float(local_to_global(crops, whole, 0.3)) == pytest.approx(sum(losses) / len(losses))
    assert float(local_to_global(7.0 * crops, whole, 0.3)) == pytest.approx(
        sum(losses) / len(losses)
    )
    a, b = crops.clone().requires_grad_(), whole.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x, y: local_to_global(x, y, 0.5), (a, b))


def test_nt_xent_with_local_crops_is_the_mean_of_the_two_tasks() -> None:
    torch.manual_seed(0)
    encoder = vgg.build((8, 8, 3), widths=(8, 16))
    objective = parts.build("objectives", Part("nt_xent", {"temperature": 0.3}), encoder)
    batch = make_batch(encoder, 2)
    batch.local_crops = torch.rand(3, 6, 3, 5, 5, generator=torch.Generator().manual_seed(1))
    whole = objective.project(batch.z.flatten(0, 1)).unflatten(0, (2, -1))
    crops = objective.project(encoder.encode(batch.local_crops.flatten(0, 1))).unflatten(0, (3, -1))
    wanted = (nt_xent(whole[0], whole[1], 0.3) + local_to_global(crops, whole, 0.3)) / 2
    assert torch.allclose(objective(encoder, batch), wanted)


def test_info_nce_is_the_paper_s() -> None:
    queries, keys, queue = (F.normalize(rows(n, 4, n), dim=1) for n in (3, 3, 7))
    slow = 0.0
    for q, k in zip(queries, keys, strict=True):
        scores = [math.exp(float(q @ k) / 0.2)] + [math.exp(float(q @ n) / 0.2) for n in queue]
        slow -= math.log(scores[0] / sum(scores)) / 3
    assert float(info_nce(queries, keys, queue, 0.2)) == pytest.approx(slow)
    x = queries.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda q: info_nce(q, keys, queue, 0.5), (x,))


def slow_sup_con(a: torch.Tensor, b: torch.Tensor, groups: list[int], temperature: float) -> float:
    """arXiv:2004.11362, equation 2, over all views of the images whose group is known."""
    z, y = [], []
    for view in (a, b):
        for image, group in zip(view, groups, strict=True):
            if group >= 0:
                z.append(image / image.norm())
                y.append(group)
    total = 0.0
    for i in range(len(z)):
        others = [k for k in range(len(z)) if k != i]
        positives = [k for k in others if y[k] == y[i]]
        whole = sum(math.exp(float(z[i] @ z[k]) / temperature) for k in others)
        terms = [math.log(math.exp(float(z[i] @ z[p]) / temperature) / whole) for p in positives]
        total -= sum(terms) / len(positives)
    return total / len(z)


@pytest.mark.parametrize("groups", [[0, 0, 1, 1, 2], [3, -1, 3, -1, 9], [0, 0, 0, 0, 0]])
def test_sup_con_is_the_paper_s(groups: list[int]) -> None:
    a, b = rows(5, 4, 1), rows(5, 4, 2)
    told = torch.tensor(groups)
    assert float(sup_con(a, b, told, 0.2)) == pytest.approx(slow_sup_con(a, b, groups, 0.2))
    moved = torch.tensor([4, 2, 0, 3, 1])
    shuffled = sup_con(a[moved], b[moved], told[moved] * 7 % 11, 0.2)  # numbers mean nothing
    if -1 not in groups:
        assert float(shuffled) == pytest.approx(float(sup_con(a, b, told, 0.2)))
    alone = float(sup_con(a, b, torch.tensor([0, 1, 2, 3, 4]), 0.2))
    assert alone == pytest.approx(float(nt_xent(a, b, 0.2)))  # each image is a group of its own


def test_sup_con_gradient_and_nothing_said() -> None:
    a, b = rows(4, 3, 1).requires_grad_(), rows(4, 3, 2).requires_grad_()
    told = torch.tensor([0, 0, -1, 1])
    assert torch.autograd.gradcheck(lambda x, y: sup_con(x, y, told, 0.5), (a, b))
    sup_con(a, b, torch.full((4,), -1), 0.5).backward()
    assert a.grad is not None
    assert not a.grad.any()


def make_batch(encoder: torch.nn.Module, n_encoded: int) -> Batch:
    generator = torch.Generator().manual_seed(0)
    views = torch.rand(2, 6, 3, 8, 8, generator=generator)
    targets = torch.rand(2, 6, 3, 8, 8, generator=generator)
    z = encoder.encode(views[:n_encoded].flatten(0, 1)).unflatten(0, (n_encoded, -1))
    return Batch(views=views, targets=targets, z=z, local_crops=torch.empty(0, 6, 3, 8, 8))


@pytest.mark.parametrize("name", parts.names("objectives"))
def test_every_objective_keeps_its_contract(name: str) -> None:
    torch.manual_seed(0)
    encoder = vgg.build((8, 8, 3), widths=(8, 16))
    objective = parts.build("objectives", Part(name, {"weight": 3.0}), encoder)
    assert objective.weight == 3.0
    assert objective.n_views >= objective.n_encoded >= 1
    loss = objective(encoder, make_batch(encoder, objective.n_encoded))
    assert loss.ndim == 0
    assert torch.isfinite(loss)
    loss.backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.parameters())
    objective.after_step(encoder)
    twin = parts.build("objectives", Part(name), encoder)
    twin.load_state_dict(objective.state_dict())  # the state carries all it owns
    if objective.has_head:
        z = torch.rand(4, encoder.n_features)
        assert torch.equal(objective.eval().project(z), twin.eval().project(z))


def test_reconstruction_is_the_mean_squared_error_to_the_targets() -> None:
    encoder = vgg.build((8, 8, 3), widths=(8, 16))
    batch = make_batch(encoder, 2)
    decoded = encoder.decode(batch.z.flatten(0, 1)).unflatten(0, (2, -1))
    whole = parts.build("objectives", Part("reconstruction"), encoder)
    assert torch.allclose(whole(encoder, batch), ((decoded - batch.targets) ** 2).mean())
    half = parts.build("objectives", Part("reconstruction", {"fraction": 0.5}), encoder)
    wanted = encoder.decode(batch.z.flatten(0, 1)[::2]) - batch.targets.flatten(0, 1)[::2]
    assert torch.allclose(half(encoder, batch), (wanted**2).mean())


def test_moco_moves_its_twin_and_fills_its_queue_in_order() -> None:
    torch.manual_seed(0)
    encoder = vgg.build((8, 8, 3), widths=(8, 16))
    moco = parts.build(
        "objectives", Part("moco", {"queue_size": 8, "momentum": 0.75, "dim": 4}), encoder
    )
    before = copy.deepcopy(moco.key_encoder.features[0].weight)
    with torch.no_grad():
        encoder.features[0].weight.add_(1.0)
    batch = make_batch(encoder, 1)
    old = moco.queue.clone()
    moco(encoder, batch)
    moco.after_step(encoder)
    # Equation 2: k ← m k + (1 - m) q, and q is one more than k was.
    assert torch.allclose(moco.key_encoder.features[0].weight, before + 0.25, atol=1e-6)
    assert int(moco.position) == 6
    assert torch.equal(moco.queue[6:], old[6:])
    assert not torch.equal(moco.queue[:6], old[:6])
    assert torch.allclose(moco.queue.norm(dim=1), torch.ones(8), atol=1e-5)
    first = moco.queue[2:6].clone()
    moco(encoder, batch)
    moco.after_step(encoder)
    assert int(moco.position) == 4  # 6 + 6 wraps round 8: the two newest overwrite the oldest
    assert torch.equal(moco.queue[4:6], first[2:4])
    assert all(not p.requires_grad for p in moco.key_encoder.parameters())
