"""Draw the piles of `pile_list.py`, train briefly on each, and keep the embeddings.

    python benchmarks/many_piles.py prepare FOLDER --labels labels.npz --data ../shared/data
    python benchmarks/many_piles.py embed OUT --folder FOLDER --seeds 0 1 --device cuda --jobs 12
    python benchmarks/many_piles.py embed OUT --folder FOLDER --piles steel --steps 3   # a try

`prepare` writes one file with all images, FOLDER/images.npz (25 MB), and their classes to another.
`embed` needs the first alone, and beside shoal only numpy, torch and Pillow. It trains `best` for
some steps on each pile, and writes what would be clustered, with that of two augmented views of a
sample: OUT/embeddings-1.npz and so on, int8 with a scale for each column. What is there already is
not trained again.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pile_list import CIFAR, LARGEST, N_CLASSES, PILES, drawn

SIDE = 32
N_VIEWED = 400
"""Images of which two augmented views are embedded, too."""
_RUNS_A_FILE = 20


def options_of(doc: str | None, results: Path) -> argparse.ArgumentParser:
    """The options of a script that measures the embeddings, and prints the table of ``results``."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("embeddings", nargs="?", type=Path)
    parser.add_argument("--labels", type=Path, default=Path("labels.npz"))
    parser.add_argument("--results", type=Path, default=results)
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    return parser


