"""Every file of a pile is an image of it or counted with its reason, in every kind of source."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from shoal import ArraySource, open_source
from shoal.images.subset import Subset


def encoded(level: int, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (level, 50, 90)).save(file, kind, **options)
    return file.getvalue()


def drawn() -> bytes:
    mark = PngImagePlugin.PngInfo()
    mark.add_text("Software", "shoal 0.1.0")
    return encoded(9, pnginfo=mark)


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)
PSD = b"8BPS" + bytes(40)
USED = {
    "a.JPG": encoded(1, "JPEG"), "b.jfif": encoded(2, "JPEG"), "c": encoded(3, "JPEG"),
    "d.avif": encoded(4, "AVIF"), "e.jp2": encoded(5, "JPEG2000"),
    "f.jpg_large": encoded(6, "JPEG"),
    "g.jpg": encoded(7), "h.1": encoded(8), "sub/two.dots.png": encoded(9),
    "sub/two.more.png": encoded(10),
}  # fmt: skip
LEFT = {
    "x.HEIC": "HEIC", "named.jpg": "HEIC", "x.cr2": "raw", "x.mp4": "video", "x.svg": "drawing",
    "x.jxl": "JPEG XL", "x.tga": "kind of image", "notes.txt": "no image",
    "unknown.xyz": "no image",
    "README": "no image", "empty": "empty", "empty.png": "empty", "broken.png": "not an image",
    ".hidden.png": "hidden", ".git/a.png": "hidden", "@eaDir/a.jpg/THUMB.jpg": "thumbnails",
    "__MACOSX/._a.png": "thumbnails", "x.lrdata/1/a.jpg": "thumbnails", "old.zip": "archive",
    "x.npy": "array", "map.png": "shoal drew", "found/shoal.json": "shoal wrote",
    "found/map.png": "shoal wrote", "found/clusters/1.png": "shoal wrote",
}  # fmt: skip
CONTENT = {
    "x.HEIC": HEIC, "named.jpg": HEIC, "empty": b"", "empty.png": b"", "map.png": drawn(),
    "found/shoal.json": json.dumps({"format": "shoal run"}).encode(),
}  # fmt: skip
FILES = USED | {
    name: CONTENT.get(name, encoded(99) if "/" in name or name[0] == "." else b"hello, world")
    for name in LEFT
}


def to_folder(path: Path) -> Path:
    for name, content in FILES.items():
        (path / "pile" / name).parent.mkdir(parents=True, exist_ok=True)
        (path / "pile" / name).write_bytes(content)
    return path / "pile"


def to_zip(path: Path) -> Path:
    with zipfile.ZipFile(path / "pile.zip", "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    return path / "pile.zip"


def tar_of(names: list[str], mode: str = "w") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:  # type: ignore[call-overload]
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(FILES[name])
            archive.addfile(info, io.BytesIO(FILES[name]))
    return file.getvalue()


def to_tar(path: Path, mode: str = "w", suffix: str = "tar") -> Path:
    """Two archives, one behind the other, as ``cat`` leaves them."""
    names = list(FILES)
    (path / f"pile.{suffix}").write_bytes(tar_of(names[:7], mode) + tar_of(names[7:], mode))
    return path / f"pile.{suffix}"


WAYS: dict[str, Callable[[Path], Path]] = {
    "folder": to_folder, "zip": to_zip, "tar": to_tar,
    "tgz": lambda path: to_tar(path, "w:gz", "tgz"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_used_and_left_out_are_all_files(way: str, tmp_path: Path) -> None:
    source: Any = open_source(WAYS[way](tmp_path))
    assert sorted(source.ids) == sorted(USED)
    skipped = dict(source.skipped)
    assert sorted(skipped) == sorted(LEFT)
    for name, part in LEFT.items():
        assert part in skipped[name], (name, skipped[name])
    assert len(source) + sum(one.n_files for one in source.left_out) == len(FILES)
    again: Any = open_source(WAYS[way](tmp_path))
    assert again.left_out == source.left_out


def test_many_of_a_kind_are_one_row(
    run_cli: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path
) -> None:
    pile = tmp_path / "pile"
    pile.mkdir()
    for number in range(30):
        (pile / f"{number}.psd").write_bytes(PSD)
        (pile / f"{number}.png").write_bytes(encoded(number))
    (pile / "notes.txt").write_text("x")
    result = run_cli("run", pile, tmp_path / "found", "--quiet", *fast)
    assert result.code == 0
    assert result.err.splitlines()[0] == "61 files: 30 images, 31 left out"
    assert "  30 .psd: a kind of image" in result.err
    rows = (tmp_path / "found" / "skipped.csv").read_text().splitlines()
    assert len(rows) == 3
    model, out = tmp_path / "found" / "checkpoint.pth", tmp_path / "new" / "p.csv"
    told = run_cli("predict", pile, model, out)
    assert f"what was left out is listed in {out.with_name('p.skipped.csv')}\n" in told.err
    assert any(row.startswith('*.psd,"30 files: a kind of image') for row in rows)
    # What shoal drew itself is no image, wherever it is moved.
    (tmp_path / "found" / "map.png").rename(pile / "map.png")
    source = open_source(pile)
    assert len(source) == 30
    assert ("map.png", "a picture that shoal drew") in source.skipped


def test_folders_that_cannot_be_opened_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.png", "locked/b.png", "locked.more/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(encoded(1))
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    source = open_source(tmp_path)
    assert list(source.ids) == ["a.png", "locked.more/c.png"]
    assert dict(source.skipped) == {"locked": "a folder that cannot be opened (Permission denied)"}


def test_names_with_dots_in_a_plain_tar_are_all_images(tmp_path: Path) -> None:
    file = tmp_path / "a.tar"
    with tarfile.open(file, "w") as archive:
        for number in range(40):
            info = tarfile.TarInfo(f"IMG.{number:02}.jpg")
            info.size = len(encoded(number))
            archive.addfile(info, io.BytesIO(encoded(number)))
        archive.addfile(tarfile.TarInfo("IMG.txt"))
    assert len(open_source(file)) == 40


def test_lists_as_other_programs_write_them(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(encoded(number))
    lists = {
        "a.csv": "label,file_name\nx,0.png\ny,1.png\nz,\n".encode("utf-16"),
        "b.txt": "0.png\n1.png\n".encode("utf-16-le"),
        "c.csv": b",name\n0,0.png\n1,1.png\n",
        "d.tsv": b"Image Path\tb\n0.png\t1\n1.png\t2\n",
    }
    for name, content in lists.items():
        (tmp_path / name).write_bytes(content)
        source = open_source(tmp_path / name)
        assert list(source.ids) == ["0.png", "1.png"], name
        if name == "a.csv":
            assert dict(source.skipped) == {"row 3": "no path in this row"}


def test_a_pattern_below_a_folder_with_brackets(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = tmp_path / "scans [2024]"
    folder.mkdir()
    for part in range(2):  # the same image many times: stored once, as a dictionary
        rows = pa.array([encoded(part)] * 3, pa.binary()).dictionary_encode()
        pq.write_table(pa.table({"image": rows}), folder / f"{part}.parquet")
    assert len(open_source(folder / "*.parquet")) == 6


def test_sources_read_the_same_in_another_process(tmp_path: Path) -> None:
    kept, temporary = open_source(to_zip(tmp_path)), open_source(to_zip(tmp_path), cache=False)
    np.save(tmp_path / "a.npy", kept.read(np.arange(len(kept))))
    sources = [kept, temporary, open_source(tmp_path / "a.npy"), Subset(kept, np.array([2, 1])),
               ArraySource(np.arange(64, dtype=np.uint8).reshape(1, 8, 8))]  # fmt: skip
    (tmp_path / "sources.pickle").write_bytes(pickle.dumps(sources))
    code = (
        "import pickle, sys; [print(one.digest(), len(one), len(one.originals.content(0))) "
        "for one in pickle.load(open(sys.argv[1], 'rb'))]"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "sources.pickle")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.splitlines() == [
        f"{one.digest()} {len(one)} {len(one.originals.content(0))}" for one in sources
    ]
    np.testing.assert_array_equal(np.asarray(kept), kept.read(np.arange(len(kept))))
    assert len(pickle.dumps(kept)) < 5000  # the file's name, not the pixels


def test_no_folder_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", nowhere)
    monkeypatch.setattr("os.access", lambda *_: False)
    for path in (to_zip(tmp_path), to_tar(tmp_path, "w:gz", "tgz")):
        assert len(open_source(path)) == len(USED)
    assert open_source(to_zip(tmp_path), cache=False).notes[1].endswith("kB")


def test_orientation_in_the_text_of_a_png() -> None:
    from shoal.images.decoding.image import look

    exif = Image.Exif()
    exif[0x0112] = 6
    content = b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0")
    xmp = b'<rdf:Description tiff:Orientation="6"/>'
    for name, kind, text in (("exif", "exif", content), ("APP1", "APP1", content),
                             ("xmp", "xmp", xmp)):  # fmt: skip
        info = PngImagePlugin.PngInfo()
        info.add_text(f"Raw profile type {name}", f"\n{kind}\n{len(text):8}\n{text.hex()}\n")
        file = io.BytesIO()
        Image.new("L", (4, 9)).save(file, "PNG", pnginfo=info)
        facts = look(file.getvalue())
        assert facts[:3] == (4, 9, True), name
