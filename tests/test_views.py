"""Augmentations: ranges, identities, and agreement with Pillow where Pillow has the operation."""

from __future__ import annotations

import colorsys
import hashlib
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from shoal.images.tensors import to_float
from shoal.recipes.augmentation import Views
from shoal.recipes.named import named
from shoal.training.augment import augment, local_crops, symmetries


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(n: int = 6, channels: int = 3, side: int = 8) -> torch.Tensor:
    return torch.rand(n, channels, side, side, generator=generator(1))


STRONG = {
    "min_crop": 0.2, "horizontal_flip": True, "rotation": 30.0, "zoom": 0.3, "shear": 0.3,
    "shift": 0.2,
    "brightness": 0.5, "contrast": 0.5, "saturation": 0.5, "hue": 0.2, "grey_probability": 0.5,
    "noise": 0.1, "free_orientation": True, "channel_gain": 0.5, "channel_offset": 0.3,
    "channel_gamma": 1.0, "channel_noise": 0.1, "channel_drop": 0.5,
}  # fmt: skip
GEOMETRIC = ("min_crop", "horizontal_flip", "rotation", "zoom", "shear", "shift",
             "free_orientation")  # fmt: skip


def test_the_default_changes_nothing() -> None:
    x = images()
    views, targets = augment(Views(n_views=2), x, generator())
    assert torch.equal(views[0], x)
    assert torch.equal(views[1], x)
    assert torch.equal(targets, views)


@pytest.mark.parametrize("name", STRONG)
def test_each_augmentation_alone_takes_effect_and_draws_per_image_and_view(name: str) -> None:
    x = images(1).repeat(8, 1, 1, 1)  # eight times the same image
    views, targets = augment(
        Views(n_views=2, colour_probability=1.0, **{name: STRONG[name]}), x, generator()
    )
    assert not torch.allclose(views, x.expand_as(views), atol=1e-3)
    assert not torch.allclose(views[0], views[1], atol=1e-3)
    assert len({tuple(view.flatten().tolist()) for view in views[0]}) > 1
    geometric = name in GEOMETRIC
    assert torch.equal(views, targets) == geometric
    if not geometric:
        assert torch.equal(targets[0], x)


@settings(max_examples=40, deadline=None)
@given(
    strengths=st.fixed_dictionaries(
        {name: st.just(value) if value is True else st.floats(0.21, value)
         for name, value in STRONG.items()
         if name not in ("min_crop", "hue", "noise", "shift", "channel_noise")}
    ),
    channels=st.sampled_from([1, 2, 3, 5]),
    side=st.sampled_from([1, 5, 8]),
    seed=st.integers(0, 2**31),
)  # fmt: skip
def test_pixels_stay_pixels_and_the_seed_decides(
    strengths: dict[str, float], channels: int, side: int, seed: int
) -> None:
    views = Views(n_views=2, min_crop=0.3, hue=0.2, noise=0.1, shift=0.1, **strengths)
    x = images(3, channels, side)
    drawn, targets = augment(views, x, generator(seed))
    assert drawn.shape == targets.shape == (2, 3, channels, side, side)
    assert torch.isfinite(drawn).all()
    assert 0.0 <= drawn.min() <= drawn.max() <= 1.0
    assert torch.equal(drawn, augment(views, x, generator(seed))[0])
    crops = local_crops(replace(views, n_local_crops=3, local_crop_side=0.6), x, generator(seed))
    assert crops.shape == (3, 3, channels, *(2 * [max(1, round(0.6 * side))]))
    assert torch.isfinite(crops).all()
    assert 0.0 <= crops.min() <= crops.max() <= 1.0


def test_horizontal_flip_is_exact_and_happens_half_the_time() -> None:
    x = images(400)
    (views,), _ = augment(Views(horizontal_flip=True), x, generator())
    flipped = torch.isclose(views, x.flip(-1), atol=1e-5).flatten(1).all(1)
    kept = torch.isclose(views, x, atol=1e-5).flatten(1).all(1)
    assert (flipped | kept).all()
    assert 140 < int(flipped.sum()) < 260


