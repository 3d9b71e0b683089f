"""The request for a training run, checked before any work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from shoal.clustering.choose_k import AUTO, check_enough
from shoal.clustering.choose_metric import check_spread
from shoal.errors import RecipeError
from shoal.images.checks import check_n_clusters
from shoal.images.vectors.source import VectorSource
from shoal.protocols import ImageSource, IntArray
from shoal.recipes.asked_views import AskedViews
from shoal.recipes.efforts import DEFAULT_EFFORT, with_effort
from shoal.recipes.metric import with_metric
from shoal.recipes.named import DEFAULT
from shoal.recipes.recipe import Recipe, check_for_vectors, check_trainable
from shoal.recipes.resolve import check_length, resolve
from shoal.recipes.settings import changes
from shoal.training.devices import resolve_device
from shoal.training.start import start_run

MOST_CLUSTERED = 200_000
"""With --ray, clusters of a larger pile are found in a random sample of so many images."""


@dataclass(frozen=True)
class Request:
    """The options of a training run, see ``shoal train --help``."""

    recipe: str | Recipe | None = None
    """The recipe's name; None: `best`, with views that shoal chooses by the pile. Or a recipe
    without an encoder, for vectors from elsewhere."""
    epochs: float | None = None
    minutes: float | None = None
    seed: int | None = None
    clusters: int | str | None = None
    """A number, or ``auto``: chosen after training, see `choose_k`."""
    resume: bool = False
    device: str = "auto"
    settings: tuple[str, ...] = ()
    low_memory: bool = False
    force: bool = False
    """Replace what another run left."""
    began: float | None = None
    """When the command began, by `time.monotonic`: --minutes count from there."""
    hands_over: bool = False
    """Whether a prediction, a map and a report follow, within the minutes."""
    effort: str = DEFAULT_EFFORT
    """quick, default or thorough, see `EFFORTS`. What is asked besides goes before."""
    orientation: str | None = None
    """free, upright or auto; None: auto, or the named recipe's."""
    intensity: str | None = None
    """matters, varies, ignored or auto; None: auto, or the named recipe's."""
    colours: str | None = None
    """yes, no or auto: whether three channels are colours; None: auto."""
    noise: str | None = None
    """off, auto or a share; None: the recipe's."""
    metric: str | None = None
    """auto, cosine or euclidean, of vectors; None: auto, unless a setting names the reducers."""
    pictures: Path | None = None
    """The images that are shown for vectors."""
    tensorboard: Path | None = field(default=None, compare=False)
    """The folder in which TensorBoard is shown the training; None: it is not."""
    ray: str | None = field(default=None, compare=False)
    """The address of a Ray cluster, ``local`` for this machine; None: this process trains."""
    workers: int | None = field(default=None, compare=False)
    """How many processes train, with ``ray``; None: as many as it has cores or GPUs."""
    reopen: Callable[[], ImageSource] | None = field(default=None, compare=False)
    """Opens the images again, in a process that shares the training."""
    groups: IntArray | None = field(default=None, compare=False)
    """int64 (n,): the group of each image that a person decided, else -1; None: nothing is told."""

    def resolve(self) -> Recipe:
        """The recipe with all that was asked; not yet with views that suit the images.

        Raises:
            RecipeError: something unknown, out of range, or asked twice.
        """
        if self.resume and self.force:
            raise RecipeError("--resume goes on and --force begins anew; give one of them.")
        check_length(self.epochs, self.minutes)
        given: dict[str, tuple[str, Any]] = {}
        if self.epochs is not None:
            given["epochs"] = ("epochs", self.epochs)
        if self.minutes is not None:
            given["minutes"] = ("epochs", None)
        if self.seed is not None:
            given["seed"] = ("seed", self.seed)
        if self.noise is not None:
            given["noise"] = ("noise", self.noise)
        if self.clusters is not None:
            given["n_clusters"] = ("n_clusters", None if self.auto else self.clusters)
        if self.metric is not None:
            given["metric"] = ("reducers", None)
        recipe = resolve(DEFAULT if self.recipe is None else self.recipe, self.settings, given)
        if self.metric is not None:
            recipe = with_metric(recipe, self.metric)
        if not self._length_is_asked:
            recipe = with_effort(recipe, self.effort)
        if isinstance(self.recipe, Recipe):
            check_for_vectors(recipe, self.recipe)
        else:
            check_trainable(recipe)
        _ = self.views
        return recipe

    @property
    def views(self) -> AskedViews:
        """What is asked of the views.

        Raises:
            RecipeError: something unknown.
        """
        return AskedViews.of(
            self.orientation, self.intensity, self.settings, recipe_named=self.recipe is not None
        )

    @property
    def auto_metric(self) -> bool:
        """Whether the metric of vectors is to be chosen."""
        return self.metric == AUTO if self.metric else not changes(self.settings, "reducers")

    @property
    def keeps_better(self) -> bool:
        """Whether pixels may stand beside or in place of what was learned: no recipe is named."""
        return self.recipe is None and not any(
            changes(self.settings, field) for field in ("embedding", "reducers", "clusterer")
        )

    def as_kept(self, recipe: Recipe, there: Recipe) -> Recipe:
        """The recipe with the embedding that the finished run ``there`` chose, if it was to."""
        if not self.keeps_better:
            return recipe
        return replace(
            recipe, embedding=there.embedding, reducers=there.reducers, clusterer=there.clusterer
        )

    @property
    def _length_is_asked(self) -> bool:
        asked = self.epochs is not None or self.minutes is not None
        return asked or changes(self.settings, "epochs")

    @property
    def priority(self) -> str:
        """What goes before the effort that is asked for, as a sentence; empty if nothing does."""
        if not self._length_is_asked or self.effort == DEFAULT_EFFORT:
            return ""
        flag = "--minutes" if self.minutes is not None else "--epochs"
        if flag == "--epochs" and self.epochs is None:
            flag = "--set epochs"
        rest = "; large images are seen at 64 pixels a side" if self.effort == "thorough" else ""
        return f"{flag} goes before --{self.effort} in how long to train{rest}"

    @property
    def length_is_default(self) -> bool:
        """Whether nothing was said of how long to train."""
        return not self._length_is_asked and self.effort == DEFAULT_EFFORT

    @property
    def most_clustered(self) -> int | None:
        """The most images that are clustered at once; None: all. See `MOST_CLUSTERED`."""
        return None if self.ray is None else MOST_CLUSTERED

    @property
    def n_clusters(self) -> int:
        """The number of clusters that is asked for; 1 if it is another's to say."""
        return self.clusters if isinstance(self.clusters, int) else 1

    @property
    def auto(self) -> bool:
        """Whether the number of clusters is to be chosen."""
        return self.clusters == AUTO


def rehearse(source: ImageSource, request: Request) -> None:
    """Fail now, before anything older makes room, if training could not begin.

    Raises:
        ShoalError: see `train`.
    """
    recipe = request.resolve()
    check_n_clusters(recipe.n_clusters, len(source), recipe.kind)
    if request.auto:
        check_enough(len(source), recipe.kind)
    if isinstance(source, VectorSource):
        check_spread(source, recipe, auto=request.auto_metric)
        return
    start_run(source, recipe, resolve_device(request.device), groups=request.groups)
