"""Shards on a real local Ray of two workers: the bytes of the plain command, whatever is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ray", reason="needs the extra ray")

from shoal import large
from shoal.cli import sharded
from shoal.distributed import machines
from shoal.distributed.engine import Engine, connect
from shoal.distributed.environment import version_mismatch
from shoal.distributed.opening import Order
from shoal.distributed.parts import Parts, Plan, opened
from shoal.distributed.shards import do_missing, gathered
from shoal.errors import DistributedError, Interrupted, LostError, OutputError
from shoal.export.prediction import load_prediction
from shoal.images.files import digest_of
from shoal.images.open import open_source

N = 2600
DEADLINE = 60.0


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Ray of two workers as `ray start` begins it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Of this test alone: Ray reads how to let commands in when it is loaded, and that was before.
    open_to_all = {**os.environ, "RAY_AUTH_MODE": "disabled", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:
        words = [
            "start", "--head", "--block", "--port", port, "--num-cpus", 2, "--include-dashboard",
            "false", "--object-store-memory", 80 * 2**20, "--disable-usage-stats", "--temp-dir",
            folder,
        ]  # fmt: skip
        ray = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", *map(str, words)], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            env=open_to_all,
        )  # fmt: skip
        try:
            assert ray.stdout is not None
            said = ""
            while "--block" not in said:
                line = ray.stdout.readline()
                assert line, said
                said += line
            yield f"127.0.0.1:{port}"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(ray.pid, signal.SIGTERM)
            ray.communicate(timeout=DEADLINE)


@pytest.fixture(scope="module")
def engine(address: str) -> Iterator[Engine]:
    with connect(address, 2) as engine:
        yield engine


@pytest.fixture
def here(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands in this process work with the Ray that runs already."""
    monkeypatch.setattr(sharded, "connect", lambda *_, **__: contextlib.nullcontext(engine))


@pytest.fixture(scope="module")
def pile(images: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,600 images in six shards; a few are copies of others."""
    path = tmp_path_factory.mktemp("pile") / "pile.npy"
    generator = np.random.default_rng(1)
    many = images[np.arange(N) % len(images)].astype(np.int64)
    many += generator.integers(-4, 5, many.shape)
    many = np.clip(many, 0, 255).astype(np.uint8)
    many[2000:2003] = many[100:103]
    np.save(path, many)
    return path


@pytest.fixture(scope="module")
def plain(
    pile: Path, checkpoint_file: Path, run_cli: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:  # fmt: skip
    """What the command writes without Ray: ``out.csv`` and ``out.parquet``."""
    folder = tmp_path_factory.mktemp("plain")
    table = folder / "out.parquet"
    result = run_cli("predict", pile, checkpoint_file, folder / "out.csv", "--table", table)
    assert result.code == 0, result.err
    return folder


def same(folder: Path, plain: Path) -> None:
    for name in ("out.csv", "out.parquet"):
        assert (folder / name).read_bytes() == (plain / name).read_bytes()


def ask(pile: Path, checkpoint: Path) -> tuple[Order, Plan]:
    digest = open_source(pile).digest()
    plan = Plan("predict", digest, N, digest_of(checkpoint), familiarity=True)
    return Order(str(pile), str(checkpoint)), plan


def until(true: Callable[[], Any]) -> Any:
    ends = time.monotonic() + DEADLINE
    while time.monotonic() < ends:
        if found := true():
            return found
        time.sleep(0.01)
    raise AssertionError("that never happened")


def test_the_bytes_are_those_of_the_plain_command(
    here: None, pile: Path, checkpoint_file: Path, plain: Path, tmp_path: Path,
    run_cli: Callable[..., Any],
) -> None:  # fmt: skip
    out, table = tmp_path / "out.csv", tmp_path / "out.parquet"
    result = run_cli("predict", "--ray", pile, checkpoint_file, out, "--table", table)
    assert result.code == 0, result.err
    assert "2,600 images in 6 shards, 2 workers of the cluster at 127.0.0.1" in result.err
    same(tmp_path, plain)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "out.parquet"]


def test_copies_are_those_of_the_plain_command(
    here: None, pile: Path, checkpoint_file: Path, tmp_path: Path, run_cli: Callable[..., Any]
) -> None:
    for name, more in (("plain", []), ("ray", ["--ray"])):
        files = ["--csv", tmp_path / f"{name}.csv", "--picture", tmp_path / f"{name}.png"]
        result = run_cli("duplicates", pile, checkpoint_file, *files, *more)
        assert result.code == 0, result.err
    assert (tmp_path / "ray.csv").read_bytes() == (tmp_path / "plain.csv").read_bytes()
    assert (tmp_path / "ray.png").read_bytes() == (tmp_path / "plain.png").read_bytes()


def test_vectors_are_clustered_by_the_workers_as_without(
    engine: Engine, run_cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(large, "AT_ONCE", 0)  # these few are too many for memory
    monkeypatch.setattr(large, "SHOWN", 200)
    monkeypatch.setattr(
        "shoal.distributed.engine.connect", lambda *_, **__: contextlib.nullcontext(engine)
    )
    centres = 20 * np.random.default_rng(0).normal(size=(3, 8))
    for file in range(3):
        groups = np.random.default_rng(file).integers(0, 3, 300)
        x = centres[groups] + np.random.default_rng(9 + file).normal(size=(300, 8))
        table = {"id": [f"{file}-{row}" for row in range(300)], "embedding": list(x.astype("f4"))}
        pq.write_table(pa.table(table), tmp_path / f"v-{file}.parquet")
    words = [tmp_path / "v-*.parquet", "-k", 3]
    for folder, more in (("alone", []), ("spread", ["--ray"])):
        result = run_cli("cluster", words[0], tmp_path / folder, *words[1:], *more)
        assert result.code == 0, result.err
        assert "900 vectors are too many for memory at once" in result.err
    alone, spread = ((tmp_path / f / "prediction.csv").read_bytes() for f in ("alone", "spread"))
    assert alone == spread
    assert alone.count(b"\n") == 901


def test_a_worker_killed_at_work_costs_nothing(
    engine: Engine, pile: Path, checkpoint_file: Path, plain: Path, tmp_path: Path
) -> None:
    for attempt in range(5):  # a busy machine may look away while a shard is predicted
        out = tmp_path / str(attempt) / "out.csv"
        out.parent.mkdir()
        killed = predicted_under_fire(engine, pile, checkpoint_file, out)
        assert out.read_bytes() == (plain / "out.csv").read_bytes()
        assert not out.with_name("out.csv.parts").exists()
        if killed:
            return
    pytest.fail("no worker was ever met at work")


def predicted_under_fire(engine: Engine, pile: Path, checkpoint_file: Path, out: Path) -> list[int]:
    """Predict in shards while workers are killed; the processes that were."""
    order, plan = ask(pile, checkpoint_file)
    source = open_source(pile)
    over = threading.Event()
    killed: list[int] = []

    def kill_some() -> None:
        while not over.is_set() and len(killed) < 3:
            for process in workers_at("ray::predict_shard"):
                if process not in killed:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
                        killed.append(process)
            time.sleep(0.02)

    killer = threading.Thread(target=kill_some)
    with opened(out, plan) as parts:
        killer.start()
        do_missing(source, order, parts, engine)
        over.set()
        killer.join()
        table = gathered(source, parts, 2)
        table.table.to_csv(out)
        assert table.whole().embedding.shape[0] == N
    return killed


def workers_at(name: str) -> list[int]:
    """Processes whose command line begins with ``name``, below a process of this one."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cmdline").read_bytes().startswith(name.encode()) and is_ours(folder):
                found.append(int(folder.name))
    return found


