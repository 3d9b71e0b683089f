"""What speed.py measures, each in a process of its own that works when told to, else waits.

    python benchmarks/sides.py NAME OPTIONS      # OPTIONS: the function's arguments as JSON

A line with a number on standard input: do so much; a line of JSON on standard output: what came
of it, and the peak memory so far; an empty one first, when it is ready. Two such processes take
turns, so that both meet the same machine and neither shares the other's malloc.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

Work = Callable[[int], dict[str, Any]]


def images(path: str, n: int, base: str | None) -> Work:
    """Write ``n`` images to ``path``: those of ``base`` first, then they again with noise."""
    import numpy as np
    from PIL import Image

    def write(_: int) -> dict[str, Any]:
        generator = np.random.default_rng(0)
        if base is not None and Path(base).exists():
            found = np.load(base)
        else:
            small = generator.integers(0, 256, (2000, 4, 4, 3), dtype=np.uint8)
            found = np.stack([np.asarray(Image.fromarray(i).resize((32, 32))) for i in small])
        shape = (n, *found.shape[1:])
        written = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
        for start in range(0, n, len(found)):
            block = found[: n - start].astype(np.int16)
            if start:
                block += generator.integers(-8, 9, block.shape, dtype=np.int16)
            written[start : start + len(block)] = block.clip(0, 255)
        written.flush()
        return {}

    return write


def training(path: str, way: str, keep: bool, warm: int, choose: bool = False) -> Work:
    """Steps of the recipe `best`: as shoal trains, or as usual with Pillow or batched views.

    ``choose``: on as many threads as a run with a time limit chooses.
    """
    import torch

    from shoal.images.open import open_source
    from shoal.recipes.named import BEST
    from shoal.training.allocator import keep_large_buffers
    from shoal.training.schedule import batch_size
    from shoal.training.start import start_run
    from shoal.training.thread_choice import ThreadChoice

    threads = ThreadChoice(torch.get_num_threads() if choose else 1)
    allocator = keep_large_buffers() if keep else "system"
    source = open_source(path)
    if way == "shoal":
        run, steps = start_run(source, BEST, "cpu"), itertools.count(1)
        how = {
            "batch": batch_size(BEST, len(source)), "precision": run.precision,
            "allocator": allocator,
        }  # fmt: skip

        def block(n: int) -> dict[str, Any]:
            began, spent = time.perf_counter(), time.process_time()
            for step in itertools.islice(steps, n):
                with threads.step():
                    run.take_step(source, step)
            taken, spent = time.perf_counter() - began, time.process_time() - spent
            return {"seconds": taken / n, "cpu": spent / n, "how": how}

        block(warm)
        return block
    from usual import UsualRun

    usual = UsualRun(source, BEST, pillow=way == "pillow")

    def usual_block(n: int) -> dict[str, Any]:
        # The loader starts anew and is first emptied of what its workers made ahead, so that no
        # batch of the timed ones was made while the other side worked.
        with closing(usual.batches()) as batches:
            for _ in range(warm):
                usual.take_step(batches)
            began = time.perf_counter()
            for _ in range(n):
                usual.take_step(batches)
            return {"seconds": (time.perf_counter() - began) / n}

    return usual_block


def prediction(path: str, checkpoint: str, output: str) -> Work:
    """All of ``shoal predict`` but Python's start and the imports."""
    from shoal.cli import inference, opening
    from shoal.models import checkpoint as checkpoints
    from shoal.progress import Reporter

    def predict(n: int) -> dict[str, Any]:
        began = time.perf_counter()
        loaded = checkpoints.load(checkpoint)
        source = opening.open_images(Path(path), image_shape=loaded.image_shape)
        table = inference.predict(source, loaded, Reporter(quiet=True), device="cpu")
        table.to_csv(output, force=True)
        return {"seconds": time.perf_counter() - began}

    predict(1)
    return predict


def clustering(path: str, checkpoint: str, again: bool) -> Work:
    """Cluster, and give the table of the images; ``again``: by predicting them."""
    from shoal import pipeline
    from shoal.images.open import open_source
    from shoal.models import checkpoint as checkpoints
    from shoal.training.allocator import keep_large_buffers

    keep_large_buffers()

    def work(_: int) -> dict[str, Any]:
        loaded, source = checkpoints.load(checkpoint), open_source(path)
        began = time.perf_counter()
        finished, table = pipeline.cluster(source, loaded)
        if again:
            table = pipeline.predict(source, finished)
        taken = time.perf_counter() - began
        return {"seconds": taken, "labels": hash(table.labels.tobytes())}

    return work


def codes(paths: list[str], checkpoint: str, output: str) -> Work:
    """Write the codes of the images in ``paths``, those that exist, one after another."""
    import numpy as np

    from shoal.embedding.embed import embed
    from shoal.images.open import open_source
    from shoal.models import checkpoint as checkpoints

    def write(_: int) -> dict[str, Any]:
        loaded = checkpoints.load(checkpoint)
        found = [embed(open_source(path), loaded) for path in paths if Path(path).exists()]
        np.save(output, np.concatenate(found))
        return {"n": sum(map(len, found)), "d": found[0].shape[1]}

    return write


