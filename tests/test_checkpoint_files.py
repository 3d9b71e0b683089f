"""Checkpoints on disk: what is saved is what is read, whole or not at all; and their history."""

from __future__ import annotations

import copy
import os
import pickle
import shlex
import shutil
import subprocess
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_encoder import SMALL_ENCODER

import shoal
from shoal.errors import CheckpointError, OutputError
from shoal.export.record import RUN, Record
from shoal.images.array import ArraySource
from shoal.images.files import atomic_path
from shoal.images.output_checks import check_writable
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.history import CheckpointHistory, kept_steps
from shoal.recipes.settings import override
from shoal.training.loop import train

SETTINGS = ("epochs=1", *SMALL_ENCODER, "checkpoints=3")


def assert_same(a: Any, b: Any, where: str = "") -> None:
    """Equal in type and value, tensors and arrays bit for bit, to any depth."""
    if isinstance(a, str):  # torch's version is a kind of its own
        assert isinstance(b, str), where
        assert str(a) == str(b), where
        return
    assert type(a) is type(b), where
    if isinstance(a, dict):
        assert list(a) == list(b), where
        for key in a:
            assert_same(a[key], b[key], f"{where}.{key}")
    elif isinstance(a, list | tuple):
        assert len(a) == len(b), where
        for index, (left, right) in enumerate(zip(a, b, strict=True)):
            assert_same(left, right, f"{where}[{index}]")
    elif isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype, where
        assert torch.equal(a, b), where
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype, where
        assert a.shape == b.shape, where
        np.testing.assert_array_equal(a, b, err_msg=where)
    else:
        assert a == b, where


def assert_same_checkpoint(a: Checkpoint, b: Checkpoint) -> None:
    for field in fields(Checkpoint):
        assert_same(getattr(a, field.name), getattr(b, field.name), field.name)


@pytest.fixture(scope="module")
def half_way(images: np.ndarray) -> Checkpoint:
    """The state after 5 of 10 steps, with the optimiser's."""
    from shoal.recipes.named import BEST

    recipe = override(BEST, SETTINGS)
    for checkpoint in train(ArraySource(images), recipe, notes={"command": "a test"}):
        if checkpoint.step == 5:
            return copy.deepcopy(checkpoint)
    raise AssertionError("the run has fewer than 5 steps")


# --- one file -----------------------------------------------------------------------------------


def test_comparison_sees_a_difference(half_way: Checkpoint) -> None:
    for changed in (
        replace(half_way, step=6),
        replace(half_way, history=[]),
        replace(half_way, encoder_state={k: v + 1 for k, v in half_way.encoder_state.items()}),
        replace(half_way, recipe=replace(half_way.recipe, seed=1)),
    ):
        with pytest.raises(AssertionError):
            assert_same_checkpoint(half_way, changed)