def is_ours(folder: Path) -> bool:
    while folder.name not in ("0", "1"):
        if folder.name == str(os.getpid()):
            return True
        parent = next(
            line.split()[1]
            for line in (folder / "status").read_text().splitlines()
            if line.startswith("PPid:")
        )
        folder = Path("/proc") / parent
    return False


def test_a_shard_that_always_kills_its_worker_ends_the_command(engine: Engine) -> None:
    with pytest.raises(DistributedError, match=r"the worker of images 0 to 9 died 4 times"):
        list(engine.do(lambda _: os._exit(1), [("images 0 to 9",)]))


def test_a_killed_command_goes_on_and_another_waits(
    here: None, address: str, pile: Path, checkpoint_file: Path, plain: Path, tmp_path: Path,
    run_cli: Callable[..., Any], start_shoal: Callable[..., subprocess.Popen[str]],
) -> None:  # fmt: skip
    out, table = tmp_path / "out.csv", tmp_path / "out.parquet"
    words = ["predict", pile, checkpoint_file, out, "--table", table, "--ray"]
    parts = tmp_path / "out.csv.parts"
    first = start_shoal(*words, address)
    try:
        until(lambda: (parts / "plan.json").exists())
        beside = run_cli(*words)
        assert beside.code == 2
        assert "another shoal process is writing" in beside.err
        until(lambda: len(list(parts.glob("part-*"))) > 0)
    finally:
        first.kill()
        first.communicate(timeout=DEADLINE)
    kept = {path: path.stat().st_mtime_ns for path in parts.glob("part-*")}
    result = run_cli(*words)
    assert result.code == 0, result.err
    assert f"of 6 parts are in {parts}" in result.err
    assert kept
    same(tmp_path, plain)


def test_ctrl_c_keeps_the_parts(
    here: None, address: str, pile: Path, checkpoint_file: Path, plain: Path, tmp_path: Path,
    run_cli: Callable[..., Any], start_shoal: Callable[..., subprocess.Popen[str]],
) -> None:  # fmt: skip
    out, table = tmp_path / "out.csv", tmp_path / "out.parquet"
    words = ["predict", pile, checkpoint_file, out, "--table", table, "--ray"]
    first = start_shoal(*words, address)
    until(lambda: (tmp_path / "out.csv.parts" / "plan.json").exists())
    until(lambda: workers_at("ray::predict_shard"))
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=DEADLINE)
    if "You have likely discovered a bug in Ray" in said:
        pytest.skip("Ray's own process failed a check of its own while it was interrupted")
    assert first.returncode == 130, said
    assert "of 6 parts are kept in" in said.splitlines()[-1]
    assert "Traceback" not in said
    assert run_cli(*words).code == 0
    same(tmp_path, plain)


