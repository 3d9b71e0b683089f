"""What a user can get wrong: one sentence, exit code 2, and nothing left behind."""

from __future__ import annotations

import errno
import io
import json
import os
import pickle
import shutil
import signal
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

Command = list[str | Path]


@dataclass
class Kit:
    """What a case builds its command line from; files of its own go to ``folder``."""

    folder: Path
    images: np.ndarray
    images_file: Path
    checkpoint: Path
    fast: tuple[str, ...]
    run_cli: Callable[..., Any]

    @property
    def out(self) -> Path:
        """Where commands write: the snapshots before and after are of this folder."""
        return self.folder / "results"

    def npy(self, array: Any, name: str = "data.npy") -> Path:
        np.save(self.folder / name, np.asarray(array))
        return self.folder / name

    def file(self, name: str, content: bytes) -> Path:
        (self.folder / name).write_bytes(content)
        return self.folder / name

    def changed(self, **changes: Any) -> Path:
        """The finished checkpoint with parts of its content replaced."""
        content = torch.load(self.checkpoint, weights_only=True)
        torch.save({**content, **changes}, self.folder / "changed.pth")
        return self.folder / "changed.pth"

    def train(self, data: str | Path, *options: str) -> Command:
        return ["train", data, self.out / "checkpoint.pth", *self.fast, *options]

    def predict(self, data: str | Path, *options: str, checkpoint: Path | None = None) -> Command:
        return [
            "predict", data, checkpoint or self.checkpoint, self.out / "prediction.csv", *options
        ]  # fmt: skip

    def evaluate(self, labels: str | Path) -> Command:
        return ["evaluate", self.images_file, self.checkpoint, labels]

    def unfinished(self) -> Path:
        """An interrupted run's state, put where `train` looks for it."""
        history = self.out / "checkpoint.pth.history"
        history.mkdir(parents=True, exist_ok=True)
        done: list[int] = []

        def stop(checkpoint: Any, path: Path, save: Any) -> None:
            save(checkpoint, path, force=True)
            done.append(checkpoint.step)
            if len(done) == 2:  # a checkpoint of the history and the state to resume from
                raise KeyboardInterrupt

        from shoal.models import checkpoint as checkpoints

        with pytest.MonkeyPatch.context() as patch:
            save = checkpoints.save
            patch.setattr(checkpoints, "save", lambda c, path, **_: stop(c, path, save))
            result = self.run_cli(*self.train(self.images_file), "--quiet", "--force")
        assert result.code == 130
        assert (history / "resume.pth").exists()
        return history


@pytest.fixture
def kit(
    tmp_path: Path,
    images: np.ndarray,
    images_file: Path,
    checkpoint_file: Path,
    fast: tuple[str, ...],
    run_cli: Callable[..., Any],
) -> Kit:
    return Kit(tmp_path, images, images_file, checkpoint_file, fast, run_cli)


def broken_folder(kit: Kit, count: int) -> Path:
    folder = kit.folder / "photos"
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    (folder / "notes.txt").write_text("not an image")
    return folder


def npz(kit: Kit, **arrays: np.ndarray) -> Path:
    np.savez(kit.folder / "data.npz", **arrays)
    return kit.folder / "data.npz"


def damaged_npz(kit: Kit) -> Path:
    path = npz(kit, images=kit.images)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF  # the archive's own check sum no longer fits
    path.write_bytes(content)
    return path


def parquet(kit: Kit, **columns: Any) -> Path:
    """A parquet file of these columns; ``image`` is two red images unless given (None: absent)."""
    columns = {"image": [{"bytes": png(), "path": None}] * 2, "label": [0, 1], **columns}
    table = pa.table({name: column for name, column in columns.items() if column is not None})
    pq.write_table(table, kit.folder / "data.parquet")
    return kit.folder / "data.parquet"


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "png")
    return file.getvalue()


def shards(kit: Kit) -> Path:
    """Two files of different data sets that one pattern matches."""
    parquet(kit).rename(kit.folder / "a-0.parquet")
    parquet(kit, image=None, photo=[png()] * 2).rename(kit.folder / "a-1.parquet")
    return kit.folder / "a-*.parquet"


def damaged_parquet(kit: Kit) -> Path:
    """Sound at both ends, its first page overwritten."""
    path = parquet(kit)
    content = bytearray(path.read_bytes())
    content[4:60] = b"\xff" * 56
    path.write_bytes(content)
    return path


def with_pixel(kit: Kit, value: float, dtype: type = np.float32) -> Path:
    array = kit.images.astype(dtype)
    array[3, 2, 1, 0] = value
    return kit.npy(array)


def absurd_header(kit: Kit) -> Path:
    """A header that announces 2⁶³ bytes and more."""
    file = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (2**40, 2**20, 2**10, 3)}
    np.lib.format.write_array_header_1_0(file, header)
    return kit.file("data.npy", file.getvalue() + bytes(64))


