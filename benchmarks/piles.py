"""What shoal finds in each pile of a folder, beside PCA of the pixels with k-means and t-SNE.

    python benchmarks/piles.py FOLDER                    # every pile there, by default, seed 0
    python benchmarks/piles.py FOLDER --only signs steel --seeds 0 1 2
    python benchmarks/piles.py FOLDER --ways simple tsne quick default thorough
    python benchmarks/piles.py --table                        # only print what was measured

FOLDER holds the piles. Each is an archive or a folder of images with a folder for each kind, or a
folder with one array (.npy, .npz) and ``labels.npy``, the kinds of its images. shoal never sees the
kinds: it is given the images and the number of kinds. Rows go to results/piles.jsonl; what is there
is not measured again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import (
    HERE,
    append,
    command,
    commit,
    grouped,
    is_there,
    machine,
    now,
    rows,
    sources,
    spread,
)
from machine import threads as n_threads

RESULTS = HERE / "results" / "piles.jsonl"
SIMPLE = ("simple", "tsne")
WAYS = {"quick": ["--quick"], "default": [], "thorough": ["--thorough"]}
SCORES = ("accuracy", "nmi", "ari", "balanced_accuracy")
_COMPONENTS = 64


def images_of(pile: Path) -> Path:
    """What shoal opens: the pile itself, or the array in it."""
    arrays = [file for suffix in ("npy", "npz") for file in sorted(pile.glob(f"*.{suffix}"))]
    return next((file for file in arrays if file.name != "labels.npy"), pile)


def kinds_of(pile: Path, ids: list[str]) -> Any:
    """The kind of each image, int64 (n,): by ``labels.npy``, or by the folder that it is in."""
    import numpy as np

    if images_of(pile) != pile:
        kinds = np.load(pile / "labels.npy", allow_pickle=False)[[int(each) for each in ids]]
    else:
        kinds = np.array([each.rsplit("/", 2)[-2] for each in ids])
    return np.unique(kinds, return_inverse=True)[1]


def scored(found: Any, kinds: Any) -> dict[str, float]:
    """How well clusters, int64 (n,), match kinds, int64 (n,); matched one to one."""
    import numpy as np
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    counts = np.zeros((found.max() + 1, kinds.max() + 1))
    np.add.at(counts, (found, kinds), 1)
    cluster, kind = linear_sum_assignment(-counts)
    right = np.zeros(kinds.max() + 1)
    right[kind] = counts[cluster, kind]
    scores = (
        right.sum() / len(kinds),
        normalized_mutual_info_score(kinds, found),
        adjusted_rand_score(kinds, found),
        (right / np.bincount(kinds)).mean(),
    )
    return {name: round(float(score), 4) for name, score in zip(SCORES, scores, strict=True)}


def simple_labels(x: Any, k: int, way: str, seed: int) -> Any:
    """Clusters int64 (n,) of flattened pixels float32 (n, d), by what follows PCA.

    k-means (``simple``), t-SNE and k-means (``tsne``), or spectral clustering of the nearest
    neighbours (``spectral``).
    """
    import numpy as np
    from sklearn.cluster import KMeans, SpectralClustering
    from sklearn.decomposition import PCA

    z = PCA(min(_COMPONENTS, *x.shape), random_state=seed).fit_transform(x)
    if way == "spectral":
        model = SpectralClustering(
            k, affinity="nearest_neighbors", n_neighbors=20, random_state=seed
        )
        return model.fit_predict(z).astype(np.int64)
    if way == "tsne":
        from sklearn.manifold import TSNE

        z = TSNE(random_state=seed).fit_transform(z)
    return KMeans(k, n_init=10, random_state=seed).fit_predict(z).astype(np.int64)


def in_the_simple_way(pile: Path, way: str, seed: int) -> dict[str, Any]:
    """PCA of the pixels, t-SNE if asked for, and k-means."""
    import resource

    import numpy as np

    from shoal.images.open import open_source
    from shoal.images.tensors import to_float

    source = open_source(images_of(pile))
    ids, began = list(source.ids), time.monotonic()
    kinds = kinds_of(pile, ids)
    x = to_float(source.read(np.arange(len(source))), "cpu").flatten(1).numpy()
    scores = scored(simple_labels(x, int(kinds.max()) + 1, way, seed), kinds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return scores | {"seconds": round(time.monotonic() - began, 1), "gb": round(peak, 2)}


def by_shoal(pile: Path, way: str, seed: int, settings: list[str]) -> dict[str, Any]:
    """`shoal run`, as a person would."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "found"
        options = ["-k", str(n_kinds(pile)), "--seed", str(seed), "--quiet", *WAYS[way]]
        options += [word for setting in settings for word in ("--set", setting)]
        seconds, spent, gb, _ = command("run", str(images_of(pile)), str(folder), *options)
        about = json.loads(command("info", str(folder / "checkpoint.pth"), "--json")[3])
        asked = [sys.executable, __file__, str(pile), "--score", str(folder)]
        scores = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)
    found = about["facts"]["representation"]
    return scores | {
        "seconds": round(seconds, 1), "cpu_seconds": round(spent, 1), "gb": round(gb, 2),
        "found_in": found["choice"], "judged": found["scores"],
    }  # fmt: skip