def course(codes: str, way: str, output: str) -> Work:
    """Kernel PCA to 200, t-SNE to 2, mini-batch k-means: shoal's, or scikit-learn's own.

    shoal's t-SNE adds up forces over a tree as scikit-learn's does, or interpolates them on a grid.
    """
    import numpy as np

    z = np.load(codes)
    steps: dict[str, Callable[[Any], Any]]
    if way.startswith("shoal"):
        from shoal.clustering.clusterers import minibatch_kmeans
        from shoal.embedding.reducers import kernel_pca, tsne
        from shoal.recipes.named import BASELINE

        options = BASELINE.reducers[0].options
        steps = {
            "kernel PCA": kernel_pca.build(**options).fit_transform,
            "t-SNE": tsne.build(interpolate="interpolated" in way).fit_transform,
            "k-means": lambda x: minibatch_kmeans.build(n_clusters=2).fit(x).predict(x),
        }
    else:
        from sklearn.cluster import MiniBatchKMeans
        from sklearn.decomposition import KernelPCA
        from sklearn.manifold import TSNE

        steps = {
            "kernel PCA": KernelPCA(200, kernel="rbf", n_jobs=-1, random_state=0).fit_transform,
            "t-SNE": TSNE(n_jobs=-1, random_state=0).fit_transform,
            "k-means": MiniBatchKMeans(2, random_state=0).fit_predict,
        }

    def work(n: int) -> dict[str, Any]:
        x, stages = z[:n], {}
        for name, step in steps.items():
            began = time.perf_counter()
            before, x = x, step(x)
            stages[name] = time.perf_counter() - began
        np.savez(output, plane=before, labels=x)
        return {"seconds": sum(stages.values()), "stages": stages}

    work(300)  # imports what is imported when first needed
    return work


def agreement(codes: str, outputs: list[str], truth: str | None) -> Work:
    """How good the maps and groups of `course` are, and how alike; labels are of the last rows."""
    import numpy as np
    from sklearn.manifold import trustworthiness

    from shoal.scoring import evaluation

    def compare(_: int) -> dict[str, Any]:
        z, found = np.load(codes), [np.load(output) for output in outputs]
        some = np.random.default_rng(0).permutation(len(z))[:3000]
        trust = [trustworthiness(z[some], one["plane"][some], n_neighbors=10) for one in found]
        result: dict[str, Any] = {
            "trustworthiness": [float(value) for value in trust],
            "nmi_between": evaluation.score(found[0]["labels"], found[1]["labels"]).nmi,
        }
        if truth is not None and Path(truth).exists():
            labels = evaluation.load_labels(truth, len(np.load(truth)))
            result["accuracy"] = [
                evaluation.score(one["labels"][-len(labels) :], labels).accuracy for one in found
            ]
        return result

    return compare


class Stages(dict[str, float]):
    """A `Track` that remembers how long each stage took."""

    def __call__(self, items: Iterable[Any], description: str, total: int) -> Iterator[Any]:
        began = time.perf_counter()
        yield from items
        self[description] = time.perf_counter() - began


def growth(path: str, checkpoint: str, steps: int) -> Work:
    """Seconds of a training step and of each stage afterwards, on all images of ``path``."""
    import numpy as np

    from shoal import pipeline
    from shoal.images.array import ArraySource
    from shoal.images.open import open_source
    from shoal.models import checkpoint as checkpoints
    from shoal.training.allocator import keep_large_buffers
    from shoal.training.schedule import batch_size
    from shoal.training.start import start_run

    keep_large_buffers()
    few = ArraySource(np.load(path, mmap_mode="r")[:256].copy())
    pipeline.predict(few, pipeline.cluster(few, checkpoints.load(checkpoint))[0])  # imports

    def work(_: int) -> dict[str, Any]:
        loaded, source = checkpoints.load(checkpoint), open_source(path)
        run = start_run(source, loaded.recipe, "cpu")
        for step in range(1, 3):
            run.take_step(source, step)
        began = time.perf_counter()
        for step in range(3, 3 + steps):
            run.take_step(source, step)
        per_image = (time.perf_counter() - began) / steps / batch_size(loaded.recipe, len(source))
        organising = Stages()
        finished = pipeline.cluster(source, loaded, track=organising)[0]
        predicting = time.perf_counter()
        pipeline.predict(source, finished)
        predicting = time.perf_counter() - predicting
        stages = organising | {"predicting": predicting}
        return {"n": len(source), "training_us_per_image": per_image * 1e6, "seconds": stages}

    return work


def main() -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    work: Work = globals()[sys.argv[1]](**json.loads(sys.argv[2]))
    print("{}", file=answers, flush=True)  # ready
    per_unit = 1024**3 if platform.system() == "Darwin" else 1024**2
    for line in sys.stdin:
        answer = work(int(line))
        usage = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps(answer | {"gb": usage.ru_maxrss / per_unit}), file=answers, flush=True)


if __name__ == "__main__":
    main()
