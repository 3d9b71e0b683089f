"""Decoded once: when the cache is used and when not, what breaks it, what becomes of it."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shoal.errors import DataError, OutputError
from shoal.images import cache, disk
from shoal.images.array import ArraySource
from shoal.images.decoding import filling, parallel
from shoal.images.decoding.form import Form
from shoal.images.decoding.image import decode_chunk
from shoal.images.decoding.parallel import in_isolation
from shoal.images.decoding.processes import CRASHED, CrashedError, Worker
from shoal.images.formats import numpy_file
from shoal.images.open import open_source


@pytest.fixture
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of this test's own, for it and for the processes that it starts."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(home))
        patch.setenv("LOCALAPPDATA", str(home))
        patch.setattr(cache, "folder", lambda: home / "shoal" / "images")
        yield home / "shoal" / "images"


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One number for each time that a pile is decoded: how many images it has."""
    counted: list[int] = []
    decode = filling.Filling.__call__

    def count(self: Any, write: Any) -> Any:
        counted.append(len(self.pile.names))
        return decode(self, write)

    monkeypatch.setattr(filling.Filling, "__call__", count)
    return counted


def save(path: Path, *levels: int, size: tuple[int, int] = (6, 6)) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for number, level in enumerate(levels):
        Image.new("L", size, level).save(path / f"{number}.png")
    return path


def levels(source: Any) -> list[int]:
    return [int(image[0, 0, 0]) for image in source.read(np.arange(len(source)))]


def kept_in(source: Any) -> Path:
    """The cache file that a source says it is in."""
    return Path(os.path.expandvars(source.notes[-1].split(" in ")[1].split(" (")[0]))


def n_kept(folder: Path) -> int:
    """How many cache files there are, those with two names once."""
    return len({path.stat().st_ino for path in folder.glob("[!.]*.npy")})


def test_the_second_time_nothing_is_decoded(
    cache_folder: Path, decodings: list[int], tmp_path: Path
) -> None:
    pile = save(tmp_path / "pile", 1, 2, 3)
    (pile / "no.png").write_bytes(b"no")
    first: Any = open_source(pile)
    second: Any = open_source(pile)
    assert decodings == [4]
    assert isinstance(second.images, np.memmap)
    assert not second.images.flags.writeable
    for name in ("ids", "shape", "skipped", "class_names"):
        assert getattr(first, name) == getattr(second, name)
    assert first.digest() == second.digest()
    assert levels(second) == [1, 2, 3]
    kept = kept_in(first)
    assert kept.parent == cache_folder
    told = f"$XDG_CACHE_HOME/shoal/images/{kept.name}"  # not whose folder that is
    assert first.notes[1].startswith(f"decoded once: 0.11 kB in {told} (")
    assert second.notes[1] == f"decoded before: 0.11 kB in {told}"
    assert first.notes[0] == second.notes[0]
    np.testing.assert_array_equal(np.load(kept), second.read(np.arange(3)))  # a plain .npy file
    open_source(pile, image_shape=(6, 6, 1))  # what a checkpoint trained on it asks for
    assert len(decodings) == 1
    assert n_kept(cache_folder) == 1
    open_source(pile, image_shape=(8, 8, 3))
    open_source(pile, size=64)
    assert len(decodings) == 3


def _changed(pile: Path, how: str) -> None:
    if how == "content":
        time.sleep(0.01)
        Image.new("L", (6, 6), 9).save(pile / "0.png")
    elif how == "name":
        (pile / "0.png").rename(pile / "00.png")
    elif how == "one more":
        Image.new("L", (6, 6), 9).save(pile / "9.png")
    elif how == "a link":
        (pile / "link").symlink_to(pile, target_is_directory=True)
    elif how == "one less":
        (pile / "0.png").unlink()
    else:  # replaced by another of the same size and time
        about = (pile / "0.png").stat()
        content = bytearray((pile / "0.png").read_bytes())
        (pile / "new").write_bytes(content)
        os.utime(pile / "new", ns=(about.st_atime_ns, about.st_mtime_ns))
        (pile / "new").replace(pile / "0.png")