def of_run(pile: Path, folder: Path) -> dict[str, Any]:
    """The scores of what `shoal run` wrote, and what it expected of them."""
    from dataclasses import asdict

    import numpy as np
    import pyarrow.parquet as pq

    from shoal.models import checkpoint as checkpoints
    from shoal.scoring import evaluation
    from shoal.scoring.assignment import calibration_of

    read = pq.read_table(folder / "table.parquet", columns=["id", "label", "confidence"])
    labels = np.array(read["label"].to_pylist(), dtype=np.int64)
    kinds = kinds_of(pile, [str(each) for each in read["id"].to_pylist()])
    confidence = np.array(read["confidence"].to_pylist(), dtype=np.float32)
    tenths = evaluation.calibration(confidence, labels, kinds)
    error = np.mean([abs(part.confidence - part.accuracy) for part in tenths])
    found: dict[str, Any] = {**scored(labels, kinds), "ece": round(float(error), 4)}
    calibrated = calibration_of(checkpoints.load(folder / "checkpoint.pth"))
    if calibrated is not None:
        found["expected"] = asdict(calibrated.estimate)
        found["signals"] = asdict(calibrated.signals)
        found["sizes"] = np.bincount(labels).tolist()
    return found


def n_kinds(pile: Path) -> int:
    """The number of kinds of a pile; counted in a process of its own, see `machine.command`."""
    asked = [sys.executable, __file__, str(pile), "--count"]
    return int(subprocess.run(asked, capture_output=True, check=True, text=True).stdout)


def measure(pile: Path, way: str, seed: int, settings: list[str]) -> dict[str, Any]:
    """The scores of one way of dividing a pile."""
    if way not in SIMPLE:
        return by_shoal(pile, way, seed, settings)
    asked = [sys.executable, __file__, str(pile), "--simple", way, "--seeds", str(seed)]
    found: dict[str, Any] = json.loads(
        subprocess.run(asked, capture_output=True, check=True, text=True).stdout
    )
    return found


def print_table(found: list[dict[str, Any]]) -> None:
    """Every pile and way as Markdown."""
    print("| pile | way | accuracy | NMI | ARI | balanced accuracy | seconds | GB |")
    print("|---|---|---|---|---|---|---|---|")
    for pile, of_pile in sorted(grouped(found, "pile").items()):
        for way, some in grouped(of_pile, "way").items():
            scores = [spread([row[name] for row in some]) for name in SCORES]
            cost = [spread([row[name] for row in some], 1) for name in ("seconds", "gb")]
            print(f"| {pile} | {' | '.join([way, *scores, *cost])} |")
    print(f"\n{sources(found)}")


def main() -> None:
    """Measure what is asked for, then print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--only", nargs="+", help="names of piles, without suffix")
    parser.add_argument(
        "--ways", nargs="+", choices=[*SIMPLE, *WAYS], default=["simple", "default"]
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--set", nargs="+", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="only print what was measured")
    for hidden in ("--simple", "--score"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--count", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.simple:
        print(json.dumps(in_the_simple_way(asked.folder, asked.simple, asked.seeds[0])))
    elif asked.score:
        print(json.dumps(of_run(asked.folder, Path(asked.score))))
    elif asked.count:
        from shoal.images.open import open_source

        ids = [str(each) for each in open_source(images_of(asked.folder)).ids]
        print(int(kinds_of(asked.folder, ids).max()) + 1)
    else:
        if not asked.table:
            _measure_all(asked)
        print_table(now(rows(asked.results)))


def _measure_all(asked: argparse.Namespace) -> None:
    piles = sorted(path for path in asked.folder.iterdir() if not path.name.startswith("."))
    for pile in piles:
        if asked.only and pile.name.split(".")[0] not in asked.only:
            continue
        for way in asked.ways:
            for seed in asked.seeds:
                case = {"pile": pile.name.split(".")[0], "way": way, "seed": seed,
                        "settings": asked.set if way not in SIMPLE else []}  # fmt: skip
                if not is_there(case, now(rows(asked.results))):
                    row = case | measure(pile, way, seed, asked.set)
                    row |= {"machine": machine(), "threads": n_threads(), "commit": commit()}
                    append(asked.results, [row])
                    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