def test_workers_that_see_other_images_are_told(
    engine: Engine, pile: Path, checkpoint_file: Path, tmp_path: Path
) -> None:
    order, plan = ask(pile, checkpoint_file)
    other = tmp_path / "other.npy"
    changed = np.load(pile)
    changed[-1] += 1
    np.save(other, changed)
    source = open_source(pile)
    with pytest.raises(DistributedError, match=r"sees other images in .*other\.npy"):  # noqa: SIM117
        with opened(tmp_path / "out.csv", plan) as parts:
            do_missing(source, Order(str(other), str(checkpoint_file)), parts, engine)
    with pytest.raises(DistributedError, match=r"cannot open what the command opened: .*no such"):
        do_missing(source, Order(str(tmp_path / "none.npy"), order.checkpoint), parts, engine)


def test_what_is_refused_before_any_part_leaves_nothing(tmp_path: Path) -> None:
    out, plan = tmp_path / "out.csv", Plan("predict", "a", 10)
    with pytest.raises(DistributedError), opened(out, plan):
        raise DistributedError("a worker has another shoal")
    assert not list(tmp_path.iterdir())
    for keeps in (Interrupted("stopped"), DistributedError("Ray has ended")):
        keeps.__cause__ = LostError("Ray has ended") if type(keeps) is DistributedError else None
        with pytest.raises(type(keeps)), opened(out, plan) as parts:
            raise keeps
        assert (parts.folder / "plan.json").exists()


def test_parts_of_two_plans_are_never_mixed(tmp_path: Path) -> None:
    out, plan = tmp_path / "out.csv", Plan("predict", "a", 10)
    with contextlib.suppress(KeyError), opened(out, plan):
        raise KeyError
    with pytest.raises(OutputError, match=r"holds parts of other images; remove it"):  # noqa: SIM117
        with opened(out, Plan("predict", "b", 10)):
            pass
    with opened(out, Plan("predict", "b", 10), force=True) as parts:
        assert parts.missing() == [0]
    assert not any(tmp_path.iterdir())


def test_a_part_that_is_cut_off_is_missing(tmp_path: Path) -> None:
    parts = Parts(tmp_path, Plan("predict", "a", 10))
    parts.path(0).write_bytes(b"PAR1 and no more")
    assert parts.missing() == [0]


def test_another_version_on_the_cluster_is_named() -> None:
    text = (
        "Version mismatch: The cluster was started with:\n    Ray: 2.9.0\n    Python: 3.10.1\n"
        "This process on node was started with:\n    Ray: 1\n    Python: 2\n"
    )
    error = version_mismatch("head:6379", RuntimeError(text))
    assert "the cluster at head:6379 runs Ray 2.9.0 and Python 3.10.1, and here" in str(error)


def test_machines_with_another_shoal_are_refused_at_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    machines.check_machines(ray, "CPU")
    monkeypatch.setattr(machines, "__version__", "0.0.9")
    with pytest.raises(DistributedError, match=r"has shoal .*, and the command is of 0\.0\.9; ins"):
        machines.check_machines(ray, "CPU")


class InThisProcess:
    """An `Engine` without Ray."""

    workers, device, where = 1, "cpu", "this process"

    def do(self, function: Callable[..., Any], tasks: Any) -> Iterator[tuple[Any, Any]]:
        for task in tasks:
            yield task, function(*task)


def test_a_run_clusters_a_sample_of_a_large_pile_and_assigns_all(
    pile: Path, fast: Any, tmp_path: Path, run_cli: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    inside = contextlib.nullcontext(InThisProcess())
    monkeypatch.setattr(sharded, "connect", lambda *_, **__: inside)
    monkeypatch.setattr("shoal.cli.request.MOST_CLUSTERED", 500)
    monkeypatch.setattr("shoal.cli.fit._trainer", lambda *_: None)
    monkeypatch.setattr(sharded, "SHOWN", 300)
    folder = tmp_path / "found"
    result = run_cli("run", pile, folder, "--ray", *fast)
    assert result.code == 0, result.err
    assert "found in 500 images drawn at random, all 2,600 are assigned in shards" in result.err
    whole = load_prediction(folder / "table.parquet")
    again = tmp_path / "again.csv"
    predicted = run_cli("predict", pile, folder / "checkpoint.pth", again)
    assert predicted.code == 0, predicted.err
    assert again.read_bytes() == (folder / "prediction.csv").read_bytes()
    assert whole.embedding.shape[0] == len(whole.ids) == N
    assert (folder / "report.html").exists()
    assert not (folder / "prediction.csv.parts").exists()
