"""``--ray`` and ``--workers`` before any work: what is refused, in a sentence; no Ray starts."""

from __future__ import annotations

import importlib.util
import os
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from shoal.cli.options import check_ray
from shoal.distributed import folders, watch
from shoal.distributed.address import with_addresses
from shoal.errors import DistributedError, LostError


def test_data_after_ray_is_not_its_address() -> None:
    assert with_addresses(["--ray", "foo:bar", "photos/"]) == ["--ray", "foo:bar", "photos/"]
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
        ("foo:bar", None, r"ray must be an address such as head:6379, got 'foo:bar'"),
        ("photos", None, r"ray must be an address such as head:6379, got 'photos'"),
        ("127.0.0.1:99999", None, r"no Ray answers at 127\.0\.0\.1:99999"),
    ],
)
def test_what_cannot_be_followed_is_refused(ray: str, workers: int, message: str) -> None:
    pytest.importorskip("ray", reason="needs the extra ray")
    with pytest.raises(DistributedError, match=message):
        check_ray(ray, workers)


def test_a_closed_port_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="needs the extra ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(DistributedError, match="no Ray answers at"):
        check_ray(address, None)
    monkeypatch.setenv("RAY_ADDRESS", address)  # Ray itself would wait for it without an end
    with pytest.raises(DistributedError, match=f"no Ray answers at {address}"):
        check_ray("auto", None)


def test_without_ray_installed_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DistributedError, match=r"pip install 'shoal\[ray\]'"):
        check_ray("local", None)


def test_auto_without_a_ray_is_refused_before_any_work() -> None:
    pytest.importorskip("ray", reason="needs the extra ray")
    with pytest.raises(DistributedError, match="no Ray runs on this machine; begin one with"):
        check_ray("auto", None)


def test_folders_of_commands_that_were_killed_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fcntl", reason="this system has no such locks")
    monkeypatch.setattr(folders.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(folders, "_SHORT", 1000)
    left = tmp_path / "shoal-ray-abandoned"
    left.mkdir()
    os.utime(left, (0, 0))
    with folders.temporary() as held:
        assert held.is_dir()
        assert not left.exists()
        os.utime(held, (0, 0))
        with folders.temporary():
            assert held.is_dir()  # of a command that still runs
    assert not any(tmp_path.iterdir())


def test_a_ray_that_answers_no_more_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_EVERY", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as head:
        place = head.getsockname()[:2]
        patient = watch.Watch("this machine", {place: 60.0})
        strict = watch.Watch("this machine", {place: 0.0})
        strict.check()
    patient.check()  # it may begin anew
    with pytest.raises(LostError, match=r"^the Ray of this machine has ended\.$"):
        strict.check()
    let_go: list[str] = []
    for watched in (strict, patient):
        watched.leave(SimpleNamespace(shutdown=lambda: let_go.append("shut down")))
    assert let_go == ["shut down"] * 2


def test_a_lost_machine_and_its_return_are_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_COUNT", 0.0)
    said: list[str] = []
    cores = iter([2, 1, 1, 0, 2, 2])
    muster = watch.Muster("the cluster", lambda: next(cores), 2, "cores", "it waits", said.append)
    for _ in range(6):
        muster.check()
    assert said == [
        "the cluster has 1 of the 2 cores that the workers take: it waits",
        "the cluster has 2 of the 2 cores that the workers take again",
    ]
