"""The review of a fitted estimator: a person corrects its clusters on a page in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted

from shoal.clustering.digest import clustering_digest
from shoal.corrections.journal_file import begin_with, journal_beside
from shoal.corrections.kept import free_beside, kept_aside
from shoal.embedding.table import ImageTable
from shoal.errors import DataError, OutputError
from shoal.estimator.checkpoint_estimator import CheckpointEstimator
from shoal.models import checkpoint as checkpoints
from shoal.progress import Reporter
from shoal.protocols import FloatArray, IntArray, Track

if TYPE_CHECKING:
    from shoal.review.notebook import ShownReview


class ReviewedEstimator(CheckpointEstimator):
    """A `CheckpointEstimator` whose clusters a person can correct."""

    _fitted_on: Any = None
    """The ``X`` of `fit`, for `review`; it is not pickled."""
    _loaded_from: Path | None = None
    """The file that was loaded, which `review` goes on with; None after `fit`."""
    labels_: IntArray
    confidence_: FloatArray
    ids_: Sequence[str]

    def review(
        self, X: Any = None, *, path: str | Path | None = None, force: bool = False, port: int = 0
    ) -> ShownReview:
        """Show the page on which a person corrects the clusters: in a notebook as a frame.

        What the person says is kept beside the checkpoint at ``path`` as it is said, such as in
        ``reviewed.corrections.jsonl``, and is there when the review is opened again. Corrections
        from another place that `load` or `fit` was given are copied there first. The page is
        served to the machine of this process alone; to see it from another one, bring its port
        there: ``ssh -L PORT:localhost:PORT HOST``.

        Args:
            X: the images; by default those of `fit`.
            path: where the checkpoint is written, if it is not there. By default the file that was
                loaded, and ``reviewed.pth`` after `fit`.
            force: replace another checkpoint at ``path``, such as that of an earlier `fit`, and
                carry what was said of its clusters over to these. The other checkpoint is kept with
                its corrections as ``reviewed-1.pth``; a review of it in this process ends.
            port: where to listen; 0: where the same review listened before, or any that is free.

        Returns:
            What a notebook shows as a frame. Its text tells the address elsewhere; ``close()`` ends
            the review.

        Raises:
            DataError: no images are given after `load`, or see `predict`.
            OutputError: ``path`` holds another checkpoint and ``force`` is not given, or
                corrections that do not go on from those that were given, or another process
                reviews it.
        """
        from shoal.review.notebook import end, show

        check_is_fitted(self)
        if X is None and self._fitted_on is None:
            raise DataError("X must be given: the images of fit are not known any more.")
        source, device, track = self._open(self._fitted_on if X is None else X)
        path = Path(path or self._loaded_from or "reviewed.pth")
        other = path.exists() and clustering_digest(checkpoints.load(path)) != clustering_digest(
            self.checkpoint_
        )
        if other and not force:
            raise OutputError(
                f"{path} holds another checkpoint; force=True keeps it as {free_beside(path).name} "
                "and carries the corrections over to this one, or name another path."
            )
        if other:
            end(path)
        with kept_aside(path) if other else nullcontext():
            if other or not path.exists():
                self.save(path, force=other)
            if self.corrections_ is not None:
                begin_with(journal_beside(path), self.corrections_.path)
            return show(source, self.checkpoint_, path, device=device, port=port, track=track)

    def _keep(self, X: Any, table: ImageTable, track: Track) -> None:
        """Keep what `fit` found, and show what a person should know of it."""
        self._fitted_on, self._loaded_from = X, None
        self.labels_, self.confidence_, self.ids_ = table.labels, table.confidence, table.ids
        if isinstance(track, Reporter):
            facts = self.checkpoint_.facts
            if facts.metric is not None and facts.metric.reason:
                track.say(facts.metric.explained)
            if facts.chosen is not None:
                track.say(facts.chosen.reason)
            track.warn(*facts.warnings)

    def __getstate__(self) -> Any:
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_fitted_on"}
