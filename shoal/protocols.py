"""The nouns of shoal. Read this first; `pipeline.py` is the sentence they form.

Shapes: ``n`` images, a batch of ``b`` images, ``H`` × ``W`` pixels, ``C`` channels (1 to 64),
``d`` numbers in an embedding, ``k`` clusters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

if TYPE_CHECKING:
    from shoal.images.decoding.form import Encoded

Array: TypeAlias = npt.NDArray[Any]
FloatArray: TypeAlias = npt.NDArray[np.float32]
IntArray: TypeAlias = npt.NDArray[np.int64]
Item = TypeVar("Item")


class Originals(Protocol):
    """The images of a source as they were before shoal resized them. They are only read."""

    path: Path | None
    """The path that the source was opened from; None for images that came as an array."""

    def file(self, index: int) -> Path | None:
        """The file on disk that holds image ``index``, links followed; None if there is none."""
        ...

    def place(self, index: int) -> tuple[Path, str] | None:
        """The file on disk that image ``index`` is in, links followed, whether it is there or not.

        With it comes the name of the image within the file, empty unless the file holds several.
        None where images have no files of their own.
        """
        ...

    def content(self, index: int) -> bytes:
        """Image ``index`` encoded, as a file would hold it.

        Raises:
            DataError: it is no longer where it was when the source was opened.
        """
        ...

    def encoded(self, index: int) -> Encoded | None:
        """Image ``index`` as it is kept, whole and not decoded; why not, if it is no longer there.

        None where there is no more of it than the pixels that the source reads.
        """
        ...

    def suffix(self, index: int) -> str:
        """The suffix for a file with this content, such as ``.jpg``."""
        ...

    def size(self, index: int) -> tuple[int, int]:
        """Width and height in pixels."""
        ...

    def n_bytes(self) -> IntArray | None:
        """The size of each image's file, int64 (n,); None where the images are not files."""
        ...

    def describe(self) -> str:
        """How `content` encodes the images, as a phrase."""
        ...


@runtime_checkable
class ImageSource(Protocol):
    """A pile of images, read a batch at a time."""

    ids: Sequence[str]
    """One stable name an image: the row number, or the path relative to the folder."""
    shape: tuple[int, int, int]
    """(H, W, C) of every image."""
    skipped: Sequence[tuple[str, str]]
    """(name, reason) of each file that could not be read and is not in the pile."""

    def __len__(self) -> int: ...

    @property
    def originals(self) -> Originals:
        """The images before they were resized; see `shoal.images.originals`."""
        ...

    def read(self, indices: Array) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
        """Return images ``indices`` (b,) as (b, H, W, C).

        8-bit images are uint8, as they are. Others are uint16: 0 is black and 65535 white in the
        range of their pile, see `shoal.images.pixel_range`. `shoal.images.tensors.to_float` brings
        both to [0, 1].
        """
        ...

    def digest(self) -> str:
        """SHA-256 of the pixels: the same images in the same order have the same digest.

        The source computes it once.
        """
        ...


