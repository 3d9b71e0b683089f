"""Muon: its direction against a singular value decomposition, its step against Adam's."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from shoal.recipes.named import BEST
from shoal.training import optimizers


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 10_000))
def test_the_direction_is_that_of_the_polar_factor(m: int, n: int, seed: int) -> None:
    g = torch.randn(m, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    u, s, vh = torch.linalg.svd(g, full_matrices=False)
    seen = (s > 0.01 * s[0]).to(s.dtype)  # what is far smaller needs more than five iterations
    found = optimizers.orthogonalise(g.float()).double()
    inside = torch.einsum("mr,mn,rn->r", u, found, vh)
    assert torch.all((inside - 1.0).abs()[seen > 0] < 0.45)
    # Both singular bases are kept: nothing is off the diagonal.
    between = u.T @ found @ vh.T
    assert (between - torch.diag(between.diagonal())).abs().max() < 1e-2


def test_half_the_bits_point_the_same_way() -> None:
    """Singular values stay near 1 and directions are kept, though products are of bfloat16."""
    g = torch.randn(64, 288, generator=torch.Generator().manual_seed(3)) * torch.logspace(
        0, -2, 288
    )
    exact, found = optimizers.orthogonalise(g), optimizers.orthogonalise(g.bfloat16())
    assert found.dtype == torch.float32
    assert float(F.cosine_similarity(exact.flatten(), found.flatten(), dim=0)) > 0.999
    assert float(torch.linalg.svdvals(found).min()) > 0.6
    assert float(torch.linalg.svdvals(found).max()) < 1.3


def test_a_run_of_half_the_bits_orthogonalises_in_them() -> None:
    net = nn.Linear(8, 6)
    precise, coarse = (
        optimizers.build(BEST, [net], precision=each)[0] for each in ("fp32", "bf16")
    )
    net.weight.grad = torch.randn(6, 8, generator=torch.Generator().manual_seed(4))
    moved = []
    for muon in (precise, coarse):
        with torch.no_grad():
            net.weight.zero_()
        muon.step()
        moved.append(net.weight.detach().clone())
    assert not torch.equal(*moved)
    torch.testing.assert_close(*moved, rtol=0.05, atol=1e-4)


def test_scaling_the_gradient_changes_nothing_and_zeros_stay() -> None:
    g = torch.randn(6, 9, generator=torch.Generator().manual_seed(0))
    for times in (1e4, 1e-4):
        torch.testing.assert_close(optimizers.orthogonalise(times * g), optimizers.orthogonalise(g))
    assert not optimizers.orthogonalise(torch.zeros(3, 4)).any()


def test_a_step_is_what_the_papers_say() -> None:
    """Two steps against a plain transcription, with a kernel that lies channels last in memory."""
    generator = torch.Generator().manual_seed(1)
    kernel = torch.randn(8, 3, 3, 3, generator=generator)
    weight = nn.Parameter(kernel.clone().contiguous(memory_format=torch.channels_last))
    muon = optimizers.Muon([weight], lr=0.01, weight_decay=0.1)
    expected, momentum = kernel.clone(), torch.zeros(8, 27)
    for _ in range(2):
        gradient = torch.randn(8, 3, 3, 3, generator=generator)
        weight.grad = gradient.contiguous(memory_format=torch.channels_last)
        muon.step()
        momentum = 0.9 * momentum + gradient.reshape(8, 27)
        direction = optimizers.orthogonalise(gradient.reshape(8, 27) + 0.9 * momentum)
        expected = expected * (1 - 0.01 * 0.1) - 0.01 * 0.2 * 27**0.5 * direction.view(8, 3, 3, 3)
    torch.testing.assert_close(weight.detach(), expected)


def test_a_step_is_as_large_as_adams() -> None:
    """Root mean square of the change about 0.2 learning rates, whatever the shape."""
    for shape in ((64, 32, 3, 3), (512, 256), (16, 128)):
        weight = nn.Parameter(torch.zeros(shape))
        weight.grad = torch.randn(shape, generator=torch.Generator().manual_seed(2))
        optimizers.Muon([weight], lr=1.0, weight_decay=0.0).step()
        assert float(weight.detach().pow(2).mean().sqrt()) == pytest.approx(0.2, rel=0.25)


@pytest.mark.parametrize("name", ["adam", "adamw", "muon"])
def test_every_parameter_is_moved_once(name: str) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    net[0].bias.requires_grad_(False)
    made = optimizers.build(replace(BEST, optimizer=name), [net])
    moved = [p for each in made for group in each.param_groups for p in group["params"]]
    assert {id(p) for p in moved} == {id(p) for p in net.parameters() if p.requires_grad}
    assert len(moved) == len({id(p) for p in moved})
    kinds = {"adam": ["Adam"], "adamw": ["AdamW"], "muon": ["Muon", "AdamW"]}
    assert [type(each).__name__ for each in made] == kinds[name]
    groups = [group for each in made for group in each.param_groups]
    decayed = {id(p) for group in groups if group["weight_decay"] for p in group["params"]}
    weights = {id(p) for p in moved if p.ndim > 1 or name == "adam"}
    assert decayed == weights
    assert {group["weight_decay"] for group in groups} <= {0.0, BEST.weight_decay}
