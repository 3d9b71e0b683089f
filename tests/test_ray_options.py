"""``--ray`` and ``--workers`` before any work: what is refused, in a sentence; no Ray starts."""

from __future__ import annotations

import importlib.util
import socket

import pytest

from shoal.cli.options import check_ray
from shoal.distributed.address import with_addresses
from shoal.errors import DistributedError


def test_data_after_ray_is_not_its_address() -> None:
    words = ["photos/", "--ray", "model.pth", "--ray", "10.0.0.7:6379", "out.csv", "--", "--ray"]
    assert with_addresses(words) == [
        "photos/", "--ray", "local", "model.pth", "--ray", "10.0.0.7:6379", "out.csv", "--", "--ray"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ray", "workers", "message"),
    [
        (None, 2, r"workers is only for --ray"),
        ("local", 0, r"workers must be at least 1, got 0"),
        ("local", "two", r"workers must be a whole number, got 'two'"),
        ("ray://head:10001", None, r"ray must be an address such as head:6379, got 'ray://head"),
        ("local", 9999, r"workers must be at most \d+, the cores of this machine, got 9999\."),
        ("photos", None, r"ray must be an address such as head:6379, got 'photos'"),
        ("127.0.0.1:99999", None, r"no Ray answers at 127\.0\.0\.1:99999"),
    ],
)
def test_what_cannot_be_followed_is_refused(ray: str, workers: int, message: str) -> None:
    pytest.importorskip("ray", reason="needs the extra ray")
    with pytest.raises(DistributedError, match=message):
        check_ray(ray, workers)


def test_a_closed_port_is_refused_at_once() -> None:
    pytest.importorskip("ray", reason="needs the extra ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(DistributedError, match="no Ray answers at"):
        check_ray(address, None)


def test_without_ray_installed_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DistributedError, match=r"pip install 'shoal\[ray\]'"):
        check_ray("local", None)
