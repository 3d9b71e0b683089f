"""Every autoencoder, at every image size a user may bring."""

from __future__ import annotations

import pytest
import torch

from shoal import parts
from shoal.parts import Part

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