def prepare(folder: Path, labels: Path, data: Path) -> None:
    """Write the images of all piles to ``folder``, and their classes to ``labels``."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, Any] = {}
    classes: dict[str, Any] = {}
    for name in LARGEST:
        contents, kinds = _cifar(data) if name == CIFAR else _others(name, data)
        files[f"{name}|bytes"] = np.frombuffer(b"".join(contents), np.uint8)
        files[f"{name}|ends"] = np.cumsum([len(content) for content in contents])
        by_class = [np.flatnonzero(kinds == kind) for kind in range(N_CLASSES[name])]
        for pile in (pile for pile in PILES.values() if pile.of == name):
            rows = drawn(pile, by_class)
            files[f"{pile.name}|rows"], classes[pile.name] = rows.astype(np.int32), kinds[rows]
    np.savez_compressed(folder / "images.npz", **files)
    np.savez_compressed(labels, **classes)


def _cifar(data: Path) -> tuple[list[bytes], Any]:
    """The first images of each class as they are, and their classes."""
    import pyarrow.parquet as pq

    table = pq.read_table(data / "cifar10" / "train.parquet")
    kinds = np.array(table["label"].to_pylist())
    order = np.random.default_rng(28).permutation(len(kinds))
    rows = np.sort(
        np.concatenate(
            [order[kinds[order] == kind][: LARGEST[CIFAR]] for kind in range(N_CLASSES[CIFAR])]
        )
    )
    chosen = table["image"].take(rows)
    return [image["bytes"] for image in chosen.to_pylist()], kinds[rows]


def _others(name: str, data: Path) -> tuple[list[bytes], Any]:
    """Images of another set at 32 × 32 as PNG, at most so many of a class, and their classes."""
    import labelled_piles

    images, kinds = labelled_piles.make(name, data)
    order = np.random.default_rng(28).permutation(len(kinds))
    rows = np.sort(
        np.concatenate(
            [order[kinds[order] == kind][: LARGEST[name]] for kind in range(N_CLASSES[name])]
        )
    )
    return [_as_png(image) for image in images[rows]], kinds[rows]


def _as_png(image: Any) -> bytes:
    picture = Image.fromarray(image.squeeze())
    written = io.BytesIO()
    picture.resize((SIDE, SIDE), Image.Resampling.BOX).save(written, "png", optimize=True)
    return written.getvalue()


def images_of(name: str, folder: Path) -> Any:
    """The images of a pile, uint8 (n, 32, 32, C), from what `prepare` wrote."""
    of = PILES[name].of
    with np.load(folder / "images.npz") as kept:
        rows, ends, content = (kept[key] for key in (f"{name}|rows", f"{of}|ends", f"{of}|bytes"))
    starts = np.r_[0, ends[:-1]]
    files = [io.BytesIO(content[starts[row] : ends[row]].tobytes()) for row in rows]
    images = np.stack([np.asarray(Image.open(file)) for file in files])
    return images if images.ndim == 4 else images[..., None]


def embedded(case: tuple[str, int, int, str, Path]) -> dict[str, Any]:
    """One training: the reduced embedding, and that of two views of a sample; quantised."""
    import torch

    from shoal.embedding.reduce import fit_reduction, reduce
    from shoal.images.array import ArraySource
    from shoal.recipes.named import BEST
    from shoal.scoring.evaluation_views import evaluation_views
    from shoal.training.augmented_source import views_of
    from shoal.training.loop import train
    from shoal.training.schedule import steps_an_epoch

    name, seed, steps, device, folder = case
    if device != "cpu":
        torch.set_num_threads(1)
    began = time.monotonic()
    source = ArraySource(images_of(name, folder))
    epochs = steps / steps_an_epoch(BEST, len(source))
    recipe = replace(BEST, n_clusters=PILES[name].n_kinds, seed=seed, epochs=epochs)
    last = deque(train(source, recipe, device=device), maxlen=1).pop()
    trained = time.monotonic() - began
    reduction = fit_reduction(source, last, device=device)
    z = reduction.fitted
    shown = views_of(source, evaluation_views(last), most=min(N_VIEWED, len(source)), seed=seed)
    views = [reduce(view, reduction.checkpoint, device=device) for view in shown[1:]]
    scale = np.maximum(np.abs(z).max(axis=0), 1e-9) / 127
    few = [np.rint(np.clip(part / scale, -127, 127)).astype(np.int8) for part in (z, *views)]
    key = f"{name}|{seed}"
    return {
        f"{key}|z": few[0], f"{key}|scale": scale.astype(np.float32),
        f"{key}|views": np.stack(few[1:]),
        f"{key}|viewed": shown[0].rows.astype(np.int32),
        f"{key}|about": np.array([steps, trained, time.monotonic() - began]),
    }  # fmt: skip


def embed(out: Path, cases: list[tuple[str, int, int, str, Path]], jobs: int) -> None:
    """Train every case that is not there yet, several beside one another."""
    out.mkdir(parents=True, exist_ok=True)
    there = {key for file in sorted(out.glob("embeddings-*.npz")) for key in np.load(file).files}
    missing = [case for case in cases if f"{case[0]}|{case[1]}|z" not in there]
    n_files, began, waiting = len(list(out.glob("embeddings-*.npz"))), time.monotonic(), 0
    found: dict[str, Any] = {}
    for done, result in enumerate(_each(missing, jobs), 1):
        found, waiting = found | result, waiting + 1
        print(f"{done} of {len(missing)}, {time.monotonic() - began:.0f} s: "
              f"{next(iter(result))[:-2]}", flush=True)  # fmt: skip
        if waiting == _RUNS_A_FILE or done == len(missing):
            n_files += 1
            kept = out / f"embeddings-{n_files}.npz"
            np.savez_compressed(kept.with_suffix(".part.npz"), **found)
            kept.with_suffix(".part.npz").rename(kept)
            found, waiting = {}, 0


def _each(cases: list[tuple[str, int, int, str, Path]], jobs: int) -> Iterator[dict[str, Any]]:
    if jobs < 2:
        yield from map(embedded, cases)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(embedded, cases)


def load(out: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """What `embed` wrote: for each pile and seed ``z``, ``views`` and ``viewed``."""
    runs: dict[tuple[str, int], dict[str, Any]] = {}
    for file in sorted(out.glob("embeddings-*.npz")):
        with np.load(file) as kept:
            for key in kept.files:
                name, seed, what = key.rsplit("|", 2)
                runs.setdefault((name, int(seed)), {})[what] = kept[key]
    for run in runs.values():
        for what in ("z", "views"):
            run[what] = run[what].astype(np.float32) * run["scale"]
    return runs


def main() -> None:
    """Prepare, or embed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=["prepare", "embed"])
    parser.add_argument("place", type=Path, help="the folder to write to")
    parser.add_argument("--labels", type=Path, default=Path("labels.npz"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--folder", type=Path, help="where `prepare` wrote the images")
    parser.add_argument("--piles", nargs="+", default=list(PILES), choices=list(PILES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    if options.what == "prepare":
        prepare(options.place, options.labels, options.data)
        return
    cases = [
        (name, seed, options.steps, options.device, options.folder)
        for name in options.piles
        for seed in options.seeds
    ]
    embed(options.place, cases, options.jobs)


if __name__ == "__main__":
    main()
