"""Every autoencoder, at every image size a user may bring."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from shoal.models.encoders._pooling import BatchNormMaxPool, MaxPool, Scratch
from shoal.models.encoders.whitened import Whitening
from shoal.recipes import parts
from shoal.recipes.parts import Part

SHAPES = [(32, 32, 3), (8, 8, 1), (28, 28, 1), (30, 45, 3), (1, 1, 3), (3, 17, 1), (64, 64, 3)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", parts.names("encoders"))
def test_codes_and_reconstructions_have_their_shapes(
    name: str, shape: tuple[int, int, int]
) -> None:
    height, width, channels = shape
    encoder = parts.build("encoders", Part(name), shape)
    x = torch.rand(2, channels, height, width)
    z = encoder.encode(x)
    assert z.shape == (2, encoder.n_features)
    reconstruction = encoder.decode(z)
    assert reconstruction.shape == x.shape
    assert 0.0 <= reconstruction.min() <= reconstruction.max() <= 1.0
    assert torch.equal(encoder.eval()(x), encoder.decode(encoder.encode(x)))


@pytest.mark.parametrize("name", parts.names("encoders"))
def test_an_autoencoder_learns_to_reconstruct_a_few_images(name: str) -> None:
    torch.manual_seed(0)
    encoder = parts.build("encoders", Part(name), (8, 8, 3))
    x = torch.rand(8, 3, 1, 1).expand(8, 3, 8, 8).contiguous()  # one colour each
    optimizer = torch.optim.Adam(encoder.parameters(), lr=3e-3)
    variance = float(x.var())
    for _ in range(120):
        loss = (encoder(x) - x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.2 * variance


@pytest.mark.parametrize("name", parts.names("encoders"))
def test_those_of_any_size_give_codes_of_one_length(name: str) -> None:
    encoder = parts.build("encoders", Part(name), (16, 12, 3)).eval()
    small = torch.rand(2, 3, 12, 9, generator=torch.Generator().manual_seed(0))
    fits = encoder.encode(small).shape == (2, encoder.n_features)
    assert fits == encoder.any_size


def test_an_image_s_code_does_not_depend_on_its_batch() -> None:
    for name in parts.names("encoders"):
        encoder = parts.build("encoders", Part(name), (8, 8, 3)).eval()
        x = torch.rand(5, 3, 8, 8)
        alone = torch.cat([encoder.encode(image[None]) for image in x])
        assert torch.allclose(encoder.encode(x), alone, atol=1e-5)


def test_the_first_layer_whitens_patches_and_learns_once_in_training_alone() -> None:
    layer = Whitening(channels=3, n_components=12)
    draw = torch.Generator().manual_seed(0)
    x = F.interpolate(torch.rand(64, 3, 8, 8, generator=draw), scale_factor=2, mode="bilinear")
    layer.eval()(x)
    assert not layer.is_fitted
    seen = layer.train()(x)[:, :12].transpose(0, 1).flatten(1)
    assert torch.allclose(torch.cov(seen), torch.eye(12), atol=0.1)
    before = layer.weight.clone()
    layer(torch.rand(64, 3, 16, 16, generator=draw))
    assert torch.equal(layer.weight, before)
    assert torch.equal(before[:12], -before[12:])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("shape", [(6, 8, 32, 32), (5, 3, 7, 4), (4, 16, 1, 9)], ids=str)
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format], ids=str)
def test_batch_norm_and_pooling_in_one_are_the_two_bit_for_bit(
    shape: tuple[int, int, int, int], dtype: torch.dtype, layout: torch.memory_format
) -> None:
    torch.manual_seed(0)
    channels, scratch = shape[1], Scratch()
    plain = nn.Sequential(
        *(nn.BatchNorm2d(channels), nn.MaxPool2d(2, ceil_mode=True)),
        *(nn.BatchNorm2d(channels), nn.MaxPool2d(2, ceil_mode=True)),
    )
    for layer in plain[::2]:
        nn.init.normal_(layer.weight)  # of either sign
        nn.init.normal_(layer.bias)
    one = nn.Sequential(BatchNormMaxPool(channels, scratch), BatchNormMaxPool(channels, scratch))
    for layer, same in zip(one, plain[::2], strict=True):
        layer.load_state_dict(same.state_dict())
    x = (3 * torch.randn(shape) + 1).to(dtype).contiguous(memory_format=layout)
    found = []
    for model in (plain, one):
        inputs = x.clone().requires_grad_(True)
        for _ in range(2):  # the scratch is used again
            pooled = model(inputs)
            pooled.float().square().sum().backward()
        parameters = [p.grad for p in model.parameters()]
        found.append([pooled, inputs.grad, *parameters, *model.buffers()])
    for ours, theirs in zip(found[1], found[0], strict=True):
        assert ours.dtype == theirs.dtype
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format], ids=str)
@pytest.mark.parametrize("shape", [(6, 8, 32, 32), (5, 3, 7, 4), (4, 16, 1, 9)], ids=str)
def test_pooling_is_pytorchs_bit_for_bit(
    shape: tuple[int, int, int, int], layout: torch.memory_format, gradient: bool
) -> None:
    torch.manual_seed(0)
    values = torch.randint(-3, 4, shape).to(torch.bfloat16)  # many are equal
    values[0, 0, 0, 0] = float("nan")
    found = []
    for pool in (MaxPool(), nn.MaxPool2d(2, ceil_mode=True)):
        x = values.contiguous(memory_format=layout).clone().requires_grad_(gradient)
        y = pool(x)
        if gradient:
            y[1:].sum().backward()
        found.append((y, x.grad))
    (ours, our_grad), (theirs, their_grad) = found
    assert torch.equal(ours.isnan(), theirs.isnan())
    assert torch.equal(ours.nan_to_num(), theirs.nan_to_num())
    assert ours.stride() == theirs.stride()
    assert gradient == (our_grad is not None)
    assert not gradient or torch.equal(our_grad, their_grad)


@pytest.mark.parametrize("sign", ["either", "positive"])
@pytest.mark.parametrize("shape", [(6, 8, 32, 32), (5, 3, 7, 4), (4, 16, 1, 9)], ids=str)
@torch.inference_mode()
def test_in_evaluation_pooling_first_changes_no_bit(
    shape: tuple[int, int, int, int], sign: str
) -> None:
    torch.manual_seed(0)
    plain, one = nn.BatchNorm2d(shape[1]), BatchNormMaxPool(shape[1], Scratch())
    for value in (plain.weight, plain.bias, plain.running_mean):
        nn.init.normal_(value)
    nn.init.uniform_(plain.running_var, 0.01, 9.0)
    if sign == "positive":
        plain.weight.abs_()
        plain.weight[0] = 0.0
    one.load_state_dict(plain.state_dict())
    x = (3 * torch.randn(shape) + 1).contiguous(memory_format=torch.channels_last)
    expected = F.max_pool2d(plain.eval()(x), 2, ceil_mode=True)
    assert torch.equal(one.eval()(x), expected)


def test_an_encoder_and_its_copy_do_not_share_room() -> None:
    encoder = parts.build("encoders", Part("vgg"), (8, 8, 3)).train()
    before = encoder.encode(torch.rand(4, 3, 8, 8))
    twin = copy.deepcopy(encoder)
    layers = [
        [layer.scratch for layer in each.modules() if isinstance(layer, BatchNormMaxPool)]
        for each in (encoder, twin)
    ]
    assert len({id(scratch) for scratch in layers[0]}) == 1
    assert len({id(scratch) for scratch in layers[1]}) == 1
    assert layers[0][0] is not layers[1][0]
    assert before.isfinite().all()