class Bomb:
    """Unpickling it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


def bomb_npy(kit: Kit) -> Path:
    np.save(kit.folder / "data.npy", np.array([Bomb(kit.out / "ran")], dtype=object))
    return kit.folder / "data.npy"


def bomb_checkpoint(kit: Kit, zipped: bool) -> Path:
    path = kit.folder / "bomb.pth"
    if zipped:
        torch.save({"format": "shoal checkpoint", "encoder": Bomb(kit.out / "ran")}, path)
    else:
        path.write_bytes(pickle.dumps(Bomb(kit.out / "ran")))
    return path


def nonsense_tensor(kit: Kit) -> Path:
    """A sound archive of allowed calls that make no tensor."""
    path = kit.folder / "nonsense.pth"
    with zipfile.ZipFile(kit.checkpoint) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            pickled = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R."
            new.writestr(name, pickled if name.endswith("data.pkl") else old.read(name))
    return path


def said_otherwise(kit: Kit, **changes: Any) -> Path:
    """The finished checkpoint with other values in what it says of itself."""
    about = json.loads(torch.load(kit.checkpoint, weights_only=True)["about"])
    return kit.changed(about=json.dumps(about | changes))


def without_arrays(kit: Kit) -> Path:
    reducers = torch.load(kit.checkpoint, weights_only=True)["reducers"]
    return kit.changed(reducers=[{} for _ in reducers])


def with_nan_weights(kit: Kit) -> Path:
    weights = torch.load(kit.checkpoint, weights_only=True)["encoder"]
    return kit.changed(encoder={name: weight * torch.nan for name, weight in weights.items()})


def small_labels(kit: Kit, **of_dtype: Any) -> Path:
    labels = np.zeros(len(kit.images), **of_dtype)
    labels[0] = 1  # one label for all would be nothing to measure
    return kit.npy(labels, "labels.npy")


def history_checkpoint(kit: Kit) -> Path:
    return sorted((kit.checkpoint.parent / "checkpoint.pth.history").glob("step-*.pth"))[0]


def resume(kit: Kit, data: Path | None = None, *options: str) -> Command:
    kit.unfinished()
    return [*kit.train(data or kit.images_file), "--resume", *options]


def resume_damaged(kit: Kit) -> Command:
    state = kit.unfinished() / "resume.pth"
    state.write_bytes(state.read_bytes()[:1000])
    return [*kit.train(kit.images_file), "--resume"]


def parent_is_file(kit: Kit) -> Path:
    return kit.file("plain", b"a file") / "below" / "prediction.csv"


def folder_at(kit: Kit, name: str) -> Path:
    (kit.out / name).mkdir(parents=True, exist_ok=True)
    return kit.out / name


def half(path: Path, kit: Kit) -> Path:
    content = path.read_bytes()
    return kit.file(f"half{path.suffix}", content[: len(content) // 2])


def predict_to(kit: Kit, path: Path, *options: str | Path) -> Command:
    return ["predict", kit.images_file, kit.checkpoint, path, *options]


def other_recipe_weights(kit: Kit) -> Path:
    content = torch.load(kit.checkpoint, weights_only=True)
    weights = dict(content["encoder"])
    name = next(iter(weights))
    weights[name] = weights[name][:1].clone()
    return kit.changed(encoder=weights)


# (what is wrong, the command line, a fragment of the sentence)
Case = tuple[str, Callable[[Kit], Command], str]

DATA: list[Case] = [
    ("data-missing-npy", lambda kit: kit.train(kit.folder / "no.npy"), "no such file"),
    ("data-missing-npz", lambda kit: kit.predict(kit.folder / "no.npz"), "no such file"),
    ("data-missing-folder", lambda kit: kit.train(kit.folder / "no"), "no such file or folder"),
    ("data-name-too-long", lambda kit: kit.train(kit.folder / ("n" * 300)), "name is too long"),
    ("data-txt", lambda kit: kit.train(kit.file("data.txt", b"1 2 3")), "is not a list of images"),
    (
        "folder-named-npy",
        lambda kit: kit.train(folder_at(kit, "data.npy")),
        "holds no images (bmp, gif,",
    ),
    (
        "folder-without-images",
        lambda kit: kit.train(broken_folder(kit, 0)),
        "holds no images (bmp, gif,",
    ),
    (
        "folder-all-broken",
        lambda kit: kit.train(broken_folder(kit, 3)),
        "3 image files failed (the first, 0.png: ",
    ),
    (
        "npy-empty",
        lambda kit: kit.train(kit.file("data.npy", b"")),
        "is not a NumPy file: it is empty",
    ),
    (
        "npy-header-only",
        lambda kit: kit.train(kit.file("data.npy", kit.images_file.read_bytes()[:128])),
        "truncated or damaged",
    ),
    (
        "npy-half-a-header",
        lambda kit: kit.train(kit.file("data.npy", kit.images_file.read_bytes()[:60])),
        "truncated or damaged",
    ),
    (
        "npy-half-the-data",
        lambda kit: kit.predict(half(kit.images_file, kit)),
        "truncated or damaged",
    ),
    (
        "npy-header-with-a-zero-byte",
        lambda kit: kit.train(
            kit.file(
                "h.npy", kit.images_file.read_bytes().replace(b"'shape': (", b"'shape': \0", 1)
            )
        ),
        "truncated or damaged",
    ),
    ("npy-absurd-size", lambda kit: kit.train(absurd_header(kit)), "truncated or damaged"),
    (
        "npy-is-text",
        lambda kit: kit.train(kit.file("data.npy", b"<html>404</html>")),
        "is not a NumPy file; check the path",
    ),
    ("npy-pickled", lambda kit: kit.train(bomb_npy(kit)), "pickled Python objects"),
    (
        "npz-pickled",
        lambda kit: kit.train(npz(kit, images=np.array([{}, []], dtype=object))),
        "pickled Python objects",
    ),
    ("npz-damaged", lambda kit: kit.train(damaged_npz(kit)), "truncated or damaged"),
    (
        "npz-truncated",
        lambda kit: kit.train(half(npz(kit, images=kit.images), kit)),
        "truncated or damaged",
    ),
    (
        "npz-several-arrays",
        lambda kit: kit.train(npz(kit, first=kit.images, second=kit.images)),
        "holds several arrays (first (40, 8, 8, 3), second (40, 8, 8, 3)); name one, such as",
    ),
    (
        "npz-unknown-name",
        lambda kit: kit.train(f"{npz(kit, first=kit.images)}:third"),
        "holds no array 'third', only first (40, 8, 8, 3)",
    ),
    ("npz-empty", lambda kit: kit.train(npz(kit)), "holds no array;"),
    ("parquet-missing", lambda kit: kit.train(kit.folder / "no.parquet"), "no such file; check"),
    ("parquet-no-match", lambda kit: kit.train(kit.folder / "no-*.parquet"), "no file matches"),
    (
        "parquet-empty-file",
        lambda kit: kit.train(kit.file("data.parquet", b"")),
        "is truncated, damaged or not a parquet file",
    ),
    (
        "parquet-is-text",
        lambda kit: kit.predict(kit.file("data.parquet", b"<html>404</html>" * 9)),
        "is truncated, damaged or not a parquet file",
    ),
    (
        "parquet-truncated",
        lambda kit: kit.train(half(parquet(kit), kit)),
        "is truncated, damaged or not a parquet file",
    ),
    (
        "parquet-damaged",
        lambda kit: kit.train(damaged_parquet(kit)),
        "is truncated, damaged or not a parquet file",
    ),
    (
        "parquet-no-images",
        lambda kit: kit.train(parquet(kit, image=None, name=["a", "b"])),
        "has no column of images (bytes, or structs with a field bytes); its columns are label, na",
    ),
    (
        "parquet-links-only",
        lambda kit: kit.train(parquet(kit, image=[{"path": "a.png"}, {"path": "b.png"}])),
        "its columns are image, label",
    ),
    (
        "parquet-several-columns",
        lambda kit: kit.train(parquet(kit, image=None, front=[png()] * 2, back=[png()] * 2)),
        "has several columns of images (front, back); name one, such as",
    ),
    (
        "parquet-unknown-column",
        lambda kit: kit.train(f"{parquet(kit)}:photo"),
        "named 'photo', only image",
    ),
    (
        "parquet-no-rows",
        lambda kit: kit.train(
            parquet(kit, image=pa.array([], pa.binary()), label=pa.array([], pa.int64()))
        ),
        "has no rows",
    ),
    (
        "parquet-all-broken",
        lambda kit: kit.train(parquet(kit, image=[b"no", None])),
        "2 rows failed (the first, 0: not an image)",
    ),
    (
        "parquet-one-good",
        lambda kit: kit.train(parquet(kit, image=[png()], label=[0])),
        "must hold at least 2 images, got 1",
    ),
    (
        "parquet-other-shards",
        lambda kit: kit.train(shards(kit)),
        "has no column 'image' of images, as",
    ),
    *(
        (
            f"rank-{len(shape)}",
            lambda kit, shape=shape: kit.train(kit.npy(np.zeros(shape, np.uint8))),
            f"shape {shape}; reshape it",
        )
        for shape in ((), (40,), (40, 192), (2, 5, 8, 8, 3))
    ),
    (
        "channels-where",
        lambda kit: kit.train(kit.npy(np.zeros((24, 8, 10, 8), np.uint8))),
        "could be (N, C, H, W) or (N, H, W, C); say which by --channels first or --channels last",
    ),
    *(
        (
            f"channels-{count}",
            lambda kit, count=count: kit.train(kit.npy(np.zeros((24, 80, 80, count), np.uint8))),
            f"shape (24, 80, 80, {count})",
        )
        for count in (0, 65, 100)
    ),
    *(
        (
            f"dtype-{dtype}",
            lambda kit, dtype=dtype: kit.train(kit.npy(np.zeros((24, 8, 8), dtype))),
            f"dtype {dtype}; save the pixels as numbers",
        )
        for dtype in ("complex64", "<U3", "|S3", "datetime64[s]")
    ),
    (
        "images-0-train",
        lambda kit: kit.train(kit.npy(kit.images[:0])),
        "must hold at least 2 images, got 0",
    ),
    (
        "images-0-predict",
        lambda kit: kit.predict(kit.npy(kit.images[:0])),
        "must hold at least 1 image, got 0",
    ),
    (
        "images-1-train",
        lambda kit: kit.train(kit.npy(kit.images[:1])),
        "must hold at least 2 images, got 1",
    ),
    (
        "images-1-run",
        lambda kit: ["run", kit.npy(kit.images[:1]), kit.out],
        "must hold at least 2 images, got 1",
    ),
    ("height-0", lambda kit: kit.train(kit.npy(kit.images[:, :0])), "without pixels"),
    ("width-0", lambda kit: kit.predict(kit.npy(kit.images[:, :, :0])), "without pixels"),
    (
        "predict-other-size",
        lambda kit: kit.predict(kit.npy(np.zeros((24, 16, 16, 3), np.uint8))),
        "must hold images of shape (8, 8, 3) (height, width, channels)",
    ),
    (
        "predict-grey-instead-of-colour",
        lambda kit: kit.predict(kit.npy(kit.images[..., 0])),
        "got (8, 8, 1)",
    ),
]

CLUSTERS: list[Case] = [
    *(
        (
            f"{command}-k-{k}",
            lambda kit, command=command, k=k: (
                kit.predict(kit.images_file, "-k", k)
                if command == "predict"
                else ["run", kit.images_file, kit.out, "-k", k, *kit.fast]
            ),
            # A recipe's number is checked before the images are opened.
            f"must be from 2 to 1,000,000, got {k}."
            if command == "run" and k != "41"
            else f"must be from 2 to 40, the number of images, got {k}.",
        )
        for command in ("predict", "run")
        for k in ("0", "1", "-1", "41", "99999999999999999999")
    ),
    (
        "train-more-clusters-than-images",
        lambda kit: kit.train(kit.images_file, "--set", "n_clusters=41"),
        "must be from 2 to 40, the number of images, got 41",
    ),
]

LABELS: list[Case] = [
    (
        "labels-other-length",
        lambda kit: kit.evaluate(kit.npy(np.zeros(39, int), "labels.npy")),
        "holds 39 labels for 40 images; give one for each image",
    ),
    (
        "labels-2-d",
        lambda kit: kit.evaluate(kit.npy(np.zeros((40, 1), int), "labels.npy")),
        "shape (40,), one for each image, got shape (40, 1)",
    ),
    (
        "labels-0-d",
        lambda kit: kit.evaluate(kit.npy(np.int64(3), "labels.npy")),
        "shape (40,), one for each image, got shape ()",
    ),
    (
        "labels-fractions",
        lambda kit: kit.evaluate(kit.npy(np.full(40, 0.5), "labels.npy")),
        "whole numbers",
    ),
    (
        "labels-nan",
        lambda kit: kit.evaluate(kit.npy(np.full(40, np.nan), "labels.npy")),
        "whole numbers",
    ),
    ("labels-words", lambda kit: kit.evaluate(small_labels(kit, dtype="<U3")), "whole numbers"),
    (
        "labels-pickled",
        lambda kit: kit.evaluate(small_labels(kit, dtype=object)),
        "pickled Python objects",
    ),
    (
        "labels-neither",
        lambda kit: ["evaluate", kit.images_file, kit.checkpoint],
        "evaluate needs LABELS, or --no-labels",
    ),
    (
        "labels-both",
        lambda kit: [*kit.evaluate(small_labels(kit, dtype=int)), "--no-labels"],
        "LABELS and --no-labels cannot both be given",
    ),
    (
        "no-labels-of-too-few-images",
        lambda kit: ["evaluate", kit.npy(kit.images[:19]), kit.checkpoint, "--no-labels"],
        "scores without labels need at least 20 images, got 19",
    ),
    ("labels-missing", lambda kit: kit.evaluate(kit.folder / "no.npy"), "no such file"),
    ("labels-missing-csv", lambda kit: kit.evaluate(kit.folder / "no.csv"), "no such file"),
    (
        "labels-txt",
        lambda kit: kit.evaluate(kit.file("labels.txt", b"0\n" * 40)),
        "labels must be a .npy, .npz or .csv file",
    ),
    (
        "labels-csv-other-header",
        lambda kit: kit.evaluate(kit.file("labels.csv", b"id,kind\n0,1\n")),
        "it has no column 'label', only id, kind",
    ),
    (
        "labels-csv-words",
        lambda kit: kit.evaluate(kit.file("labels.csv", b"id,label\n" + b"0,cat\n" * 40)),
        "names '0' more than once",
    ),
    (
        "labels-csv-too-large",
        lambda kit: kit.evaluate(kit.file("labels.csv", b"label\n" + b"9" * 30 + b"\n")),
        "label",
    ),
    (
        "labels-csv-binary",
        lambda kit: kit.evaluate(kit.file("labels.csv", b"label\n\xff\xfe\x00\n")),
        "is not a CSV file of labels: it is not text",
    ),
    (
        "labels-csv-short",
        lambda kit: kit.evaluate(kit.file("labels.csv", b"id,label\n0,1\n")),
        "has no label of 39 images, such as '1'",
    ),
]

OUTPUTS: list[Case] = [
    (
        "train-output-is-a-folder",
        lambda kit: ["train", kit.images_file, folder_at(kit, "there"), *kit.fast],
        "it is a folder; name a file",
    ),
    (
        "predict-output-is-a-folder",
        lambda kit: predict_to(kit, folder_at(kit, "there")),
        "it is a folder; name a file",
    ),
    (
        "table-output-is-a-folder",
        lambda kit: kit.predict(kit.images_file, "--table", folder_at(kit, "there")),
        "it is a folder; name a file",
    ),
    (
        "run-checkpoint-is-a-folder",
        lambda kit: [
            "run",
            kit.images_file,
            folder_at(kit, "there/checkpoint.pth").parent,
            *kit.fast,
        ],
        "it is a folder; name a file",
    ),
    (
        "predict-parent-is-a-file",
        lambda kit: predict_to(kit, parent_is_file(kit)),
        "part of its path is a file",
    ),
    (
        "table-parent-is-a-file",
        lambda kit: kit.predict(kit.images_file, "--table", parent_is_file(kit)),
        "part of its path is a file",
    ),
    (
        "train-parent-is-a-file",
        lambda kit: ["train", kit.images_file, parent_is_file(kit), *kit.fast],
        "part of its path is a file",
    ),
    (
        "run-folder-is-a-file",
        lambda kit: ["run", kit.images_file, kit.file("plain", b"a file"), *kit.fast],
        "part of its path is a file",
    ),
    (
        "demo-folder-is-a-file",
        lambda kit: ["demo", kit.file("plain", b"a file")],
        "part of its path is a file",
    ),
    (
        "output-name-too-long",
        lambda kit: predict_to(kit, kit.out / ("n" * 300 + ".csv")),
        "cannot write",
    ),
    # chmod does not bind root, but nobody makes files in these.
    *(
        (f"predict-to-{name}", lambda kit, path=path: predict_to(kit, Path(path)), "cannot write")
        for name, path in (("proc", "/proc/prediction.csv"), ("sys", "/sys/new/prediction.csv"))
        if os.path.isdir(os.path.dirname(path)) or os.path.isdir("/sys")
    ),
    (
        "train-to-proc",
        lambda kit: ["train", kit.images_file, "/proc/new/checkpoint.pth", *kit.fast],
        "/checkpoint.pth: nothing can be made in that folder; choose another path, then run",
    ),
    (
        "train-history-is-a-file",
        lambda kit: (
            kit.out.mkdir(exist_ok=True),
            shutil.rmtree(kit.out / "checkpoint.pth.history", ignore_errors=True),
            (kit.out / "checkpoint.pth.history").write_text("a file of somebody's"),
            kit.train(kit.images_file, "--quiet"),
        )[-1],
        "part of its path is a file",
    ),
]

SETTINGS: list[Case] = [
    (
        "views smaller than the encoder takes",
        lambda kit: kit.train(
            kit.images_file,
            "--recipe",
            "baseline",
            "--set",
            "encoder=convolutional",
            "--set",
            "views.resolution=0.5",
            "--set",
            "encoder.widths=(4,)",
        ),
        "views.resolution must be 1 with the encoder convolutional",
    ),
    *(
        (f"set {setting}", lambda kit, s=setting: kit.train(kit.images_file, "--set", s), fragment)
        for setting, fragment in (
            ("epoch=3", "no field 'epoch'; did you mean 'epochs'?"),
            ("epochs", "FIELD=VALUE"),
            ("=3", "a recipe has no field ''"),
            ("epochs.more=3", "epochs has no field 'more'"),
            ("views.min_krop=0.5", "no field 'min_krop'; did you mean 'min_crop'?"),
            ("views=3", "views has no field ''"),
            ("encoder=resdual", "no encoder 'resdual'; did you mean 'residual'?"),
            ("objectives=nt_xnt", "no objective 'nt_xnt'; did you mean 'nt_xent'?"),
            ("reducers=pcaa", "no reducer 'pcaa'; did you mean 'pca'?"),
            ("clusterer=kmean", "no clusterer 'kmean'; did you mean 'kmeans'?"),
            ("clusterer=_base", "no clusterer '_base'"),
            ("clusterer=os.system", "must be parts joined by +"),
            ("clusterer=kmeans+spectral", "must be a single part"),
            ("encoder.width=3", "no option 'width'; did you mean 'widths'?"),
            ("encoder=vgg(width=3)", "no option 'width'; did you mean 'widths'?"),
            ("objectives.moco.temperature=1", "this recipe has no 'objectives.moco.temperature'"),
            ("objectives=none", "objectives must name at least one objective"),
            ("learning_rate=0", "learning_rate must be above 0 and at most 10, got 0"),
            ("learning_rate=-1", "learning_rate must be above 0 and at most 10"),
            ("batch_size=1", "batch_size must be from 2 to"),
            ("n_clusters=0", "n_clusters must be from 2 to 1,000,000, got 0"),
            ("checkpoints=0", "checkpoints must be from 1 to 1,000"),
            ("views.min_crop=2", "min_crop must be above 0 and at most 1, got 2"),
            (
                "views.n_views=1",
                "views.n_views must be at least 2 with the objective nt_xent, got 1",
            ),
            ("views.n_local_crops=9", "views.n_local_crops must be from 0 to 8, got 9"),
            ("views.resolution=0", "views.resolution must be above 0 and at most 1, got 0"),
            (
                "embedding_resolution=0.5",
                "embedding_resolution must be from 1 to 4, got 0.5",
            ),
            ("encoder.widths=(0,)", "widths must be from 1 to 8,192, got 0"),
            ("reducers=pca(n_components=0)", "n_components must be from 1 to 1,000,000"),
            ("batch_size=many", "batch_size must be a whole number, got 'many'"),
            ("batch_size=2.5", "batch_size must be a whole number, got '2.5'"),
            ("batch_size=true", "batch_size must be a whole number"),
            ("views.horizontal_flip=1", "views.horizontal_flip must be true or false"),
            ("optimizer=sgd", "optimizer must be one of adam, adamw, muon"),
            ("precision=fp16", "precision must be one of auto, fp32, bf16"),
            ("objectives=nt_xent+nt_xent", "nt_xent"),
        )
    ),
    *(
        (
            "options " + " ".join(options),
            lambda kit, o=options: ["train", kit.images_file, kit.out / "checkpoint.pth", *o],
            fragment,
        )
        for *options, fragment in (
            ("--recipe", "bets", "no recipe 'bets'; did you mean 'best'?"),
            ("--recipe", "zzz", "no recipe 'zzz'; choose from baseline, best, digits, improved"),
            ("--epochs", "1", "--minutes", "1", "--epochs and --minutes cannot both be given"),
            ("--minutes", "0", "--minutes must be above 0 and at most 100,000, got"),
            ("--minutes", "-1", "--minutes must be above 0 and at most 100,000, got"),
            ("--minutes", "nan", "--minutes must be above 0 and at most 100,000, got"),
            ("--minutes", "inf", "--minutes must be"),
            ("--epochs", "0", "epochs must be above 0 and at most 1,000,000"),
            ("--epochs", "-3", "epochs must be above 0 and at most 1,000,000"),
            ("--epochs", "nan", "--epochs must be above 0 and at most 1,000,000, got nan"),
            ("--epochs", "inf", "--epochs must be above 0 and at most 1,000,000, got inf"),
            ("--seed", "-1", "seed must be from 0 to"),
            ("--seed", "99999999999999999999", "seed must be from 0 to"),
            ("--device", "tpu", "auto, cpu or cuda, got 'tpu'"),
        )
    ),
    (
        "predict-device-tpu",
        lambda kit: kit.predict(kit.images_file, "--device", "tpu"),
        "auto, cpu or cuda, got 'tpu'",
    ),
]

CHECKPOINTS: list[Case] = [
    *(
        (
            f"{name}-{command}",
            lambda kit, command=command, make=make: (
                ["info", make(kit)]
                if command == "info"
                else kit.predict(kit.images_file, checkpoint=make(kit))
            ),
            fragment,
        )
        for command in ("info", "predict")
        for name, make, fragment in (
            ("checkpoint-missing", lambda kit: kit.folder / "no.pth", "no such checkpoint"),
            (
                "checkpoint-folder",
                lambda kit: folder_at(kit, "there"),
                "is a folder, not a checkpoint",
            ),
            ("checkpoint-empty", lambda kit: kit.file("e.pth", b""), "is empty, not a checkpoint"),
            (
                "checkpoint-one-byte",
                lambda kit: kit.file("e.pth", b"P"),
                "checkpoint",
            ),
            (
                "checkpoint-truncated",
                lambda kit: half(kit.checkpoint, kit),
                "it is truncated or damaged",
            ),
            (
                "checkpoint-last-bytes-missing",
                lambda kit: kit.file("e.pth", kit.checkpoint.read_bytes()[:-40]),
                "it is truncated or damaged",
            ),
            (
                "checkpoint-random-bytes",
                lambda kit: kit.file("e.pth", np.random.default_rng(0).bytes(5000)),
                "checkpoint",
            ),
            ("checkpoint-is-data", lambda kit: kit.images_file, "checkpoint"),
            ("checkpoint-text", lambda kit: kit.file("e.pth", b"hello\n"), "checkpoint"),
            (
                "checkpoint-foreign-dict",
                lambda kit: (
                    torch.save({"state_dict": {"weight": torch.zeros(3)}}, kit.folder / "f.pth"),
                    kit.folder / "f.pth",
                )[-1],
                "is a checkpoint of another program",
            ),
            (
                "checkpoint-foreign-tensor",
                lambda kit: (
                    torch.save(torch.zeros(3), kit.folder / "f.pth"),
                    kit.folder / "f.pth",
                )[-1],
                "is a checkpoint of another program",
            ),
            (
                "checkpoint-foreign-zip",
                lambda kit: npz(kit, images=kit.images),
                "is not a checkpoint",
            ),
            ("checkpoint-nonsense-tensor", nonsense_tensor, "checkpoint"),
            ("checkpoint-newer", lambda kit: kit.changed(format_version=99), "a newer shoal"),
            (
                "checkpoint-lacks-a-part",
                lambda kit: kit.changed(about="{}"),
                "missing or damaged (recipe)",
            ),
            (
                "checkpoint-about-not-json",
                lambda kit: kit.changed(about="{"),
                "missing or damaged",
            ),
            (
                "checkpoint-format-no-number",
                lambda kit: kit.changed(format_version=torch.nn.Parameter(torch.zeros(3))),
                "missing or damaged (format_version)",
            ),
            (
                "checkpoint-shape-no-numbers",
                lambda kit: said_otherwise(kit, image_shape=[8, [8], 3]),
                "missing or damaged (image_shape)",
            ),
            (
                "checkpoint-epoch-no-number",
                lambda kit: said_otherwise(kit, epoch=[]),
                "missing or damaged (epoch)",
            ),
            (
                "checkpoint-seconds-no-number",
                lambda kit: said_otherwise(kit, provenance={"seconds": "x"}),
                "missing or damaged (provenance.seconds)",
            ),
            (
                "checkpoint-array-larger-than-its-content",
                lambda kit: kit.changed(familiar={"x": torch.zeros(1).expand(10**12)}),
                "larger than its content",
            ),
            ("checkpoint-bomb-zipped", lambda kit: bomb_checkpoint(kit, True), "can run code"),
            ("checkpoint-bomb-bare", lambda kit: bomb_checkpoint(kit, False), "can run code"),
        )
    ),
    (
        "pairs-with-a-zero-byte",
        lambda kit: [
            "pairs",
            kit.images_file,
            kit.checkpoint,
            kit.out / "decided.csv",
            "--pairs",
            kit.file("p.csv", b"a,b\n0,1\n0,\0\n"),
        ],
        "is not a CSV file with two columns of ids: it is not text",
    ),
    (
        "checkpoint-calibration-no-arrays",
        lambda kit: kit.predict(
            kit.images_file, checkpoint=kit.changed(calibration={"memberships": torch.zeros(())})
        ),
        "calibration is damaged",
    ),
    (
        "checkpoint-reducer-without-its-arrays",
        lambda kit: kit.predict(kit.images_file, checkpoint=without_arrays(kit)),
        "do not fit one another",
    ),
    (
        "checkpoint-weights-that-are-not-numbers",
        lambda kit: kit.predict(kit.images_file, checkpoint=with_nan_weights(kit)),
        "not a number",
    ),
    (
        "checkpoint-weights-of-another-recipe",
        lambda kit: kit.predict(kit.images_file, checkpoint=other_recipe_weights(kit)),
        "weights do not fit its recipe",
    ),
    (
        "checkpoint-without-its-reducers",
        lambda kit: kit.predict(kit.images_file, checkpoint=kit.changed(reducers=[])),
        "checkpoint",
    ),
    (
        "checkpoint-without-its-objectives",
        lambda kit: kit.predict(kit.images_file, checkpoint=kit.changed(objectives=[])),
        "checkpoint",
    ),
    (
        "checkpoint-along-the-way-predict",
        lambda kit: kit.predict(kit.images_file, checkpoint=history_checkpoint(kit)),
        "was kept along the way and has no clusters",
    ),
    (
        "checkpoint-along-the-way-evaluate",
        lambda kit: [
            "evaluate",
            kit.images_file,
            history_checkpoint(kit),
            small_labels(kit, dtype=int),
        ],
        "was kept along the way and has no clusters",
    ),
    (
        "checkpoint-along-the-way-splits",
        lambda kit: [
            "splits",
            kit.images_file,
            history_checkpoint(kit),
            "--picture",
            kit.out / "s.png",
        ],
        "was kept along the way and has no clusters",
    ),
    (
        "splits-picture-of-an-unknown-kind",
        lambda kit: ["splits", kit.images_file, kit.checkpoint, "--picture", kit.out / "s.docx"],
        "must end in .png, .pdf or .svg",
    ),
    (
        "splits-picture-over-the-images",
        lambda kit: ["splits", kit.images_file, kit.checkpoint, "--picture", kit.images_file],
        "it is an input of this command",
    ),
    (
        "predict-split-zero",
        lambda kit: kit.predict(kit.images_file, "--split", "0"),
        "--split must be from 1 to",
    ),
    (
        "resume-other-data",
        lambda kit: resume(kit, kit.npy(kit.images[::-1])),
        "learned from other images",
    ),
    (
        "resume-other-settings",
        lambda kit: resume(kit, None, "--set", "learning_rate=0.002"),
        "has learning_rate=0.006, not 0.002",
    ),
    (
        "resume-other-seed",
        lambda kit: resume(kit, None, "--seed", "1"),
        "has --seed 0, not 1",
    ),
    ("resume-damaged", resume_damaged, "it is truncated or damaged"),
]

WRITING = ("train", "run", "predict", "splits", "clusters", "tree", "report")
CASES = [*DATA, *CLUSTERS, *LABELS, *OUTPUTS, *SETTINGS, *CHECKPOINTS]


@pytest.mark.parametrize("before", ["nothing", "older output"])
@pytest.mark.parametrize(("build", "fragment"), [pytest.param(*c[1:], id=c[0]) for c in CASES])
def test_one_sentence_exit_2_and_nothing_left_behind(
    build: Callable[[Kit], Command],
    fragment: str,
    before: str,
    kit: Kit,
    tree: Callable[[Path], dict[str, str]],
) -> None:
    if before == "older output":
        shutil.copytree(kit.checkpoint.parent, kit.out)
        (kit.out / "prediction.csv").write_text("id,label\n0,1\n")
    command = build(kit)
    if before == "older output" and command[0] in WRITING and "--resume" not in command:
        command = [*command, "--force"]  # not even then is anything lost to a command that fails
    already = tree(kit.folder)
    result = kit.run_cli(*command)
    assert "Traceback" not in result.err, result.err
    assert fragment in result.err
    progress = (
        "going on at epoch",
        "40 images of",
        "warning: 40 images are few",
    )  # said before the fault can be known
    lines = [line for line in result.err.splitlines() if not line.startswith(progress)]
    assert len(lines) == 1, result.err
    assert lines[0].startswith("shoal: ")
    assert result.code == 2
    assert result.out == ""
    assert tree(kit.folder) == already


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("train x.npy c.pth --epochs many", "--epochs must be a number, got 'many'."),
        ("train x.npy c.pth --seed=1.5", "--seed must be a whole number, got '1.5'."),
        ("predict x.npy c.pth p.csv -k two", "-k must be a whole number or auto, got 'two'."),
        ("outliers x.npy c.pth -n 1,5", "-n must be a whole number, got '1,5'."),
    ],
)
def test_what_is_no_number_is_said_in_one_sentence(
    arguments: str, said: str, run_cli: Callable[..., Any]
) -> None:
    result = run_cli(*arguments.split())
    assert (result.code, result.out, result.err) == (2, "", f"shoal: {said}\n")


def test_arguments_that_are_swapped_and_a_folder_of_a_run_get_a_hint(
    kit: Kit, run_cli: Callable[..., Any]
) -> None:
    folder = kit.checkpoint.parent
    (text := kit.out / "notes.pth").parent.mkdir(exist_ok=True)
    text.write_text("my notes\n")
    (empty := kit.out / "empty").mkdir()
    asked = {
        ("info", empty): f"{empty} is a folder, not a checkpoint file, and holds no checkpoint.pth",
        ("evaluate", kit.images_file, folder, "--no-labels"): "did you mean",
        ("predict", kit.checkpoint, kit.images_file, kit.out / "p.csv"):
            "is a checkpoint, not images; DATA comes first, then CHECKPOINT.",
        ("info", text): f"{text} is a text file, not a checkpoint; check the path.",
    }  # fmt: skip
    for command, said in asked.items():
        result = run_cli(*command)
        assert (result.code, result.err.count("\n")) == (2, 1), command
        assert said in result.err


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["train"], "missing argument 'DATA'"),
        (["train", "x.npy"], "missing argument 'CHECKPOINT'"),
        (["predict", "x.npy", "c.pth"], "missing argument 'PREDICTION'"),
        (["evaluate", "x.npy"], "missing argument 'CHECKPOINT'"),
        (["info", "a.pth", "b.pth"], "unexpected extra argument"),
        (["train", "x.npy", "c.pth", "--epoch", "3"], "no such option: --epoch"),
        (["--verbose"], "no such option: --verbose"),
        (["predict", "x.npy", "c.pth", "p.csv", "-k"], "requires an argument"),
        (["trian", "x.npy", "c.pth"], "no such command 'trian'"),
    ],
)
def test_a_usage_error_is_one_sentence(
    arguments: list[str],
    fragment: str,
    run_cli: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run_cli(*arguments)
    assert result.code == 2, result
    assert result.err.count("\n") == 1
    assert result.err.startswith("shoal: ")
    assert fragment in result.err
    of_all = arguments[0] in ("trian", "--verbose")
    command = "shoal" if of_all else f"shoal {arguments[0]}"
    assert result.err.endswith(f"ry '{command} --help'.\n")
    assert result.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
@pytest.mark.parametrize("command", ["train", "predict", "evaluate", "run"])
def test_cuda_without_a_cuda_device(
    command: str, kit: Kit, tree: Callable[[Path], dict[str, str]]
) -> None:
    arguments = {
        "train": [kit.images_file, kit.out / "c.pth"],
        "predict": [kit.images_file, kit.checkpoint, kit.out / "p.csv"],
        "evaluate": [kit.images_file, kit.checkpoint, small_labels(kit, dtype=int)],
        "run": [kit.images_file, kit.out],
    }[command]
    already = tree(kit.folder)
    result = kit.run_cli(command, *arguments, "--device", "cuda")
    assert "PyTorch finds no CUDA device" in result.err
    assert result.err.count("\n") == 1
    assert result.code == 2
    assert tree(kit.folder) == already


def test_a_pickle_in_a_checkpoint_would_have_run(kit: Kit) -> None:
    """The bomb of the cases above is live: whoever unpickles it makes the folder."""
    kit.out.mkdir()
    path = bomb_checkpoint(kit, zipped=True)
    torch.load(path, weights_only=False)
    assert (kit.out / "ran").is_dir()


@pytest.mark.parametrize("seed", range(8))
def test_bytes_flipped_in_a_checkpoint_never_give_a_traceback(seed: int, kit: Kit) -> None:
    content = bytearray(kit.checkpoint.read_bytes())
    generator = np.random.default_rng(seed)
    # The first 8 kB hold the pickle: what a flipped byte there can do is the most varied.
    places = generator.integers(0, (8_000, len(content))[seed % 2], 20)
    for place in places:
        content[place] ^= int(generator.integers(1, 256))
    damaged = kit.file("damaged.pth", bytes(content))
    result = kit.run_cli(*kit.predict(kit.images_file, checkpoint=damaged))
    assert "Traceback" not in result.err, result.err
    assert result.code == 2
    assert result.err.startswith("shoal: ")
    assert not kit.out.exists()


class FullDisk:
    """Any writing beyond ``room`` bytes raises ENOSPC, as a full disk does, wherever it is."""

    def __init__(self, room: int) -> None:
        self.room = room

    def take(self, size: int) -> None:
        self.room -= size
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write_bytes(self, path: Path, content: Any) -> int:
        size = memoryview(content).nbytes
        with path.open("wb") as file:
            file.write(memoryview(content)[: max(self.room, 0)])  # what still fits gets written
        self.take(size)
        return size


@pytest.mark.parametrize("room", [0, 10_000, 600_000])
@pytest.mark.parametrize("before", ["nothing", "older output"])
def test_full_disk_while_training(
    room: int,
    before: str,
    kit: Kit,
    tree: Callable[[Path], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kit.out.mkdir()
    checkpoint = kit.out / "checkpoint.pth"
    if before == "older output":
        shutil.copy(kit.checkpoint, checkpoint)
    older = tree(kit.out)
    disk = FullDisk(room)
    monkeypatch.setattr(Path, "write_bytes", lambda path, data: disk.write_bytes(path, data))
    result = kit.run_cli(*kit.train(kit.images_file, "--quiet", "--force"))
    monkeypatch.undo()
    assert disk.room < 0  # it did get full
    assert result.code == 2
    assert result.err.startswith(f"shoal: cannot write {kit.out}")
    assert "the disk is full; free some space" in result.err
    assert result.err.count("\n") == 1
    left = tree(kit.out)
    assert not [name for name in left if ".shoal-" in name]
    aside = "checkpoint.pth.history.previous/"  # where it makes room for a new run that has begun
    assert {name: left.get(name, left.get(aside + name)) for name in older} == older
    assert not checkpoint.exists() or (before == "older output" and aside[:-1] not in left)


@pytest.mark.parametrize("before", ["nothing", "older output"])
@pytest.mark.parametrize("output", ["prediction.csv", "table.parquet"])
def test_full_disk_while_predicting(
    output: str, before: str, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shoal.images.files

    kit.out.mkdir()
    path = kit.out / output
    if before == "older output":
        path.write_text("id,label\n")
    fsync = os.fsync

    def full(handle: int) -> None:
        # A full disk may show only when the data is forced out.
        if output.rpartition(".")[2] in os.readlink(f"/proc/self/fd/{handle}"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc to tell files apart")
    monkeypatch.setattr(shoal.images.files.os, "fsync", full)
    result = kit.run_cli(
        *kit.predict(kit.images_file, "--quiet", "--table", kit.out / "table.parquet", "--force")
    )
    assert result.err == (
        f"shoal: cannot write {path}: the disk is full; free some space, then run the command "
        "again.\n"
    )
    assert result.code == 2
    assert not [name for name in os.listdir(kit.out) if ".shoal-" in name]
    if before == "older output":
        assert path.read_text() == "id,label\n"
    else:
        assert not path.exists()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a tiny disk")
    mounted = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"mount is not permitted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full(tiny_disk: Path, kit: Kit) -> None:
    result = kit.run_cli(
        "train", kit.images_file, tiny_disk / "checkpoint.pth", "--quiet", *kit.fast
    )
    assert result.code == 2
    assert result.err.startswith(f"shoal: cannot write {tiny_disk}")
    assert "the disk is full" in result.err
    assert not (tiny_disk / "checkpoint.pth").exists()
    assert not [path for path in tiny_disk.rglob("*") if path.name.startswith(".shoal-")]


def test_a_file_size_limit_is_not_a_crash(kit: Kit, start_shoal: Callable[..., Any]) -> None:
    """Writing really fails half-way, at a limit of 100 kB a file; the older file survives."""
    resource = pytest.importorskip("resource")
    kit.out.mkdir()
    older = kit.out / "checkpoint.pth"
    older.write_bytes(b"older")

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    process = start_shoal(*kit.train(kit.images_file, "--quiet", "--force"), preexec_fn=limit)
    out, err = process.communicate(timeout=120)
    assert out == ""
    assert err.startswith("shoal: cannot write ")
    assert err.count("\n") == 1
    assert process.returncode == 2
    kept = [path for path in kit.out.rglob("checkpoint.pth") if path.read_bytes() == b"older"]
    assert len(kept) == 1
    assert not [path for path in kit.out.rglob("*") if path.name.startswith(".shoal-")]


def test_a_folder_of_somebody_elses_in_the_way_of_the_unfinished_run(kit: Kit) -> None:
    """An unfinished run is moved to ``….history.previous``; what is there may not be ours."""
    kit.unfinished()
    aside = kit.out / "checkpoint.pth.history.previous"
    aside.mkdir()
    (aside / "diary.txt").write_text("not of shoal")
    result = kit.run_cli(*kit.train(kit.images_file, "--quiet", "--force"))
    assert result.code == 0, result.err
    assert (aside / "diary.txt").read_text() == "not of shoal"
    assert list(kit.out.glob("checkpoint.pth.history.previous*/resume.pth"))


@pytest.mark.parametrize(
    ("changed", "fragment"),
    [(("data",), "other images"), (("-k", "3"), "has -k 2, not 3"), (("shape",), "other images")],
    ids=["other data", "other k", "other shape"],
)
def test_resume_of_a_finished_run_does_not_hide_another_question(
    changed: tuple[str, ...], fragment: str, kit: Kit
) -> None:
    """`run --resume` may not answer about other images, or another k, with the old answer."""
    shutil.copytree(kit.checkpoint.parent, kit.out)
    data = {
        "data": lambda: kit.npy(255 - kit.images),
        "shape": lambda: kit.npy(np.zeros((24, 16, 16), np.uint8)),
    }.get(changed[0], lambda: kit.images_file)()
    options = changed if changed[0] == "-k" else ()
    result = kit.run_cli("run", data, kit.out, "--resume", "--quiet", *kit.fast, *options)
    assert "Traceback" not in result.err, result.err
    assert result.code == 2
    assert fragment in result.err


def test_special_files_are_not_replaced(kit: Kit) -> None:
    """``/dev/null`` as an output, given by root, may not become an ordinary file."""
    fifo = kit.folder / "pipe"
    os.mkfifo(fifo)
    result = kit.run_cli(*predict_to(kit, fifo))
    assert fifo.is_fifo()
    assert result.code == 2


@pytest.mark.parametrize("target", ["data", "checkpoint"])
def test_an_input_is_not_overwritten(target: str, kit: Kit) -> None:
    data = kit.npy(kit.images)
    checkpoint = shutil.copy(kit.checkpoint, kit.folder / "mine.pth")
    before = {path: path.read_bytes() for path in (data, Path(checkpoint))}
    result = kit.run_cli(
        "predict", data, checkpoint, data if target == "data" else Path(checkpoint)
    )
    assert {path: path.read_bytes() for path in before} == before
    assert result.code == 2


def test_a_zip_that_is_not_numpy(kit: Kit) -> None:
    path = kit.folder / "data.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    result = kit.run_cli(*kit.train(path))
    assert "Traceback" not in result.err, result.err
    assert result.code == 2