@pytest.mark.parametrize("how", ["content", "name", "one more", "one less", "a link", "replaced"])
def test_a_changed_pile_is_decoded_anew(
    how: str, cache_folder: Path, decodings: list[int], tmp_path: Path
) -> None:
    pile = save(tmp_path / "pile", 1, 2, 3)
    open_source(pile)
    _changed(pile, how)
    again = open_source(pile)
    assert len(decodings) == 2
    anew = open_source(pile, cache=False)
    assert again.digest() == anew.digest()
    assert list(again.skipped) == list(anew.skipped)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content[: len(content) // 2],
        lambda content: content + b"x",
        lambda content: b"\x93NUMPZ" + content[6:],
        lambda content: content[:128] + content[129:],  # one pixel less
        lambda content: content[:-40] + bytes(10) + content[-30:],
        lambda content: bytes(len(content)),
        lambda content: content[:130] + bytes([content[130] ^ 1]) + content[131:],  # one bit
    ],
)
def test_a_damaged_cache_is_made_again(
    damage: Callable[[bytes], bytes], cache_folder: Path, decodings: list[int], tmp_path: Path
) -> None:
    pile = save(tmp_path / "pile", 1, 2, 3)
    before = open_source(pile).digest()
    kept = kept_in(open_source(pile))
    whole = kept.read_bytes()
    kept.write_bytes(damage(whole))
    assert open_source(pile).digest() == before
    assert decodings == [3, 3]
    assert kept.read_bytes() == whole


def test_no_cache_leaves_nothing_behind(
    cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    run_cli: Callable[..., Any], checkpoint_file: Path,
) -> None:  # fmt: skip
    pile, temporary = save(tmp_path / "pile", 1, 2, 3), tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)
    source: Any = open_source(pile, cache=False)
    assert "temporary file of 0.11 kB in $TMPDIR" in source.notes[1]
    assert levels(source) == [1, 2, 3]
    assert list(temporary.iterdir()) == []  # not even now: a kill leaves nothing
    result = run_cli("predict", pile, checkpoint_file, tmp_path / "p.csv", "--no-cache")
    assert result.code == 0
    assert "decoded to a temporary file" in result.err
    assert list(temporary.iterdir()) == []
    assert not cache_folder.exists()


