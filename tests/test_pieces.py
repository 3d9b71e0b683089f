"""A worker opens those shards of a pile in a store alone that hold the images of its task."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fsspec", reason="needs the extra remote")

import fsspec

from shoal.cli.options import OpenOptions
from shoal.cli.sharded import order_for
from shoal.distributed import opening
from shoal.distributed.engine import Engine
from shoal.distributed.parts import Plan, opened
from shoal.distributed.pieces import pieces_of, pieces_with
from shoal.distributed.shards import do_missing
from shoal.distributed.tasks import compare_shard
from shoal.images.open import open_source
from shoal.images.remote.location import location

N_SHARDS, IN_SHARD = 3, 400
"""Tasks are of 512 images: the second begins and ends inside of a shard."""
KINDS = ("tar", "parquet")


class Here(Engine):
    """An engine whose only worker is this process."""

    def do(self, function: Callable[..., Any], tasks: Any) -> Iterator[tuple[Any, Any]]:
        yield from ((task, function(*task)) for task in tasks)


def encoded(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 256, (6, 6), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def shard(kind: str, numbers: range) -> bytes:
    file = io.BytesIO()
    if kind == "parquet":
        pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        pq.write_table(pa.table({"image": [encoded(number) for number in numbers]}), file)
        return file.getvalue()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for number in numbers:
            info, content = tarfile.TarInfo(f"{number:05d}.png"), encoded(number)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


@pytest.fixture(scope="module", params=KINDS)
def pile(request: pytest.FixtureRequest) -> Iterator[Path]:
    """1,200 images in three shards of a store in memory."""
    store = fsspec.filesystem("memory")
    kind = request.param
    for number in range(N_SHARDS):
        rows = range(IN_SHARD * number, IN_SHARD * (number + 1))
        store.pipe(f"/pieces/{kind}-{number}.{kind}", shard(kind, rows))
    yield location(f"memory://pieces/{kind}-*.{kind}")
    store.rm("/pieces", recursive=True)


def test_the_parts_are_those_of_the_whole_pile(
    pile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_source(pile, cache=False)
    plan = Plan("duplicates", source.digest(), len(source))
    written: list[list[bytes]] = []
    asked: list[Any] = []

    def spied(path: Any, **options: Any) -> Any:
        asked.append([part.name for part in path.only])
        return open_source(path, **options)

    monkeypatch.setattr(opening, "open_source", spied)
    for node in (None, "elsewhere"):
        opening._pile.cache_clear()
        opening._piece.cache_clear()
        order = order_for(pile, source, None, OpenOptions(cache=False))
        if node is not None:
            order = replace(order, node=node)
        with opened(tmp_path / f"{node}.csv", plan) as parts:
            do_missing(source, order, parts, Here("local", 1, "cpu"), work=compare_shard)
            written.append([parts.path(n).read_bytes() for n in range(plan.n_shards)])
            assert plan.n_shards == 3
    assert written[0] == written[1]
    assert asked[0] == []  # the machine of the command opens the pile whole, once
    assert [len(names) for names in asked[1:]] == [1, 1, 1]  # each shard once, and nothing else


def test_tasks_are_given_the_shards_with_their_images(pile: Path) -> None:
    pieces = pieces_of(pile, open_source(pile, cache=False))
    assert [(piece.first, piece.stop) for piece in pieces] == [(0, 400), (400, 800), (800, 1200)]
    for start, stop, numbers in ((0, 512, [0, 1]), (400, 800, [1]), (1024, 1200, [2])):
        assert [pieces.index(piece) for piece in pieces_with(pieces, start, stop)] == numbers