class Encoder(torch.nn.Module):
    """An autoencoder: images to a latent code and back. Subclasses define the two halves."""

    n_features: int
    """d, the length of the latent code."""
    any_size: bool = True
    """Whether images of other sizes than it was made for can be encoded, too."""

    def encode(self, x: Tensor) -> Tensor:
        """Images float (b, C, H, W) in [0, 1] to latent codes float (b, d)."""
        raise NotImplementedError

    def decode(self, z: Tensor) -> Tensor:
        """Latent codes float (b, d) to reconstructions float (b, C, H, W) in [0, 1]."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """The reconstruction of ``x``."""
        return self.decode(self.encode(x))


@dataclass(frozen=True)
class Workers:
    """The processes that train together. Each takes its share of the images of a step.

    Every worker computes the loss of the whole batch, from its own views and from what the others
    hand over. The gradient reaches its own views alone, so that the sum of all workers' gradients
    is that of one process. This class is the one process that trains alone: nothing is handed
    over. `shoal.training.workers` has the others.
    """

    rank: int = 0
    """Which of them this process is; 0 alone speaks and writes."""
    size: int = 1
    n_images: int = 0
    """The images of a step, of all workers together; 0: those that this one has."""

    @property
    def own(self) -> slice:
        """Which of the images of a step are this worker's. The shares follow one another."""
        return slice(None) if self.size == 1 else self.share(self.rank)

    def share(self, rank: int) -> slice:
        """Which of the images of a step are of worker ``rank``."""
        return slice(*(self.n_images * border // self.size for border in (rank, rank + 1)))

    def gather(self, x: Tensor, dim: int = 0) -> Tensor:
        """What all workers hold of the images along ``dim``; the gradient reaches ``x`` alone."""
        return x

    def total(self, x: Tensor) -> Tensor:
        """The sum over all workers; the gradient reaches ``x`` alone."""
        return x

    def of_first(self, value: Item) -> Item:
        """The value that worker 0 has."""
        return value


@dataclass
class Batch:
    """The views of a training step, as an objective sees them.

    ``views``: float (v, b, C, H, W) in [0, 1], ``v`` augmented views of the same ``b`` images.
    ``targets``: the same views after the geometric augmentations alone: what a denoising
    autoencoder should give back.
    ``z``: float (e, b, d), the latent codes of the first ``e`` views: as many as the objectives
    ask for.
    ``local_crops``: float (s, b, C, h, w) in [0, 1], ``s`` local crops of each image, 0 or more.
    ``groups``: int64 (b,), the groups of images where these are known, else -1; None: of none.
    ``workers``: those that hold the rest of the step's images, if several train together.
    """

    views: Tensor
    targets: Tensor
    z: Tensor
    local_crops: Tensor
    groups: Tensor | None = None
    workers: Workers = field(default_factory=Workers)


class Objective(torch.nn.Module):
    """A loss, with whatever it owns: a projection head, a queue, a momentum encoder."""

    n_views: int
    """How many views of an image it needs, at least."""
    n_encoded: int
    """How many of them the encoder itself must encode."""
    weight: float
    """Its factor in the total loss."""
    learns_from_local_crops: bool = False
    """Whether it uses local crops."""
    learns_from_groups: bool = False
    """Whether it uses the groups of images where these are known."""
    has_head: bool = False
    """Whether it owns a projection head, which `project` applies."""

    def forward(self, encoder: Encoder, batch: Batch) -> Tensor:
        """The loss, a scalar, before ``weight``."""
        raise NotImplementedError

    def after_step(self, encoder: Encoder) -> None:
        """Called after each optimiser step, for moving averages."""

    def project(self, z: Tensor) -> Tensor:
        """The projection head's output for codes ``z`` (b, d)."""
        raise NotImplementedError


class Fitted(Protocol):
    """Something whose learned state is a dictionary of arrays."""

    def get_arrays(self) -> dict[str, Array]: ...

    def set_arrays(self, arrays: dict[str, Array]) -> Self: ...


class Reducer(Fitted, Protocol):
    """Fewer numbers an image, the scikit-learn way."""

    def fit_transform(self, x: FloatArray) -> FloatArray:
        """Learn from ``x`` float32 (n, d) and return it reduced, float32 (n, d')."""
        ...

    def transform(self, x: FloatArray) -> FloatArray:
        """Reduce ``x`` float32 (m, d), new images among them, to float32 (m, d')."""
        ...


class Clusterer(Fitted, Protocol):
    """Groups, and how surely each image belongs to each."""

    reference: FloatArray
    """The points it was fitted on, float32 (m, d): all of them, or a fair sample of very many."""
    n_candidates: int
    """How many ways to divide the points it found; candidate 0 is the choice."""
    separation: FloatArray
    """How well each stands out, float32 (n_candidates,) in [0, 1]."""
    n_clusters: int
    by_size: bool
    """Whether its groups are numbered by their sizes already, the largest first."""

    def remember(self, x: FloatArray) -> Self:
        """Keep ``x`` float32 (n, d), or a sample of very many, as the reference."""
        ...

    def fit(self, x: FloatArray) -> Self:
        """Find the groups of ``x`` float32 (n, d)."""
        ...

    def reordered(self, order: Sequence[int]) -> Self:
        """Another clusterer, with the candidates, each once, in this order."""
        ...

    def predict(self, x: FloatArray, candidate: int = 0) -> IntArray:
        """The most likely group of each point of ``x`` float32 (m, d), int64 (m,)."""
        ...

    def predict_proba(self, x: FloatArray, candidate: int = 0) -> FloatArray:
        """Memberships float32 (m, k), rows summing to 1, of ``x`` float32 (m, d)."""
        ...

    def predict_proba_each(self, x: FloatArray) -> Iterator[FloatArray]:
        """`predict_proba` under each candidate; what they share is computed once."""
        ...


class Track(Protocol):
    """Shows progress while an iterable is consumed, as ``tqdm`` does."""

    def __call__(self, items: Iterable[Item], description: str, total: int) -> Iterable[Item]: ...


def silent(items: Iterable[Item], description: str, total: int) -> Iterable[Item]:
    """The `Track` that shows nothing."""
    return items
