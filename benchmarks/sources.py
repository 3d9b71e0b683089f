"""How fast image files are opened and cached, beside a plain loop over Pillow.

    python benchmarks/sources.py            # 50,000 JPEGs of 32 pixels, 10,000 of 150: minutes
    python benchmarks/sources.py --quick    # only try it, on few images; its rows are marked
    python benchmarks/sources.py --table    # only print what has been measured

The two take turns, each time in a process of its own that has imported what it needs, with the
files in the system's cache; ratios are taken turn by turn. shoal decodes with as many processes as
there are cores, and writes the decoded images to a cache that is empty at each turn; the plain loop
decodes one file after the other into an array in memory. Also told: opening once more, from the
cache, and the most memory that the process took (its workers, not counted, take 45 MB each). Rows
are appended to results/sources.jsonl. The images are CIFAR-10's, if it is beside the project, else
made up.
"""

from __future__ import annotations

import argparse
import datetime
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from machine import HERE, append, commit, machine, rows
from turns import ratio

RESULTS = HERE / "results" / "sources.jsonl"
CIFAR = HERE.parent.parent / "shared" / "data" / "cifar10" / "train.parquet"
PILES = {32: 50_000, 150: 10_000}
"""Side in pixels of the images, and how many."""


def photographs(n: int) -> Iterator[Any]:
    """``n`` images of 32 × 32 pixels, as Pillow has them."""
    import numpy as np
    from PIL import Image

    if CIFAR.exists():
        import pyarrow.parquet as pq

        batches = pq.ParquetFile(CIFAR).iter_batches(1000, columns=["image.bytes"])
        contents = (one for batch in batches for one in batch.column(0).flatten()[0].to_pylist())
        for content in (next(contents) for _ in range(n)):
            yield Image.open(io.BytesIO(content)).convert("RGB")
        return
    generator = np.random.default_rng(0)
    for _ in range(n):
        coarse = generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        yield Image.fromarray(coarse).resize((32, 32), Image.Resampling.BICUBIC)


def write_pile(folder: Path, side: int, n: int) -> None:
    """JPEG files, 1,000 a folder."""
    from PIL import Image

    for number, image in enumerate(photographs(n)):
        if number % 1000 == 0:
            (folder / f"{number // 1000:03}").mkdir(parents=True)
        if side != 32:
            image = image.resize((side, side), Image.Resampling.BICUBIC)
        image.save(folder / f"{number // 1000:03}" / f"{number:06}.jpg", quality=90)


def open_with_shoal(folder: str) -> dict[str, Any]:
    """Open a folder with an empty cache, and once more with a full one."""
    import numpy as np

    import shoal

    shoal.ArraySource(np.zeros((2, 8, 8), np.uint8))  # all is imported
    began = time.perf_counter()
    source = shoal.open_source(folder)
    first = time.perf_counter() - began
    source = shoal.open_source(folder)
    return {"n": len(source), "seconds": first, "again": time.perf_counter() - began - first}


def open_plainly(folder: str) -> dict[str, Any]:
    """The loop that anybody would write."""
    import numpy as np
    from PIL import Image

    Image.init()
    began = time.perf_counter()
    files = sorted(Path(folder).rglob("*.jpg"))
    pixels = np.empty((len(files), 32, 32, 3), np.uint8)
    for row, path in enumerate(files):
        with Image.open(path) as image:
            small = image.convert("RGB").resize((32, 32), Image.Resampling.BICUBIC)
            pixels[row] = np.asarray(small)
    return {"n": len(files), "seconds": time.perf_counter() - began}


SIDES = {"shoal": open_with_shoal, "plain": open_plainly}


def side(name: str, folder: str) -> None:
    """Be one side, once: print what was measured, with the memory that it took."""
    found = SIDES[name](folder)
    unit = 1024**3 if sys.platform == "darwin" else 1024**2
    print(json.dumps(found | {"gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit}))


def take(name: str, folder: Path) -> dict[str, Any]:
    """A turn of one side, in a process of its own, with a cache of its own."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as cache:
        done = subprocess.run(
            [sys.executable, __file__, "--side", name, str(folder)], check=True, text=True,
            stdout=subprocess.PIPE, env={**os.environ, "XDG_CACHE_HOME": cache},
        )  # fmt: skip
    return json.loads(done.stdout)


def measure(folder: Path, n: int, turns: int) -> dict[str, Any]:
    """Both sides in turns."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in SIDES}
    take("plain", folder)  # brings the files into the system's cache
    for _ in range(turns):
        for name, answers in found.items():
            answers.append(take(name, folder))
    fast, slow = ([round(one["seconds"], 3) for one in found[name]] for name in SIDES)
    return {
        "n": n, "seconds": fast, "plain_seconds": slow,
        "images_per_second": round(n / median(fast)), "plain_per_second": round(n / median(slow)),
        "again_seconds": round(median(one["again"] for one in found["shoal"]), 3),
        "gb": round(max(one["gb"] for one in found["shoal"]), 3),
        "plain_gb": round(max(one["gb"] for one in found["plain"]), 3), **ratio(slow, fast),
    }  # fmt: skip


def print_table() -> None:
    """What has been measured in earnest."""
    print("| JPEG files | shoal | plain loop | times as fast | from the cache | memory |")
    print("|---|---|---|---|---|---|")
    for row in rows(RESULTS):
        if not row["quick"]:
            low, high = row["ratio_range"]
            print(
                f"| {row['n']:,} of {row['side']} pixels | {row['images_per_second']:,} a second | "
                f"{row['plain_per_second']:,} | {row['ratio']:.2f} ({low:.2f} to {high:.2f}) | "
                f"{row['again_seconds']:.2f} s | {row['gb']:.2f} GB |"
            )


def main() -> None:
    """Measure, write down, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--turns", type=int, default=5, help="of each side")
    parser.add_argument("--quick", action="store_true", help="only try the script")
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    parser.add_argument("--side", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        side(*options.side)
        return
    for pixels, n in {} if options.table else PILES.items():
        n = n // 10 if options.quick else n
        with tempfile.TemporaryDirectory() as folder:
            write_pile(Path(folder) / "pile", pixels, n)
            about = {
                "side": pixels, "quick": options.quick, "commit": commit(), "machine": machine(),
                "cores": len(os.sched_getaffinity(0)), "load": round(os.getloadavg()[0], 2),
                "date": datetime.date.today().isoformat(),
                "images": "CIFAR-10" if CIFAR.exists() else "made up",
            }  # fmt: skip
            row = about | measure(Path(folder) / "pile", n, 2 if options.quick else options.turns)
        append(RESULTS, [row])
        print(json.dumps(row), flush=True)
    print_table()


if __name__ == "__main__":
    main()
