"""The parts of an output, a Parquet file a shard, and the plan that says of what they are.

A part is written under another name and renamed when it is whole. So what is missing is still to be
done, and what is there is done, whatever was killed in between.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shoal import __version__
from shoal.embedding.embed import BATCH, BLOCK
from shoal.errors import Interrupted, LostError, OutputError, ShoalError
from shoal.images.files import atomic_path, locked, sweep

MOST = BLOCK
"""The most images of a shard: what a worker has in memory of the embedding."""
_FEWEST_SHARDS = 32
"""A small pile has so many, so that workers end at about the same time."""
_PLAN = "plan.json"
_OF_PLAN = b"shoal_plan"


def shard_size(n_images: int) -> int:
    """Images of a shard, a whole number of batches: by the size of the pile alone.

    Not by the number of workers: another number goes on with the same parts.

    >>> [shard_size(n) for n in (100, 20_000, 200_000, 100_000_000)]
    [512, 1024, 6656, 16384]
    """
    batches = -(-n_images // (_FEWEST_SHARDS * BATCH))
    return min(MOST, max(1, batches) * BATCH)


@dataclass(frozen=True)
class Plan:
    """What the parts in a folder are of. Parts of two plans are never mixed."""

    output: str
    """``predict`` or ``duplicates``."""
    pile: str
    """The digest of the pile."""
    n_images: int
    checkpoint: str = ""
    """The digest of its file; empty without one."""
    n_clusters: int | None = None
    split: int = 1
    familiarity: bool = False
    version: str = __version__

    @property
    def size(self) -> int:
        """Images of a shard; the last has the rest."""
        return shard_size(self.n_images)

    @property
    def n_shards(self) -> int:
        return -(-self.n_images // self.size)

    def differs_in(self, other: Plan) -> str:
        """The first thing that another plan has otherwise, in words."""
        words = {
            "output": "for another command", "pile": "of other images",
            "n_images": "of other images", "checkpoint": "of another checkpoint",
            "n_clusters": "with another -k", "split": "with another --split",
            "familiarity": "of another checkpoint", "version": "by another version of shoal",
        }  # fmt: skip
        mine, theirs = asdict(self), asdict(other)
        return next(said for name, said in words.items() if mine[name] != theirs[name])


@dataclass(frozen=True)
class Parts:
    """The folder of the parts of an output, ``OUT.parts``."""

    folder: Path
    plan: Plan

    def path(self, number: int) -> Path:
        """The part of a shard, numbered from 0."""
        digits = max(5, len(str(self.plan.n_shards)))
        return self.folder / (
            f"part-{number + 1:0{digits}d}-of-{self.plan.n_shards:0{digits}d}.parquet"
        )

    def rows(self, number: int) -> tuple[int, int]:
        """The first image of a shard, and the one after its last."""
        start = number * self.plan.size
        return start, min(start + self.plan.size, self.plan.n_images)

    def metadata(self) -> dict[bytes, bytes]:
        """What a part says of itself."""
        return {_OF_PLAN: json.dumps(asdict(self.plan)).encode()}

    def is_whole(self, number: int) -> bool:
        """Whether a part is there, of this plan, with a row for each image of its shard."""
        import pyarrow.parquet as pq

        start, stop = self.rows(number)
        try:
            about = pq.read_metadata(self.path(number))
        except (OSError, ValueError):  # pyarrow's own errors are among these
            return False
        ours = (about.metadata or {}).get(_OF_PLAN) == self.metadata()[_OF_PLAN]
        return ours and about.num_rows == stop - start

    def missing(self) -> list[int]:
        """The shards that are still to be done."""
        return [number for number in range(self.plan.n_shards) if not self.is_whole(number)]

    def read(self, columns: list[str] | None = None) -> Iterator[tuple[int, int, Any]]:
        """The parts in order: first image, the one after the last, and an Arrow table."""
        import pyarrow.parquet as pq

        for number in range(self.plan.n_shards):
            yield *self.rows(number), pq.read_table(self.path(number), columns=columns)


@contextlib.contextmanager
def opened(out: Path, plan: Plan, *, force: bool = False) -> Iterator[Parts]:
    """The parts of the output ``out``, for this command alone; removed when the block succeeds.

    Where it is refused before any part was written, nothing is left either.

    Args:
        out: what is made of the parts.
        plan: what they are to be of.
        force: whether parts of another plan may be removed.

    Raises:
        OutputError: parts of another plan are there, another command writes them, or the folder
            cannot be written.
    """
    folder = out.with_name(f"{out.name}.parts")
    with locked(folder, str(out)):
        _check_plan(folder, plan, force)
        sweep(folder)
        with atomic_path(folder / _PLAN) as temporary:
            temporary.write_text(json.dumps(asdict(plan), indent=2) + "\n", encoding="utf-8")
        parts = Parts(folder, plan)
        try:
            yield parts
        except ShoalError as error:
            stopped = isinstance(error, Interrupted) or isinstance(error.__cause__, LostError)
            if not stopped and len(parts.missing()) == plan.n_shards:  # refused: nothing to keep
                _remove(folder)
            raise
        _remove(folder)


def _check_plan(folder: Path, plan: Plan, force: bool) -> None:
    path = folder / _PLAN
    if not path.exists():
        if any(folder.iterdir()):
            raise OutputError(
                f"{folder} exists, and shoal did not write it; rename it, or name another output."
            )
        return
    try:
        there = Plan(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise OutputError(f"{path} is damaged; remove {folder}, and run again.") from None
    if there == plan:
        return
    if not force:
        raise OutputError(
            f"{folder} holds parts {plan.differs_in(there)}; remove it, add force=True, or name "
            "another output."
        )
    _remove(folder)


def _remove(folder: Path) -> None:
    """Remove what `Parts` wrote; whatever else a person put there stays."""
    for pattern in ("part-*-of-*.parquet", _PLAN):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
    sweep(folder)
    with contextlib.suppress(OSError):
        folder.rmdir()