def test_resolution_shrinks_views_as_pillow_does_and_leaves_targets() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 12, 16, 3), dtype=np.uint8)
    x = to_float(pixels, "cpu")
    (views,), (targets,) = augment(Views(resolution=0.75), x, generator())
    assert torch.equal(targets, x)
    assert views.shape == (3, 3, 9, 12)
    for view, image in zip(views, pixels, strict=True):
        wanted = Image.fromarray(image).resize((12, 9), Image.Resampling.BILINEAR)
        got = view.permute(1, 2, 0).numpy() * 255
        assert np.abs(got - np.asarray(wanted, dtype=np.float32)).max() < 1.5
    assert augment(Views(resolution=0.01), x, generator())[0].shape == (1, 3, 3, 1, 1)


def test_a_local_crop_is_the_inner_part_of_a_view_at_its_scale() -> None:
    x = torch.rand(5, 3, 12, 16, generator=generator(1))
    moves = ("min_crop", "horizontal_flip", "rotation", "zoom", "shear")
    geometric = {name: STRONG[name] for name in moves}
    views, _ = augment(Views(n_views=2, **geometric), x, generator())
    crops = local_crops(Views(n_local_crops=2, local_crop_side=0.5, **geometric), x, generator())
    assert torch.allclose(crops, views[..., 3:9, 4:12], atol=1e-5)
    inner = local_crops(Views(n_local_crops=1, local_crop_side=0.5), x, generator())
    assert torch.allclose(inner[0], x[..., 3:9, 4:12], atol=1e-5)
    quarter = Views(n_local_crops=2, local_crop_side=0.5, resolution=0.5)
    assert local_crops(quarter, x, generator()).shape == (2, 5, 3, 3, 4)
    assert len(local_crops(Views(), x, generator())) == 0


def test_local_crops_take_nothing_from_the_others() -> None:
    views = Views(n_views=2, min_crop=0.2, brightness=0.5, hue=0.1, noise=0.1)
    alone, together = (
        augment(views, images(), generator()),
        augment(replace(views, n_local_crops=4), images(), generator()),
    )
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))
    crops = local_crops(replace(views, n_local_crops=4), images(1).repeat(3, 1, 1, 1), generator())
    assert len({tuple(view.flatten().tolist()) for view in crops.flatten(0, 1)}) == 12


