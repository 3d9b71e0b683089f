"""How a worker opens the pile as the command did, and sees that it is the same."""

from __future__ import annotations

import contextlib
import hashlib
import platform
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from shoal import __version__
from shoal.distributed.order import cannot_open, check_version
from shoal.distributed.parts import Parts
from shoal.distributed.pieces import Piece
from shoal.errors import DistributedError, ShoalError
from shoal.images.files import digest_of
from shoal.images.joined import Joined
from shoal.images.open import open_source
from shoal.images.pixel_range import PixelRange
from shoal.images.remote import given_up
from shoal.images.remote.listing import only
from shoal.images.remote.location import Location
from shoal.images.subset import Subset
from shoal.images.vectors.open import known_columns, open_vectors
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.facts import Origin
from shoal.protocols import ImageSource
from shoal.search.copies import content_of


@dataclass(frozen=True)
class Order:
    """How the command opened its pile: what travels to a worker in place of the images."""

    data: Path
    checkpoint: str | None = None
    vectors: bool = False
    """Whether ``data`` holds vectors from elsewhere."""
    array: str | None = None
    channels: str | None = None
    every: Any = None
    pages: Any = "auto"
    size: int | None = None
    cache: bool = True
    device: str = "cpu"
    image_shape: tuple[int, int, int] | None = None
    """That of the images in a store, whose shards are opened each by itself; and their range."""
    pixel_range: PixelRange | None = None
    fit: str | None = None
    """How images are brought to their shape: as asked, or in a store as the whole pile was."""
    without: frozenset[Location] = frozenset()
    """The files of a store that the command did without, and the workers do."""
    node: str = field(default_factory=platform.node)
    """The machine of the command, where the decoded images are."""
    version: str = __version__


@dataclass(frozen=True)
class Shard:
    """A task: some rows of the pile, and what the command saw in them."""

    number: int
    start: int
    stop: int
    digest: str
    pieces: tuple[Piece, ...] = ()
    """The shards of a store that its images are in; none: the pile is opened as a whole."""

    def __str__(self) -> str:
        return f"images {self.start:,} to {self.stop - 1:,}"


def shard_digest(source: ImageSource, start: int, stop: int) -> str:
    """What tells the images of some rows from others: a digest of their ids and pixels."""
    digest = hashlib.blake2b("\0".join(source.ids[start:stop]).encode("utf-8", "surrogatepass"))
    for first in range(start, stop, 1024):
        rows = np.arange(first, min(first + 1024, stop))
        digest.update(np.ascontiguousarray(content_of(source, rows)).data)
    return digest.hexdigest()


def rows_of(order: Order, parts: Parts, shard: Shard) -> tuple[Subset, Checkpoint | None]:
    """The images of a shard.

    Raises:
        DistributedError: they are others than the command saw.
    """
    plan = parts.plan
    given_up.leave_alone(order.without)
    try:
        if shard.pieces and platform.node() != order.node:
            some = _of_pieces(order, plan.pile, plan.checkpoint, shard)
            if some is not None:
                return some
        source, checkpoint = _pile(order, plan.pile, plan.checkpoint)
        same = len(source) == plan.n_images
        same = same and shard_digest(source, shard.start, shard.stop) == shard.digest
    except DistributedError:
        raise
    except ShoalError as error:
        raise DistributedError(cannot_open(error)) from error
    if not same:
        raise DistributedError(
            f"a worker on {platform.node()} sees other images in {order.data} than the command "
            f"({shard}); let all machines see the same files, and change none while they are read."
        )
    return Subset(source, np.arange(shard.start, shard.stop)), checkpoint


def _of_pieces(
    order: Order, pile: str, checkpoint: str, shard: Shard
) -> tuple[Subset, Checkpoint | None] | None:
    """The images of a shard from the files of the store that they are in, each opened by itself.

    None if these are others than the command saw: then the whole pile tells what is wrong.
    """
    opened = [_piece(order, piece, pile, checkpoint) for piece in shard.pieces]
    sources = [source for source, _ in opened]
    first = shard.pieces[0].first
    if any(
        len(source) != piece.stop - piece.first
        for source, piece in zip(sources, shard.pieces, strict=True)
    ):
        return None
    rows = np.arange(shard.start - first, shard.stop - first)
    some = Subset(sources[0] if len(sources) == 1 else Joined(sources), rows)
    if shard_digest(some, 0, len(some)) != shard.digest:
        return None
    return some, opened[0][1]


@lru_cache(maxsize=4)
def _piece(
    order: Order, piece: Piece, pile: str, checkpoint: str
) -> tuple[ImageSource, Checkpoint | None]:
    """A file of a store, decoded once on a machine."""
    check_version(order.version)
    loaded = None if order.checkpoint is None else checkpoint_at(order.checkpoint, checkpoint)
    with _by_itself(f"{pile[:16]}-{piece.first}"):
        return _opened(replace(order, data=only(order.data, [piece.shard])), loaded), loaded


@lru_cache(maxsize=1)
def _pile(order: Order, pile: str, checkpoint: str) -> tuple[ImageSource, Checkpoint | None]:
    """What this process opened for a task before is still open for the next."""
    check_version(order.version)
    loaded = None if order.checkpoint is None else checkpoint_at(order.checkpoint, checkpoint)
    with _by_itself(pile[:16]):
        return _opened(order, loaded), loaded


def _opened(order: Order, checkpoint: Checkpoint | None) -> ImageSource:
    if order.vectors:
        origin = Origin() if checkpoint is None else checkpoint.origin
        columns = known_columns(order.data, origin.column, origin.id_column)
        return open_vectors(order.data, array=order.array, **columns)
    known: dict[str, Any] = {"size": order.size, "fit": order.fit}
    if order.image_shape is not None:
        known = {
            "image_shape": order.image_shape, "pixel_range": order.pixel_range, "fit": order.fit,
        }  # fmt: skip
    elif checkpoint is not None:
        known = {
            "image_shape": checkpoint.image_shape, "pixel_range": checkpoint.pixel_range,
            "fit": checkpoint.fit,
        }  # fmt: skip
    return open_source(
        order.data, array=order.array, channels=order.channels, every=order.every,
        pages=order.pages, cache=order.cache, **known,
    )  # fmt: skip


@lru_cache(maxsize=1)
def checkpoint_at(path: str, digest: str) -> Checkpoint:
    """The checkpoint of a file.

    Raises:
        DistributedError: it is another one than the command saw.
    """
    try:
        same = digest_of(Path(path)) == digest
    except OSError:
        same = False
    if not same:
        raise DistributedError(
            f"a worker on {platform.node()} sees another file at {path} than the command; let all "
            "machines see the same files."
        )
    return checkpoints.load(path)


@contextlib.contextmanager
def _by_itself(what: str) -> Iterator[None]:
    """One process of a machine at a time: the first decodes the images, the others find them."""
    try:
        import fcntl

        file = (Path(tempfile.gettempdir()) / f"shoal-opens-{what}").open("w")
    except (ImportError, OSError):  # each decodes for itself
        yield
        return
    with file:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
        with contextlib.suppress(OSError):
            Path(file.name).unlink()
