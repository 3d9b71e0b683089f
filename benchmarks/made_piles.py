"""Nine made piles of kinds that no rule of shoal was chosen on, for `piles.py` to measure.

    python benchmarks/made_piles.py /tmp/made
    python benchmarks/piles.py /tmp/made --ways simple default

Each is drawn anew from the seed, and is a folder with ``images.npy`` and ``labels.npy``:

- ``galaxies``: 2,000 of float32, 56 pixels, in five kinds. They differ in size, brightness, place
  and turn; noise and small stars lie over them.
- ``satellite``: 2,000 tiles of four bands of 16 bits, 48 pixels, six kinds. Light differs by tile.
- ``defects``: 2,000 pieces of brushed metal, 48 pixels, 71 % flawless, five flaws on the rest.
- ``plankton``: 2,200 dark silhouettes, 56 pixels, 1,200 down to 40 of a kind.
- ``sprites``: 2,000 shapes of six kinds in any colour on a ground of any colour, 32 pixels.
- ``letters``: 1,500 of ten letters, noisy, in any colour on a ground of any colour, 32 pixels.
- ``lamps``: 1,500 outlines of four kinds, noisy, on a ground that runs from one colour to another.
- ``weave``: 1,500 patterns of five kinds in two colours, any two, noisy, 40 pixels.
- ``fruit``: 1,500 round things of any shape and size whose colour tells the kind, 40 pixels.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import get_data_path
from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

Image = Any
Draw = Callable[[np.random.Generator, int], Image]


def plane(rng: Any, side: int, size: float, stray: float = 0.12) -> tuple[Any, Any]:
    """Coordinates of the pixels of a turned and moved thing, in its radii: twice float (H, W)."""
    y, x = (np.indices((side, side)) - (side - 1) / 2) / (side * size)
    x, y = x - rng.uniform(-stray, stray) / size, y - rng.uniform(-stray, stray) / size
    turn = rng.uniform(0, 2 * np.pi)
    return x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)


def inside(distance: Any, soft: float = 0.08) -> Any:
    """1 where a distance is negative, 0 where it is positive, soft between."""
    return 1 / (1 + np.exp(np.clip(distance / soft, -40, 40)))


def texture(rng: Any, side: int, grain: float | tuple[float, float]) -> Any:
    """Smoothed noise of mean 0 and deviation 1, float (H, W)."""
    found = gaussian_filter(rng.standard_normal((side, side)), grain, mode="wrap")
    return (found - found.mean()) / found.std()


def of_bytes(light: Any) -> Image:
    """Light from 0 to 255 as uint8; what lies beyond is cut."""
    return np.clip(light, 0, 255).astype(np.uint8)


def galaxy(kind: str) -> Draw:
    """A galaxy, float32, of an unknown scale."""

    def draw(rng: Any, side: int) -> Image:
        x, y = plane(rng, side, rng.uniform(0.1, 0.2))
        flat = {"round": rng.uniform(0.85, 1.0), "long": rng.uniform(0.4, 0.6),
                "edge on": rng.uniform(0.12, 0.2)}.get(kind, rng.uniform(0.7, 1.0))  # fmt: skip
        y = y / flat
        r, angle = np.hypot(x, y) + 1e-6, np.arctan2(y, x)
        light = np.exp(-1.7 * r) if kind != "ring" else 0.5 * np.exp(-4 * r)
        if kind == "spiral":
            arms = np.cos(2 * (angle - rng.choice([-1, 1]) * rng.uniform(2.5, 3.5) * np.log(r)))
            light = light * (1 + 0.9 * arms * inside(0.3 - r, 0.1))
        if kind == "ring":
            light = light + 0.5 * np.exp(-(((r - 1.1) / rng.uniform(0.15, 0.25)) ** 2))
        for _ in range(rng.poisson(1.5)):
            a, b = plane(rng, side, 0.02, stray=0.5)
            light = light + rng.uniform(0.1, 0.5) * np.exp(-(a**2 + b**2))
        noisy = light * rng.uniform(0.5, 2) + 0.05 * rng.standard_normal(light.shape)
        return (40 * noisy + 100).astype(np.float32)[..., None]

    return draw


def tile(kind: str) -> Draw:
    """Ground from above: blue, green, red and infrared, uint16."""
    spectrum = {
        "water": (6, 5, 3, 1), "forest": (2, 4, 2, 12), "field": (3, 6, 5, 11),
        "bare": (5, 7, 9, 10), "city": (7, 7, 8, 8), "suburb": (5, 6, 6, 9),
    }[kind]  # fmt: skip

    def draw(rng: Any, side: int) -> Image:
        shade = 0.08 * texture(rng, side, 6)
        if kind == "water":
            shade = 0.3 * shade + 0.03 * texture(rng, side, (1, 4))
        if kind == "forest":
            shade = shade + 0.25 * texture(rng, side, 1.5)
        if kind == "field":
            x, _ = plane(rng, side, 1.0)
            shade = shade + 0.12 * np.sin(2 * np.pi * rng.uniform(8, 14) * x)
        if kind in ("city", "suburb"):
            step = rng.uniform(0.12, 0.2) if kind == "city" else rng.uniform(0.22, 0.34)
            x, y = plane(rng, side, 1.0)
            roofs = (x / step % 1 > 0.35) & (y / step % 1 > (0.25 if kind == "city" else 0.5))
            shade = shade + np.where(roofs, rng.uniform(0.3, 0.6), -0.15)
        bands = np.array(spectrum) * rng.uniform(0.85, 1.15, 4) * rng.uniform(0.6, 1.4)
        light = 300 * bands * np.clip(1 + shade, 0.05, None)[..., None]
        return np.clip(light + 20 * rng.standard_normal(light.shape), 0, 65535).astype(np.uint16)

    return draw


def metal(kind: str) -> Draw:
    """Brushed metal with a flaw or none, uint8, one channel."""

    def draw(rng: Any, side: int) -> Image:
        grey = 140 + rng.normal(0, 12) + 9 * texture(rng, side, (0.4, 8))
        grey = grey + 5 * texture(rng, side, 12)
        x, y = plane(rng, side, rng.uniform(0.15, 0.25), stray=0.25)
        if kind == "scratch":
            grey = grey + 60 * inside(np.abs(y) - 0.08) * inside(np.abs(x) - 1.6)
        if kind == "pit":
            grey = grey - 80 * inside(np.hypot(x, y) - rng.uniform(0.3, 0.5))
        if kind == "stain":
            grey = grey - 35 * inside(np.hypot(x, y) - 1 + 0.25 * texture(rng, side, 4), 0.3)
        if kind == "crack":
            bent = y + 0.3 * np.sin(4 * x + rng.uniform(0, 6)) + 0.12 * np.sin(11 * x)
            grey = grey - 70 * inside(np.abs(bent) - 0.06) * inside(np.abs(x) - 1.8)
        if kind == "dots":
            for _ in range(rng.integers(8, 14)):
                a, b = plane(rng, side, 0.03, stray=0.3)
                grey = grey + 55 * inside(np.hypot(a, b) - 0.8, 0.2)
        return of_bytes(grey + 4 * rng.standard_normal(grey.shape))[..., None]

    return draw


def organism(kind: str) -> Draw:
    """A dark silhouette on light water, uint8, one channel."""

    def draw(rng: Any, side: int) -> Image:
        x, y = plane(rng, side, rng.uniform(0.14, 0.3))
        r, angle = np.hypot(x, y), np.arctan2(y, x)
        shape = {
            "disc": r - 1,
            "rod": np.maximum(np.abs(y) - 0.16, np.abs(x) - 1.3),
            "spiny": r - 0.7 - 0.4 * np.maximum(np.cos(7 * angle), 0) ** 3,
            "chain": np.minimum.reduce([np.hypot(x - c, y) - 0.3 for c in (-1, -0.33, 0.33, 1)]),
            "comma": np.maximum(np.abs(np.hypot(x, y) - 0.8) - 0.2, -x - 0.2),
        }[kind]
        body = inside(shape, 0.06) * (0.8 + 0.15 * texture(rng, side, 2))
        grey = 215 - rng.uniform(90, 170) * body + 6 * texture(rng, side, 8)
        return of_bytes(grey + 3 * rng.standard_normal(grey.shape))[..., None]

    return draw


def sprite(kind: str) -> Draw:
    """A shape in a colour, on a ground of another, uint8, three channels."""

    def draw(rng: Any, side: int) -> Image:
        x, y = plane(rng, side, rng.uniform(0.22, 0.34), stray=0.1)
        r, angle = np.hypot(x, y), np.arctan2(y, x)
        shape = {
            "circle": r - 0.9,
            "square": np.maximum(np.abs(x), np.abs(y)) - 0.8,
            "triangle": np.maximum.reduce(
                [x * np.cos(a) + y * np.sin(a) - 0.5 for a in np.arange(3) * 2 * np.pi / 3]
            ),
            "star": r - 0.65 - 0.35 * np.cos(5 * angle),
            "ring": np.abs(r - 0.75) - 0.2,
            "cross": np.minimum(
                np.maximum(np.abs(x) - 0.25, np.abs(y) - 1),
                np.maximum(np.abs(y) - 0.25, np.abs(x) - 1),
            ),
        }[kind]
        one, other = rng.uniform(0, 255, (2, 3))
        while np.abs(one - other).sum() < 150:
            one, other = rng.uniform(0, 255, (2, 3))
        body = inside(shape, 0.05)[..., None]
        return of_bytes(body * one + (1 - body) * other)

    return draw


def any_two(rng: Any) -> tuple[Any, Any]:
    """Two colours that differ clearly, each float (3,)."""
    one = rng.integers(0, 256, 3)
    return one.astype(float), ((one + rng.integers(90, 166, 3)) % 256).astype(float)


def noisy(rng: Any, light: Any, deviation: float) -> Image:
    """Light (H, W, 3) with noise of this deviation, uint8."""
    return of_bytes(light + rng.normal(0, deviation, light.shape))


def letter(kind: str) -> Draw:
    """A letter a little moved and turned, uint8, three channels."""
    font = ImageFont.truetype(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf", 22)

    def draw(rng: Any, side: int) -> Image:
        ground, ink = any_two(rng)
        drawn = PILImage.new("L", (side, side))
        at = tuple((side // 2 + rng.integers(-3, 4, 2)).tolist())
        ImageDraw.Draw(drawn).text(at, kind, font=font, fill=255, anchor="mm")
        turned = drawn.rotate(rng.uniform(-8, 8), PILImage.Resampling.BILINEAR)
        body = np.asarray(turned)[..., None] / 255
        return noisy(rng, body * ink + (1 - body) * ground, 6)

    return draw


def lamp(kind: str) -> Draw:
    """An outline on a ground that runs from one colour to another, uint8, three channels."""

    def draw(rng: Any, side: int) -> Image:
        ground, light = any_two(rng)
        across = np.linspace(0, 1, side)[None, :, None]
        ground = ground + across * rng.normal(0, 50, 3)
        y, x = (np.indices((side, side)) - (side - 1) / 2) / (side / 2) / rng.uniform(0.4, 0.6)
        x, y = x - rng.uniform(-0.5, 0.5), y - rng.uniform(-0.5, 0.5)
        shape = {
            "ring": np.abs(np.hypot(x, y) - 0.8) - 0.25,
            "cross": np.minimum(
                np.maximum(np.abs(x) - 0.25, np.abs(y) - 1),
                np.maximum(np.abs(y) - 0.25, np.abs(x) - 1),
            ),
            "bars": np.maximum(np.abs(np.abs(x) - 0.6) - 0.25, np.abs(y) - 1),
            "square": np.maximum(np.abs(x), np.abs(y)) - 0.8,
        }[kind]
        body = inside(shape)[..., None]
        return noisy(rng, body * light + (1 - body) * ground, 4)

    return draw


def woven(kind: str) -> Draw:
    """A pattern of two colours, uint8, three channels."""

    def draw(rng: Any, side: int) -> Image:
        one, other = any_two(rng)
        y, x = np.indices((side, side)) * 2 * np.pi / rng.uniform(5, 7)
        first, second = rng.uniform(0, 2 * np.pi, 2)
        wave = {
            "upright": np.sin(x + first), "lying": np.sin(y + first),
            "checks": np.sin(x + first) * np.sin(y + second),
            "slanted": np.sin((x + y) / np.sqrt(2) + first), "speckled": texture(rng, side, 1.5),
        }[kind]  # fmt: skip
        body = inside(-4 * wave, 1.0)[..., None]
        return noisy(rng, body * one + (1 - body) * other, 8)

    return draw


def fruit(kind: str) -> Draw:
    """A shaded round thing, its colour by its kind, on a light ground; uint8, three channels."""
    colour = np.array({
        "red": (200, 40, 40), "yellow": (220, 180, 40), "green": (60, 150, 50),
        "violet": (120, 60, 150), "orange": (230, 120, 30),
    }[kind])  # fmt: skip

    def draw(rng: Any, side: int) -> Image:
        x, y = plane(rng, side, 0.5, stray=0.1)
        r = np.hypot(x / rng.uniform(0.4, 0.8), y / rng.uniform(0.4, 0.8))
        shade = 1 - 0.4 * np.clip(r, 0, 1) ** 2 + 0.15 * (x - y)
        body, light = inside(r - 1, 0.06)[..., None], rng.uniform(0.7, 1.2) * shade[..., None]
        return noisy(rng, body * colour * light + (1 - body) * rng.uniform(150, 240), 5)

    return draw


# The side of its images, what draws one, and how many there are of each kind.
PILES: dict[str, tuple[int, Callable[[str], Draw], dict[str, int]]] = {
    "galaxies": (
        56, galaxy, {"round": 400, "long": 400, "edge on": 400, "spiral": 400, "ring": 400},
    ),
    "satellite": (
        48, tile,
        {"water": 300, "forest": 400, "field": 400, "bare": 250, "city": 350, "suburb": 300},
    ),
    "defects": (
        48, metal,
        {"none": 1420, "scratch": 220, "pit": 140, "stain": 110, "crack": 70, "dots": 40},
    ),
    "plankton": (
        56, organism, {"disc": 1200, "rod": 600, "spiny": 250, "chain": 110, "comma": 40},
    ),
    "sprites": (
        32, sprite,
        {"circle": 334, "square": 334, "triangle": 333, "star": 333, "ring": 333, "cross": 333},
    ),
    "letters": (32, letter, dict.fromkeys("AKOSTXMZ48", 150)),
    "lamps": (40, lamp, dict.fromkeys(("ring", "cross", "bars", "square"), 375)),
    "weave": (
        40, woven, dict.fromkeys(("upright", "lying", "checks", "slanted", "speckled"), 300),
    ),
    "fruit": (40, fruit, dict.fromkeys(("red", "yellow", "green", "violet", "orange"), 300)),
}  # fmt: skip
_FIRST = ("defects", "galaxies", "plankton", "satellite", "sprites")


def make(name: str, seed: int = 0) -> tuple[Image, Any]:
    """The pile of that name: images (n, H, W, C) in a drawn order, and kinds int64 (n,)."""
    side, draws, counts = PILES[name]
    # The first five are drawn by their alphabetic number, as when there were no others.
    number = _FIRST.index(name) if name in _FIRST else list(PILES).index(name)
    rng = np.random.default_rng([seed, number])
    kinds = rng.permutation(np.repeat(np.arange(len(counts)), list(counts.values())))
    each = [draws(kind) for kind in counts]
    return np.stack([each[kind](rng, side) for kind in kinds]), kinds


def main() -> None:
    """Write every pile into a folder of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", choices=PILES, default=list(PILES))
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for name in asked.only:
        images, kinds = make(name, asked.seed)
        (asked.folder / name).mkdir(parents=True, exist_ok=True)
        np.save(asked.folder / name / "images.npy", images)
        np.save(asked.folder / name / "labels.npy", kinds)
        print(f"{asked.folder / name}: {images.shape} {images.dtype}")


if __name__ == "__main__":
    main()