def test_where_nothing_can_be_kept(
    cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No cache: a temporary file. No temporary file: memory. Too much for that: a sentence."""
    pile = save(tmp_path / "pile", 1, 2, 3)
    cache_folder.parent.mkdir()
    cache_folder.write_text("a file in the place of the folder")
    source: Any = open_source(pile)
    assert source.notes[1].startswith("the cache cannot be used ($XDG_CACHE_HOME/shoal/images: ")
    assert "decoded to a temporary file" in source.notes[1]
    assert levels(source) == [1, 2, 3]
    monkeypatch.setattr(cache, "temporary_folder", lambda: tmp_path / "none")
    source = open_source(pile)
    assert source.notes[1].endswith("decoded to memory, 0.11 kB")
    assert levels(source) == [1, 2, 3]
    assert not source.images.flags.writeable
    monkeypatch.setattr(cache, "MEMORY_LIMIT", 100)
    with pytest.raises(OutputError, match=r"no room .*, which take 0.11 kB: .*none"):
        open_source(pile)


@pytest.mark.parametrize("full", ["before", "while writing"])
def test_a_full_disk(
    full: str, cache_folder: Path, decodings: list[int], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    pile = save(tmp_path / "pile", 1, 2, 3)
    if full == "before":
        usage = shutil.disk_usage(tmp_path)
        monkeypatch.setattr(
            disk.shutil, "disk_usage",
            lambda path: usage._replace(free=2**20) if path == cache_folder else usage,
        )  # fmt: skip
    else:
        write = cache.write_file

        def fails_once(file: Any, fill: Any) -> Any:
            monkeypatch.setattr(cache, "write_file", write)
            file.write(b"half of it")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(cache, "write_file", fails_once)
    source: Any = open_source(pile)
    assert "the cache cannot be used" in source.notes[1]
    assert levels(source) == [1, 2, 3]
    assert list(cache_folder.iterdir()) == []


def test_the_cache_keeps_its_limit_and_forgets_what_was_used_longest_ago(
    cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = [save(tmp_path / f"{n}", n, n) for n in range(4)]
    kept: list[Path] = []
    for at, folder in enumerate(saved[:3]):
        kept.append(kept_in(open_source(folder)))
        os.utime(kept[-1], (at, at))
    size = kept[0].stat().st_size
    open_source(saved[0])  # used again
    monkeypatch.setattr(cache, "LIMIT", 2 * size + size // 2)
    kept.append(kept_in(open_source(saved[3])))
    assert [path.exists() for path in kept] == [True, False, False, True]
    assert n_kept(cache_folder) == 2
    monkeypatch.setattr(cache, "LIMIT", 0)
    newest = kept_in(open_source(save(tmp_path / "4", 4)))
    assert newest.exists()  # whatever it takes
    assert n_kept(cache_folder) == 1


def test_what_a_killed_process_left_half_written_goes_and_what_is_being_written_stays(
    cache_folder: Path, tmp_path: Path
) -> None:
    pile = save(tmp_path / "pile", 1, 2)
    open_source(pile)
    left, written = (cache_folder / f".shoal-{n}.npy" for n in "ab")
    for path in (left, written):
        path.write_bytes(b"x")
        os.utime(path, (time.time() - 5,) * 2)
    hold = "import fcntl, sys; f = open(sys.argv[1], 'rb'); fcntl.flock(f, 2); print(); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(written)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        open_source(pile)  # from the cache
        assert [path.exists() for path in (left, written)] == [False, True]
        other.kill()
    open_source(save(tmp_path / "another", 3))
    assert not written.exists()


def test_two_processes_at_once(cache_folder: Path, tmp_path: Path) -> None:
    pile = tmp_path / "pile"
    pile.mkdir()
    for number in range(300):
        Image.new("RGB", (40 + number % 9, 40), (number % 256, 7, 9)).save(
            pile / f"{number:03}.png"
        )
    code = (
        "import sys; from shoal.images.open import open_source; input()\n"
        "source = open_source(sys.argv[1]); print(len(source), source.digest())"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(pile)], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]  # fmt: skip
    answers = []
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in both:
        answers.append(process.communicate(timeout=120)[0])
        assert process.returncode == 0
    assert answers[0] == answers[1] == f"300 {open_source(pile).digest()}\n"
    assert n_kept(cache_folder) == 1
    assert not list(cache_folder.glob(".*"))


def test_processes_decode_what_threads_decode(
    cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(0)
    for number in range(150):
        image = generator.integers(0, 256, (9, 9, 3), dtype=np.uint8)
        Image.fromarray(image).save(tmp_path / f"{number:03}.png")
    (tmp_path / "077.png").write_bytes(b"no")
    monkeypatch.setattr(parallel, "n_cores", lambda: 2)
    threads = open_source(tmp_path, cache=False)
    monkeypatch.setattr(parallel, "MANY", 100)
    processes = open_source(tmp_path, cache=False)
    assert processes.digest() == threads.digest()
    assert list(processes.skipped) == [("077.png", "not an image")] == list(threads.skipped)
    assert list(processes.ids) == list(threads.ids)


def test_a_worker_that_was_killed_is_said() -> None:
    worker = Worker()
    chunk = worker.call(decode_chunk, [b"", b"no"], Form(4, 4, 3))
    assert chunk.reasons == ["empty", "not an image"]
    worker._process.kill()
    with pytest.raises(DataError, match="a process that decodes images was killed"):
        worker.call(decode_chunk, [b"x" * 10**6], Form(4, 4, 3))
    worker.close()


def test_a_process_that_crashes_is_replaced() -> None:
    worker = Worker()
    with pytest.raises(CrashedError):
        worker.call(signal.raise_signal, signal.SIGSEGV)
    assert worker.call(len, "abc") == 3
    worker.close()
    results = in_isolation(signal.raise_signal, [signal.SIGABRT, signal.SIGSEGV], lambda _: None)
    assert list(results) == [None, None]


def test_a_process_that_takes_too_long_for_an_image_is_replaced() -> None:
    worker = Worker()
    code = "from shoal.images.decoding.time_limit import limited\nwith limited(0.2):\n while 1: 0"
    with pytest.raises(CrashedError, match="takes more than 10 s to decode"):
        worker.call(exec, code, {})
    assert worker.call(len, "abc") == 3
    worker.close()


def test_a_file_that_crashes_its_library_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fragile:
        """A pool in which one content brings the process down."""

        def __init__(self, n: int) -> None:
            assert n > 0

        def call(self, function: Callable[..., Any], contents: Any, *more: Any) -> Any:
            if b"crash" in contents:
                raise CrashedError
            return function(contents, *more)

        def close(self) -> None:
            pass

    monkeypatch.setattr("shoal.images.decoding.processes.Pool", Fragile)
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    contents = [file.getvalue(), b"crash", b"no", b"crash", file.getvalue()] * 20
    chunks = list(parallel.decode_in_chunks(contents, Form(4, 4, 3), 100, isolated=True))
    reasons = [reason for chunk in chunks for reason in chunk.reasons]
    assert reasons == ["", CRASHED, "not an image", CRASHED, ""] * 20
    assert sum(len(chunk.pixels) for chunk in chunks) == 40


def test_workers_end_with_their_master() -> None:
    code = (
        "import os; from shoal.images.decoding.processes import Worker; worker = Worker(); "
        "worker.call(len, []); "
        "print(worker._process.pid, flush=True); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    pid = int(done.stdout.split()[0])
    for _ in range(100):
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().split(") ")[1][0] == "Z":
            return
        time.sleep(0.1)
    raise AssertionError(f"process {pid} is still there")


@pytest.mark.parametrize("late", ["coloured", "of another size"])
def test_an_image_that_shows_late_that_the_pile_is_otherwise(
    late: str, cache_folder: Path, decodings: list[int], tmp_path: Path
) -> None:
    """Beyond those looked at first: all is decoded again, and the result does not tell."""
    for number in range(200):
        Image.new("L", (6, 6), number).save(tmp_path / f"{number:03}.png")
    other = Image.new("RGB", (6, 6), (250, 0, 0)) if late == "coloured" else Image.new("L", (7, 6))
    other.save(tmp_path / "150.png")
    source = open_source(tmp_path)
    assert decodings == [200, 200]
    assert source.shape == ((6, 6, 3) if late == "coloured" else (32, 32, 1))
    assert levels(source)[149:152:2] == [149, 151]
    other.save(tmp_path / "000.png")  # now the first shows it
    (tmp_path / "150.png").unlink()
    assert open_source(tmp_path).shape == source.shape
    assert decodings == [200, 200, 199]


def test_originals_come_from_where_they_were(cache_folder: Path, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    contents = []
    for level in range(50):
        file = io.BytesIO()
        Image.new("L", (6, 6), level).save(file, "PNG")
        contents.append(file.getvalue())
    contents[7] = b"broken"
    for part, rows in enumerate((contents[:20], contents[20:])):
        pq.write_table(pa.table({"image": rows}), tmp_path / f"{part}.parquet", row_group_size=8)
    for _ in ("decoded", "from the cache"):
        source: Any = open_source(tmp_path / "*.parquet")
        for index in (0, 6, 7, 48, 12, 30):
            assert source.originals.content(index) == contents[int(source.ids[index])]
    (tmp_path / "1.parquet").unlink()
    source = open_source(tmp_path / "0.parquet")
    (tmp_path / "0.parquet").unlink()
    with pytest.raises(DataError):
        source.originals.content(0)


# --- memory maps --------------------------------------------------------------------------------


def test_reading_a_file_is_indexing_the_array(images: np.ndarray, tmp_path: Path) -> None:
    for name, array in (("a", images), ("grey", images[..., 0]), ("f", np.asfortranarray(images))):
        np.save(tmp_path / f"{name}.npy", array)
        mapped = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
        whole = array if array.ndim == 4 else array[..., None]
        for start in (0, 5):  # a part of a map is a map, too
            source = ArraySource(mapped[start:])
            for indices in (
                [3, 4, 5, 0, 34, 34, 1, 2], [-1, 2], np.arange(len(source)) % 3 == 0, range(35),
                [], [7], np.array([2, 3], np.uint8),
            ):  # fmt: skip
                index = np.asarray(indices, dtype=None if len(indices) else int)
                np.testing.assert_array_equal(source.read(index), whole[start:][index])
            with pytest.raises(IndexError):
                source.read(np.array([40]))
            copy = pickle.loads(pickle.dumps(source))
            assert copy.digest() == source.digest() == ArraySource(whole[start:]).digest()


def test_reading_leaves_nothing_in_memory(tmp_path: Path) -> None:
    """An order drawn at random through 300 MB adds less than a tenth of it."""
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("needs /proc")

    def resident() -> int:
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    path = tmp_path / "a.npy"
    header = {"descr": "|u1", "fortran_order": False, "shape": (100_000, 32, 32, 3)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for _ in range(100):
            file.write(bytes(1000 * 3072))
    source = open_source(path)
    order = np.random.default_rng(0).permutation(100_000)
    before = resident()
    for start in range(0, 100_000, 512):
        source.read(np.sort(order[start : start + 512]))
    source.digest()
    assert resident() - before < 30_000


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.bool_])
@pytest.mark.parametrize("scale", [1.0, 255.0])
def test_a_large_array_of_another_type_is_converted_in_blocks(
    dtype: type, scale: float, cache_folder: Path, images: np.ndarray, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Block by block as at once: above all, the range of all decides how each is scaled."""
    array = (images / 255.0 * scale).astype(dtype)
    array[10:] = array[10:] > 0.5  # most blocks have nothing above 1
    np.save(tmp_path / "a.npy", array)
    expected = open_source(tmp_path / "a.npy")
    monkeypatch.setattr(numpy_file, "CONVERT", 100)
    monkeypatch.setattr(numpy_file, "_BLOCK", 1000)
    source: Any = open_source(tmp_path / "a.npy")
    assert isinstance(source.images, np.memmap)
    assert source.digest() == expected.digest()
    assert "decoded before" in open_source(tmp_path / "a.npy").notes[0]  # type: ignore[attr-defined]
    array = array.astype(np.float32)
    array[7, 0, 0, 0] = np.nan
    np.save(tmp_path / "a.npy", array)
    source = open_source(tmp_path / "a.npy")
    assert source.digest() == ArraySource(array).digest()
    assert "1 pixel of 1 image is missing" in source.notes[-1]
    with pytest.raises(DataError, match="NaN or infinite"):
        open_source(tmp_path / "a.npy", pixel_range=None)