def test_unfinished_round_trip_with_optimizer(half_way: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "half.pth"
    checkpoints.save(half_way, path)
    loaded = checkpoints.load(path)
    assert half_way.optimizer_states is not None
    assert_same_checkpoint(loaded, half_way)
    assert not loaded.finished
    assert loaded.weights_digest() == half_way.weights_digest()


def test_finished_round_trip_keeps_every_array(checkpoint_file: Path, tmp_path: Path) -> None:
    first = checkpoints.load(checkpoint_file)
    assert first.finished
    assert first.clusterer
    assert all(isinstance(array, np.ndarray) for array in first.clusterer.values())
    checkpoints.save(first, tmp_path / "again.pth")
    assert_same_checkpoint(checkpoints.load(tmp_path / "again.pth"), first)


def test_recipe_provenance_and_history_are_those_of_the_run(
    checkpoint_file: Path, images: np.ndarray
) -> None:
    from shoal.recipes.named import BEST

    loaded = checkpoints.load(checkpoint_file)
    assert loaded.recipe == override(BEST, SETTINGS)
    assert loaded.image_shape == (8, 8, 3)
    assert loaded.n_images == 40
    assert (loaded.step, loaded.total_steps, loaded.epoch) == (10, 10, 1.0)
    assert loaded.origin.digest == ArraySource(images).digest()
    assert loaded.origin.command.startswith("shoal train ")
    assert [row["step"] for row in loaded.history] == list(range(1, 11))
    assert all(np.isfinite(list(row.values())).all() for row in loaded.history)
    assert loaded.optimizer_states is None


def test_same_content_gives_the_same_bytes_under_any_name(
    half_way: Checkpoint, tmp_path: Path
) -> None:
    checkpoints.save(half_way, tmp_path / "a.pth")
    checkpoints.save(half_way, tmp_path / "another name.bin")
    assert (tmp_path / "a.pth").read_bytes() == (tmp_path / "another name.bin").read_bytes()


def test_weights_digest_sees_one_bit(half_way: Checkpoint) -> None:
    changed = copy.deepcopy(half_way)
    name, tensor = next(iter(changed.encoder_state.items()))
    first = (0,) * tensor.ndim
    tensor[first] = torch.nextafter(tensor[first], torch.tensor(9.0))
    assert changed.weights_digest() != half_way.weights_digest()
    renamed = replace(
        half_way,
        encoder_state={
            key + "_" if key == name else key: value
            for key, value in half_way.encoder_state.items()
        },
    )
    assert renamed.weights_digest() != half_way.weights_digest()


def test_file_holds_tensors_and_plain_values_alone(checkpoint_file: Path) -> None:
    """Whoever reads it without shoal gets nothing but tensors, text and numbers."""
    seen = set()

    def walk(value: Any) -> None:
        seen.add(type(value).__name__)
        if isinstance(value, dict):
            assert all(isinstance(key, str | int) for key in value)
            for item in value.values():
                walk(item)
        elif isinstance(value, list | tuple):
            for item in value:
                walk(item)

    walk(torch.load(checkpoint_file, weights_only=True))
    assert seen <= {"dict", "OrderedDict", "list", "tuple", "Tensor", "str", "int", "float",
                    "bool", "NoneType"}  # fmt: skip


class Bomb:
    """Unpickling it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("place", ["encoder", "optimizer", "clusterer", "about", "extra"])
def test_code_anywhere_in_the_file_does_not_run(
    place: str, checkpoint_file: Path, tmp_path: Path
) -> None:
    content = torch.load(checkpoint_file, weights_only=True)
    content[place] = {"weight": Bomb(tmp_path / "ran")}
    torch.save(content, tmp_path / "bomb.pth")
    with pytest.raises(CheckpointError, match="can run code"):
        checkpoints.load(tmp_path / "bomb.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_bare_pickle_does_not_run(protocol: int, tmp_path: Path) -> None:
    (tmp_path / "bomb.pth").write_bytes(pickle.dumps(Bomb(tmp_path / "ran"), protocol))
    with pytest.raises(CheckpointError):
        checkpoints.load(tmp_path / "bomb.pth")
    assert not (tmp_path / "ran").exists()
    pickle.loads((tmp_path / "bomb.pth").read_bytes())
    assert (tmp_path / "ran").exists()  # the bomb was live


def test_loading_leaves_torchs_list_of_safe_types_alone(checkpoint_file: Path) -> None:
    before = list(torch.serialization.get_safe_globals())
    checkpoints.load(checkpoint_file)
    assert list(torch.serialization.get_safe_globals()) == before


# --- all or nothing -----------------------------------------------------------------------------


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
@pytest.mark.parametrize("older", [None, "older"])
def test_a_crash_while_writing_leaves_the_old_file_and_nothing_else(
    error: type[BaseException], older: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "output.txt"
    if older is not None:
        path.write_text(older)

    def crash() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half of the new con")
            assert len(list(tmp_path.iterdir())) == (1 if older is None else 2)
            raise error("in the middle")

    with pytest.raises(OutputError if error is OSError else error):
        crash()
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == (
        {} if older is None else {"output.txt": older}
    )


def test_a_crash_while_saving_leaves_the_old_checkpoint(
    half_way: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.pth"
    checkpoints.save(half_way, path)

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(replace(half_way, step=6), path, force=True)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["c.pth"]
    assert checkpoints.load(path).step == 5


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "output.txt"
    path.write_text("older")
    with atomic_path(path) as temporary:
        temporary.write_text("newer")
        assert path.read_text() == "older"
        assert temporary.parent == path.parent  # else the rename would not be atomic
    assert path.read_text() == "newer"
    assert os.listdir(tmp_path) == ["output.txt"]


def test_an_output_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        with atomic_path(tmp_path / "output.txt") as temporary:
            temporary.write_text("x")
    finally:
        os.umask(mask)
    assert (tmp_path / "output.txt").stat().st_mode & 0o777 == 0o640


def test_check_writable_makes_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "folder" / "file.pth")
    check_writable(tmp_path / "file.pth")
    assert list(tmp_path.iterdir()) == []


# --- the history ----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 12, 1000])
@pytest.mark.parametrize("total", [1, 2, 3, 11, 12, 13, 25, 100, 1001, 20_000])
def test_kept_steps_are_as_many_as_asked_evenly_spaced_and_hold_the_last(
    total: int, count: int
) -> None:
    kept = sorted(kept_steps(total, count))
    assert len(kept) == min(total, count)
    assert kept[-1] == total
    assert kept[0] >= 1
    gaps = np.diff([0, *kept])
    assert gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize(("epochs", "count"), [(0.1, 3), (0.5, 3), (1, 1), (1, 4), (2, 12)])
def test_a_run_leaves_the_number_of_files_its_recipe_says(
    epochs: float, count: int, images: np.ndarray, tmp_path: Path
) -> None:
    from shoal import pipeline
    from shoal.recipes.named import BEST

    recipe = override(BEST, [*SETTINGS, f"epochs={epochs}", f"checkpoints={count}"])
    path = tmp_path / "c.pth"
    final = pipeline.fit(ArraySource(images), path, recipe)[0]
    history = CheckpointHistory(path)
    files = history.files()
    assert len(files) == min(count, final.total_steps)
    assert sorted(os.listdir(history.folder)) == [file.name for file in files]  # no resume.pth
    steps = [checkpoints.load(file).step for file in files]
    assert steps == sorted(kept_steps(final.total_steps, count))
    last = checkpoints.load(files[-1])
    assert last.step == final.total_steps
    assert last.optimizer_states is None
    assert last.weights_digest() == final.weights_digest()
    digests = {checkpoints.load(file).weights_digest() for file in files}
    assert len(digests) == len(files)  # each the weights of its own step


def test_resume_file_is_written_with_each_kept_checkpoint(
    half_way: Checkpoint, tmp_path: Path
) -> None:
    history = CheckpointHistory(tmp_path / "c.pth")
    assert history.unfinished() is None
    history.save(replace(half_way, step=4))  # of 10 steps, 3 are kept: 3, 7 and 10
    assert not history.folder.exists()
    history.save(replace(half_way, step=3))
    assert [file.name for file in history.files()] == ["step-00000003.pth"]
    resumed = history.unfinished()
    assert resumed is not None
    assert resumed.step == 3
    assert resumed.optimizer_states is not None
    assert checkpoints.load(history.files()[0]).optimizer_states is None
    history.save(replace(half_way, step=5), now=True)
    later = history.unfinished()
    assert later is not None
    assert later.step == 5
    assert len(history.files()) == 1
    history.finish()
    assert history.unfinished() is None
    history.finish()  # twice does no harm


def test_state_to_resume_from_is_written_now_and_then(
    half_way: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shoal.models.history

    now = 1000.0
    monkeypatch.setattr(shoal.models.history.time, "monotonic", lambda: now)
    history = CheckpointHistory(tmp_path / "c.pth")
    now += shoal.models.history.RESUME_EVERY - 1
    history.save(replace(half_way, step=4))
    assert history.unfinished() is None
    now += 2
    history.save(replace(half_way, step=5))
    assert history.unfinished() is not None
    assert history.files() == []


def test_begin_moves_an_unfinished_run_aside(half_way: Checkpoint, tmp_path: Path) -> None:
    history = CheckpointHistory(tmp_path / "c.pth")
    history.save(replace(half_way, step=3))
    aside = history.begin()
    assert aside == tmp_path / "c.pth.history.previous"
    assert sorted(os.listdir(aside)) == ["resume.pth", "step-00000003.pth"]
    assert os.listdir(history.folder) == []  # it stays: a run in progress has locked it
    assert checkpoints.load(aside / "resume.pth").step == 3
    # Each earlier run has a place of its own: none is dropped.
    for number, step in ((1, 7), (2, 10)):
        history.save(replace(half_way, step=step))
        assert history.begin() == tmp_path / f"c.pth.history.previous.{number}"
    kept = sorted(path.relative_to(tmp_path) for path in tmp_path.glob("*.previous*/step-*"))
    assert list(map(str, kept)) == [
        "c.pth.history.previous/step-00000003.pth",
        "c.pth.history.previous.1/step-00000007.pth",
        "c.pth.history.previous.2/step-00000010.pth",
    ]


def test_begin_keeps_a_history_whose_checkpoint_is_gone(
    half_way: Checkpoint, tmp_path: Path
) -> None:
    history = CheckpointHistory(tmp_path / "c.pth")
    history.folder.mkdir()
    (history.folder / "diary.txt").write_text("not of shoal")
    assert history.begin() is None
    assert os.listdir(history.folder) == ["diary.txt"]
    history.save(replace(half_way, step=3))
    history.finish()
    history.previous.mkdir()  # empty, as good as none
    assert history.begin() == tmp_path / "c.pth.history.previous"
    kept = sorted(os.listdir(tmp_path / "c.pth.history.previous"))
    assert kept == ["diary.txt", "step-00000003.pth"]


def test_what_a_run_that_was_killed_moved_aside_is_named_and_can_be_put_back(
    half_way: Checkpoint, checkpoint_file: Path, run_cli: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "my run"
    folder.mkdir()
    path = Path(shutil.copy(checkpoint_file, folder / "checkpoint.pth"))
    history = CheckpointHistory(path)
    words = (["predict", "x.npy", path, "p.csv"], ["info", folder], ["review", folder])
    for step in (None, 3):  # killed before the first state was written, and after it
        if step is not None:
            history.save(replace(half_way, step=step), now=True)
        history.begin()  # of the second time: with an unfinished run and without a checkpoint
        said = [run_cli(*each).err for each in words]
        assert all("that of an earlier run is kept" in each for each in said), said
    history.save(replace(half_way, step=4), now=True)
    shown = run_cli("info", folder).out
    assert "The checkpoint of an earlier run is kept; to put it back: cp " in shown
    said = run_cli("predict", "x.npy", path, "p.csv").err
    assert "as its run was interrupted, or is still training; that of an earlier" in said
    older = folder / "checkpoint.pth.history.previous.1"  # its number was free again
    (older / path.name).write_bytes(b"of an older run")
    os.utime(older / path.name, (0, 0))
    subprocess.run(shlex.split("cp " + said.rpartition(": cp ")[2]), check=True)
    assert path.read_bytes() == checkpoint_file.read_bytes()
    assert "has not ended" not in run_cli("info", folder).out
    typed = ["shoal", "run", str(tmp_path), str(folder), "--force"]
    for finished in (False, True):
        Record(RUN, shlex.join(typed), finished=finished).save(folder)
        shown = run_cli("info", folder)
        assert ("The run that began here last has not ended" in shown.out) != finished
        assert (f"next: {shlex.join([*typed[:4], '--resume'])}" in shown.err) != finished
    path.unlink()
    for place in tmp_path.glob("*/*.previous*"):
        shutil.rmtree(place)
    said = run_cli("predict", "x.npy", path, "p.csv").err
    shown = run_cli(*shlex.split(said.rpartition("how to go on: shoal ")[2]))
    assert "The run is not finished" in shown.out


def test_fit_and_save_replace_nothing_unless_told_to(
    half_way: Checkpoint, images: np.ndarray, tmp_path: Path
) -> None:
    source, path = ArraySource(images), tmp_path / "c.pth"
    recipe = replace(half_way.recipe, epochs=0.1)
    first = shoal.fit(source, path, recipe)[0]
    for write in (
        lambda: shoal.fit(source, path, recipe),
        lambda: shoal.save(first, path),
        lambda: shoal.ImageClusterer.load(path).save(path),
    ):
        before = path.read_bytes()
        with pytest.raises(shoal.ShoalError, match=r"c\.pth exists already; .* add force=True"):
            write()
        assert path.read_bytes() == before
    shoal.fit(source, path, recipe, force=True)
    assert (tmp_path / "c.pth.history.previous" / "c.pth").read_bytes() == before
    own = tmp_path / "mine.npy"
    np.save(own, images)
    with pytest.raises(shoal.ShoalError, match=r"not a checkpoint, .* such as mine\.pth"):
        shoal.fit(source, own, recipe, force=True)
    path.unlink()
    CheckpointHistory(path).save(first, now=True)
    with pytest.raises(shoal.ShoalError, match=r"was interrupted; add force=True ") as refused:
        shoal.fit(source, path, recipe)
    CheckpointHistory(path).save(half_way, now=True)
    exec(str(refused.value).partition("go on with: ")[2], {"shoal": shoal, "source": source})
    assert shoal.load(path).finished


def test_a_history_under_its_older_name_is_found_resumed_from_and_moved_aside(
    half_way: checkpoints.Checkpoint, tmp_path: Path
) -> None:
    written = CheckpointHistory(tmp_path / "c.pth")
    written.save(replace(half_way, step=3))
    older = tmp_path / "c.pth.trail"
    written.folder.rename(older)
    history = CheckpointHistory(tmp_path / "c.pth")
    assert history.folder == older
    assert [file.parent for file in history.files()] == [older]
    resumed = history.unfinished()
    assert resumed is not None
    assert resumed.step == 3
    assert history.begin() == tmp_path / "c.pth.trail.previous"
    written.folder.mkdir()  # where both are, the folder of the current name counts
    assert CheckpointHistory(tmp_path / "c.pth").folder == written.folder
