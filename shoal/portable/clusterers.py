"""Clusterers in the graph: memberships as `predict_proba` of each gives them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from shoal.clustering.clusterers._base import BaseClusterer, CentroidClusterer, VotingClusterer
from shoal.clustering.clusterers.gaussian_mixture import GaussianMixture
from shoal.clustering.clusterers.projection_pursuit import ProjectionPursuit
from shoal.clustering.clusterers.streamed_kmeans import StreamedKMeansClusterer
from shoal.errors import CheckpointError
from shoal.portable.reducers import squared_distances
from shoal.protocols import Array, Clusterer


def clusterer_module(clusterer: Clusterer, candidate: int = 0) -> nn.Module:
    """A fitted clusterer as a module: float32 (b, d) to memberships float32 (b, k).

    Args:
        clusterer: fitted; its clusters keep its own numbers.
        candidate: which way to divide the pile, from 0.

    Raises:
        CheckpointError: it is of a kind that has no mirror here.
    """
    if isinstance(clusterer, BaseClusterer) and clusterer.points_ is not None:
        return PointsModule(clusterer.points_, clusterer.n_clusters)
    if isinstance(clusterer, CentroidClusterer):
        return CentresModule(clusterer)
    if isinstance(clusterer, StreamedKMeansClusterer):
        return NearestModule(clusterer)
    if isinstance(clusterer, GaussianMixture):
        return MixtureModule(clusterer)
    if isinstance(clusterer, ProjectionPursuit) and len(clusterer.weights_):
        return LineModule(clusterer, candidate)
    if isinstance(clusterer, VotingClusterer):
        return VotesModule(clusterer, candidate)
    raise CheckpointError(f"clusters of {type(clusterer).__name__} cannot be exported.")


class PointsModule(nn.Module):
    """No more points that differ than clusters: memberships by inverse squares of distances."""

    points: Tensor

    def __init__(self, points: Array, n_clusters: int) -> None:
        super().__init__()
        self.register_buffer("points", _double(points))
        self.n_empty = n_clusters - len(points)

    def forward(self, x: Tensor) -> Tensor:
        squared = (x[:, None].double() - self.points[None]).square().sum(2)
        shares = 1.0 / torch.maximum(squared, (1e-12 * squared.max()).clamp(min=1e-24))
        found = shares / shares.sum(1, keepdim=True)
        return nn.functional.pad(found, (0, self.n_empty)).float()


class CentresModule(nn.Module):
    """`CentroidClusterer`: an equal mixture of spherical Gaussians at the centres."""

    centres: Tensor
    half_lengths: Tensor

    def __init__(self, fitted: CentroidClusterer) -> None:
        super().__init__()
        self.register_buffer("centres", _double(fitted.centres_))
        self.register_buffer("half_lengths", 0.5 * self.centres.square().sum(1))
        self.variance = float(fitted.variance_)

    def forward(self, x: Tensor) -> Tensor:
        logits = (x.double() @ self.centres.T - self.half_lengths) / self.variance
        return torch.softmax(logits, 1).float()


class NearestModule(nn.Module):
    """`StreamedKMeansClusterer`: a point belongs to the two nearest centres alone."""

    centres: Tensor

    def __init__(self, fitted: StreamedKMeansClusterer) -> None:
        super().__init__()
        if fitted.coarse_ is not None:
            raise CheckpointError(
                f"{fitted.n_clusters:,} clusters cannot be exported: the nearest is looked for in "
                "an index of faiss."
            )
        self.register_buffer("centres", _double(fitted.centres.points))
        self.twice_variance = 2.0 * float(fitted.variance_)

    def forward(self, x: Tensor) -> Tensor:
        squared = (x[:, None].double() - self.centres[None]).square().sum(2)
        if len(self.centres) == 1:
            return torch.ones_like(squared).float()
        near, groups = squared.topk(2, dim=1, largest=False)
        own = torch.sigmoid((near[:, 1:] - near[:, :1]) / self.twice_variance)
        found = torch.zeros_like(squared).scatter(1, groups, torch.cat([own, 1.0 - own], dim=1))
        return found.float()


class MixtureModule(nn.Module):
    """`GaussianMixture`: the posterior of the components."""

    means: Tensor
    precisions: Tensor
    constants: Tensor

    def __init__(self, fitted: GaussianMixture) -> None:
        super().__init__()
        means, precisions = _double(fitted.means_), _double(fitted.precisions_cholesky_)
        n_clusters, n_dimensions = means.shape
        self.full = fitted.covariance in ("full", "tied")
        if fitted.covariance == "spherical":
            precisions = precisions[:, None]
        shape = (n_clusters, n_dimensions, n_dimensions)[: 3 if self.full else 2]
        precisions = precisions.expand(shape).contiguous()
        scales = precisions.diagonal(dim1=1, dim2=2) if self.full else precisions
        self.register_buffer("means", means)
        self.register_buffer("precisions", precisions)
        weights = _double(fitted.weights_).log()
        self.register_buffer("constants", scales.log().sum(1) + weights)

    def forward(self, x: Tensor) -> Tensor:
        centred = x[:, None].double() - self.means[None]
        if self.full:
            white = torch.einsum("bkd,kde->bke", centred, self.precisions)
        else:
            white = centred * self.precisions
        return torch.softmax(self.constants - 0.5 * white.square().sum(2), 1).float()


class LineModule(nn.Module):
    """`ProjectionPursuit` in two: the posterior of two equal Gaussians on the line of a split."""

    weights: Tensor

    def __init__(self, fitted: ProjectionPursuit, candidate: int) -> None:
        super().__init__()
        self.register_buffer("weights", _double(fitted.weights_[candidate]))
        self.offset = float(fitted.offset_[candidate])

    def forward(self, x: Tensor) -> Tensor:
        along = (x.double() @ self.weights).float() + self.offset
        second = torch.sigmoid(along.clamp(-50.0, 50.0).double())
        return torch.stack([1.0 - second, second], 1).float()


class VotesModule(nn.Module):
    """`VotingClusterer`: votes of the nearest points that the clusterer was fitted on."""

    points: Tensor
    scale: Tensor
    ballots: Tensor

    def __init__(self, fitted: VotingClusterer, candidate: int) -> None:
        super().__init__()
        rows, labels, self.n_votes = fitted.electorate(candidate)
        self.register_buffer("points", torch.from_numpy(np.array(fitted.reference_[rows])))
        self.register_buffer("scale", torch.tensor(float(fitted.reference_scale_)))
        self.register_buffer("ballots", torch.from_numpy(np.eye(fitted.n_clusters)[labels]).float())

    def forward(self, x: Tensor) -> Tensor:
        x = x.double()
        reference = (self.points.float() * self.scale).double()
        near = squared_distances(x, reference).topk(self.n_votes, dim=1, largest=False).indices
        # Anew, for the difference of large numbers is not exact where points are close.
        distances = (x[:, None] - reference[near]).square().sum(2).sqrt()
        width = distances.amax(1, keepdim=True).clamp(min=1e-12)
        weights = torch.exp(-((distances / width).square()))
        votes = (weights[:, :, None] * self.ballots[near].double()).sum(1)
        return (votes / votes.sum(1, keepdim=True)).float()


def _double(x: Array) -> Tensor:
    return torch.from_numpy(np.array(x, np.float64))