def test_crops_never_leave_the_image() -> None:
    ramp = torch.linspace(0.2, 0.8, 16).expand(64, 1, 16, 16).clone()
    (views,), _ = augment(Views(min_crop=0.2), ramp, generator())
    # Reflection at a border would make the ramp turn back somewhere.
    assert (views.diff(dim=-1) > -1e-5).all()
    assert views.amin() >= 0.2 - 1e-5
    assert views.amax() <= 0.8 + 1e-5


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
def test_colour_factors_are_pillow_s(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = (np.random.default_rng(0).random((1, 8, 8, 3)) * 120 + 60).astype(np.uint8)
    enhancer = {
        "brightness": ImageEnhance.Brightness,
        "contrast": ImageEnhance.Contrast,
        "saturation": ImageEnhance.Color,
    }[name]
    monkeypatch.setattr(torch, "rand", lambda *a, **k: torch.full((1,), 0.85))  # factor 1.35
    views = Views(**{name: 0.5}, colour_probability=1.0)
    (view,), _ = augment(views, to_float(pixels, "cpu"), generator())
    wanted = np.asarray(enhancer(Image.fromarray(pixels[0])).enhance(1.35), dtype=np.float32)
    got = view[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(got - wanted).max() < 2.0  # Pillow rounds on the way


def test_hue_turns_the_colour_circle_and_keeps_greys() -> None:
    red = torch.tensor([0.8, 0.2, 0.2])[None, :, None, None].expand(300, 3, 2, 2)
    (views,), _ = augment(Views(hue=0.125, colour_probability=1.0), red, generator())
    hues = np.array([colorsys.rgb_to_hsv(*pixel)[0] for pixel in views[:, :, 0, 0].tolist()])
    turned = np.minimum(hues, 1 - hues)
    assert 0.10 < turned.max() < 0.16
    grey = torch.full((4, 3, 2, 2), 0.4)
    (views,), _ = augment(Views(hue=0.5, colour_probability=1.0), grey, generator())
    assert torch.allclose(views, grey, atol=1e-5)


@pytest.mark.parametrize("sides", [(8, 8), (4, 8)])
def test_free_orientation_draws_every_symmetry_that_keeps_the_shape(sides: tuple[int, int]) -> None:
    x = torch.rand(400, 2, *sides, generator=generator(1))
    (views,), (targets,) = augment(Views(free_orientation=True), x, generator())
    assert torch.equal(views, targets)
    wanted = symmetries(x)
    assert len(wanted) == (8 if sides == (8, 8) else 4)
    which = torch.stack([torch.isclose(views, y, atol=1e-4).flatten(1).all(1) for y in wanted])
    assert (which.sum(0) == 1).all()
    n = 400 / len(wanted)
    assert ((which.sum(1) > n / 2) & (which.sum(1) < 2 * n)).all()
    crops = Views(free_orientation=True, min_crop=0.3, n_local_crops=1, local_crop_side=0.5)
    inner = local_crops(crops, x, generator())
    height, width = (side // 4 for side in sides)
    middle = augment(crops, x, generator())[0][0][..., height:-height, width:-width]
    assert torch.allclose(inner[0], middle, atol=1e-5)


def test_symmetries_are_those_of_numpy() -> None:
    x = torch.rand(2, 3, 5, 5, generator=generator())
    turned = {np.rot90(y, k).tobytes() for y in (x[0, 0].numpy(), x[0, 0].numpy().T)
              for k in range(4)}  # fmt: skip
    assert {y[0, 0].numpy().tobytes() for y in symmetries(x)} == turned
    assert torch.equal(symmetries(x)[0], x)


def test_channel_changes_are_those_of_a_loop_over_channels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = images(3, 5)
    draws = [torch.rand(3, 5, 1, 1, generator=generator(seed)) for seed in (2, 3, 4)]
    one_by_one = iter(draws)
    monkeypatch.setattr(torch, "rand", lambda *a, **k: next(one_by_one))
    views = Views(channel_gamma=0.5, channel_gain=0.4, channel_offset=0.1)
    (got,), _ = augment(views, x, generator())
    for i in range(3):
        for c in range(5):
            gamma, gain, offset = (2 * float(draw[i, c]) - 1 for draw in draws)
            wanted = x[i, c].numpy() ** (1.5**gamma) * (1 + 0.4 * gain) + 0.1 * offset
            assert np.allclose(got[i, c].numpy(), wanted.clip(0, 1), atol=1e-5)


def test_channels_change_each_by_itself_and_one_at_most_is_emptied() -> None:
    x = torch.full((300, 4, 6, 6), 0.5)
    for name in ("channel_gain", "channel_offset", "channel_gamma"):
        (view,), _ = augment(Views(**{name: 0.4}), x, generator())
        means = view.mean(dim=(2, 3))
        assert view.flatten(2).std(2).max() < 1e-6
        assert np.abs(np.corrcoef(means.T.numpy()) - np.eye(4)).max() < 0.2
    (noisy,), _ = augment(Views(channel_noise=0.1), x, generator())
    assert noisy.flatten(2).std(2).amax() < 0.2
    assert np.abs(np.corrcoef(noisy.flatten(2).std(2).T.numpy()) - np.eye(4)).max() < 0.25
    (dropped,), _ = augment(Views(channel_drop=0.5), x, generator())
    empty = (dropped == 0).flatten(2).all(2)
    assert (dropped[~empty] == 0.5).all()
    assert empty.sum(1).max() == 1
    assert 110 < int(empty.sum()) < 190
    assert (empty.sum(0) > 15).all()
    assert torch.equal(augment(Views(channel_drop=1.0), x[:, :1], generator())[0][0], x[:, :1])


def test_brightness_and_contrast_of_many_channels_keep_them_apart() -> None:
    x = torch.zeros(50, 4, 6, 6)
    x[:, 1] = torch.rand(6, 6, generator=generator(1)) * 0.4 + 0.3
    x[:, 2] = 0.4
    strong = Views(brightness=0.5, contrast=0.5, hue=0.5, saturation=1.0, grey_probability=1.0)
    (view,), _ = augment(strong, x, generator())
    assert (view[:, [0, 3]] == 0).all()
    assert view[:, 2].flatten(1).std(1).max() < 1e-6
    contrasted = augment(Views(contrast=0.5, colour_probability=1.0), x, generator())[0][0]
    assert torch.allclose(contrasted.mean(dim=(2, 3)), x.mean(dim=(2, 3)), atol=1e-5)
    assert contrasted[:, 1].flatten(1).std(1).std() > 0.01


@pytest.mark.parametrize(
    ("recipe", "channels", "drawn", "pixels"),
    [
        ("baseline", 1, "76fe321e2dc1",
         [0.757632, 0.810619, 0.294282, 0.609588, 0.496795, 0.0]),
        ("baseline", 3, "76fe321e2dc1",
         [0.757632, 0.810619, 0.294282, 0.609588, 0.50286, 0.0]),
        ("improved", 1, "1888e5a75853",
         [0.998137, 1.0, 0.261497, 0.606735, 0.441862, 0.0]),
        ("improved", 3, "27b98a09a402",
         [1.0, 1.0, 0.493478, 0.932149, 0.447526, 0.0]),
        ("best", 1, "5ee6ed819aa2",
         [0.340659, 0.396095, 0.706571, 0.692203, 0.515557, 0.274885]),
        ("best", 3, "d2f066d0fda7",
         [0.340712, 0.381656, 0.242286, 0.265803, 0.576285, 0.709398]),
        ("digits", 1, "1f27bd2d94b9",
         [0.690427, 0.492805, 0.533709, 0.719332, 0.518651, 0.0]),
        ("digits", 3, "49676815efc0",
         [0.663046, 0.52216, 0.253537, 0.550476, 0.558554, 0.0]),
    ],
)  # fmt: skip
def test_named_recipes_draw_what_they_always_drew(
    recipe: str, channels: int, drawn: str, pixels: list[float]
) -> None:
    """A field added to `Views` must not change the runs of before it."""
    x, draw = torch.rand(4, channels, 12, 12, generator=generator(1)), generator(3)
    seen, _ = augment(named(recipe).views, x, draw)
    crops = local_crops(named(recipe).views, x, draw)
    assert hashlib.sha256(draw.get_state().numpy().tobytes()).hexdigest()[:12] == drawn
    got = torch.cat([seen.flatten()[::117][:4], seen.mean()[None], crops.sum()[None] / 1000])
    assert np.allclose(got.numpy(), pixels, atol=1e-5)


def test_every_limit_is_checked() -> None:
    for field in fields(Views):
        if field.name not in ("horizontal_flip", "free_orientation"):
            with pytest.raises(ValueError, match=f"views.{field.name} must be "):
                replace(Views(), **{field.name: -1}).check()


def test_to_float() -> None:
    pixels = np.array([0, 255, 51], dtype=np.uint8).reshape(1, 1, 3, 1)
    assert torch.allclose(to_float(pixels, "cpu"), torch.tensor([[[[0.0, 1.0, 0.2]]]]))
