"""Nothing shown or written tells who ran shoal, where, or in which environment: secrets are planted
there, and looked for in everything that the commands print and write."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pypdf import PdfReader
from pypdf.generic import IndirectObject, StreamObject

import shoal
from shoal.cli.run_identity import data_of_run

DRIVER = """
import importlib, inspect, json, pkgutil, sys
from shoal.__main__ import main
for words in json.load(sys.stdin):
    sys.argv = ["shoal", *words]
    code = 0
    try:
        main()
    except SystemExit as stop:
        code = stop.code or 0
    sys.stdout.flush()
    print(f"exit code {code}", file=sys.stderr, flush=True)
    print("exit code", code, flush=True)
import shoal
modules = [shoal]
for found in pkgutil.walk_packages(shoal.__path__, "shoal."):
    if not found.name.endswith("__main__"):
        modules.append(importlib.import_module(found.name))
shown = [(name, getattr(shoal, name)) for name in shoal.__all__]
shown += [pair for module in modules for pair in list(vars(module).items())
          if getattr(pair[1], "__module__", "").startswith("shoal")]
for name, value in shown:
    print(name, repr(value), value.__doc__)
    for member in [value, *(vars(value).values() if inspect.isclass(value) else ())]:
        if callable(member):
            try:
                print(inspect.signature(member), getattr(member, "__doc__", ""))
            except (TypeError, ValueError):
                pass
"""
"""Runs commands in a process of its own, so that defaults made at import see the environment; then
prints what ``help`` would show of everything in the package."""


@dataclass(frozen=True)
class Ran:
    """What the commands printed, by the command, and where they wrote."""

    printed: dict[str, str]
    shown: str
    folder: Path


@pytest.fixture(scope="module")
def secret() -> str:
    """In every place that is nobody else's business."""
    return f"secret{secrets.token_hex(6)}"


@pytest.fixture(scope="module")
def ran(
    secret: str, images: np.ndarray, fast: Sequence[str], tmp_path_factory: pytest.TempPathFactory
) -> Ran:
    """The commands, with relative paths and with absolute ones, in an environment of secrets."""
    top = tmp_path_factory.mktemp("privacy") / f"{secret}-parent"
    folder, home, temporary = top / "work", top / f"{secret}-user", top / "tmp"
    for made in (folder / "pile", home, temporary):
        made.mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / "pile" / f"{number:02}.png")
    damaged = (folder / "pile" / "39.png").read_bytes()[:60]
    (folder / "pile" / "39.png").write_bytes(damaged)
    np.save(folder / "pile.npy", images)
    scans = _write_scans(folder / "scans", images, secret)
    (folder / "odd.png").write_bytes(damaged)
    (folder / "damaged.pth").write_bytes(b"PK\3\4 no checkpoint")
    commands = [*(_of_scans(fast) if scans else []), *_commands(folder, fast)]
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "COV"))
    } | {
        "SHOAL_TEST_SECRET": secret,
        "HOME": str(home),
        "USER": secret,
        "LOGNAME": secret,
        "USERNAME": secret,
        "HOSTNAME": secret,
        "TMPDIR": str(temporary),
        "PYTHONPATH": str(Path(shoal.__file__).parents[1]),
    }
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    streams = [re.split(r"exit code (\d+)\n", text) for text in (done.stdout, done.stderr)]
    printed = {}
    for number, words in enumerate(commands):
        command = " ".join(words)
        out, err = (stream[2 * number] for stream in streams)
        wanted = "2" if words in commands[-4:] else "0"
        assert streams[1][2 * number + 1] == wanted, (command, err)
        printed[command] = out + err
    assert any((home / ".cache" / "shoal").rglob("*")), "the cache is not where it was planted"
    shutil.rmtree(home)
    shutil.rmtree(folder / "scans", ignore_errors=True)
    return Ran(printed, streams[0][-1], folder)


def _write_scans(folder: Path, images: np.ndarray, secret: str) -> bool:
    """Files of a scanner that are full of a patient's data; False without the extra scientific."""
    try:
        import pydicom
        from pydicom.dataset import Dataset, FileMetaDataset
    except ModuleNotFoundError:
        return False
    folder.mkdir()
    for number, image in enumerate(images):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.{number}"
        data.PatientName, data.PatientID, data.StudyDate = f"{secret}^Ada", secret, "19010203"
        data.InstitutionName = data.ImageComments = secret
        data.Rows, data.Columns, data.SamplesPerPixel = *image.shape[:2], 1
        data.PhotometricInterpretation, data.PixelRepresentation = "MONOCHROME1", 0
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.RescaleSlope, data.RescaleIntercept = 15, 1.0, -1024.0
        pixels = image[..., 0].astype(np.uint16) * 16
        data.PixelData = pixels.tobytes()[: 40 if number == 5 else None]
        data.save_as(folder / f"{number:02}.dcm", enforce_file_format=True)
    return True


def _of_scans(fast: Sequence[str]) -> list[list[str]]:
    return [
        ["run", "scans", "scanned", *fast],
        ["predict", "scans", "scanned/checkpoint.pth", "s.csv", "--table", "s.parquet"],
        ["export", "scans", "scanned/table.parquet", "scans.parquet", "--as", "parquet"],
    ]


def _commands(folder: Path, fast: Sequence[str]) -> list[list[str]]:
    trained = [*fast, "--epochs", "2", "--set", "checkpoints=10"]
    relative = [
        ["run", "pile", "found", *fast],
        ["train", "pile.npy", "c.pth", *trained],
        ["predict", "pile", "found/checkpoint.pth", "p.csv", "--table", "p.parquet"],
        ["splits", "pile", "found/checkpoint.pth", "--json"],
        ["clusters", "pile", "found/checkpoint.pth", "--to", "3"],
        ["tree", "pile", "found/checkpoint.pth", "tree.json"],
        ["report", "pile.npy", "c.pth", "r.pdf", "r.html"],
        ["export", "pile", "found/table.parquet", "e.parquet", "--as", "parquet"],
        ["export", "pile", "found/table.parquet", "e.json", "--as", "json"],
        ["export", "pile", "found/table.parquet", "sorted"],
        ["info", "found/checkpoint.pth"],
        ["info", "found/checkpoint.pth", "--json"],
        ["similar", "pile", "found/checkpoint.pth", "01.png", "-n", "3"],
        ["duplicates", "pile"],
        ["outliers", "pile", "found/checkpoint.pth", "-n", "3", "--picture", "outliers.svg"],
        ["name", "found/table.parquet", "--template", "names.csv"],
    ]
    place = str(folder / "absolute")
    pile, checkpoint = str(folder / "pile"), f"{place}/checkpoint.pth"
    absolute = [
        ["run", pile, place, *fast],
        ["predict", pile, checkpoint, f"{place}/p.csv", f"--table={place}/p.parquet"],
        ["report", f"{folder}/pile.npy", f"{folder}/c.pth", f"{place}/r.html"],
        ["export", pile, f"{place}/p.parquet", f"{place}/e.parquet", "--as", "parquet"],
        ["export", pile, f"{place}/p.parquet", f"{place}/e.json", "--as", "json"],
        ["export", pile, f"{place}/p.parquet", f"{place}/sorted"],
    ]
    errors = [
        ["info", "missing.pth"],
        ["predict", "pile.npy", "damaged.pth", "x.csv"],
        ["train", "odd.png", "x.pth"],
        ["similar", "pile", "found/checkpoint.pth", "odd.png", "--force"],
    ]
    return [*relative, *absolute, *errors]


def layers(content: bytes) -> Iterator[bytes]:
    """``content``, and whatever is packed in it, unpacked."""
    yield content
    if content.startswith(b"PK\3\4") and zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                yield member.filename.encode() + member.comment + member.extra
                yield from layers(archive.read(member))
    elif content.startswith(b"\x1f\x8b"):
        yield from layers(gzip.decompress(content))
    elif content.startswith(b"\x89PNG") and len(content) > 100:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            yield repr(image.info).encode()
    elif content.startswith(b"PAR1"):
        table = pq.read_table(io.BytesIO(content))
        yield repr(table.schema.metadata).encode()
        for column in table.columns:
            yield repr(column.to_pylist()).encode()
    elif content.startswith(b"%PDF"):
        reader = PdfReader(io.BytesIO(content))
        yield repr(reader.metadata).encode()
        for reference in all_objects(reader):
            found = reader.get_object(reference)
            if isinstance(found, StreamObject) and found.get("/Subtype") != "/Image":
                yield found.get_data()
    elif b"<html" in content[:2000]:
        for blob in re.findall(rb"[A-Za-z0-9+/]{200,}={0,2}", content):
            yield from layers(base64.b64decode(blob[: len(blob) // 4 * 4]))


def all_objects(reader: PdfReader) -> Iterator[IndirectObject]:
    """Every object of a PDF, used or not."""
    for generation, places in reader.xref.items():
        for number in places:
            yield IndirectObject(number, generation, reader)
    for number in reader.xref_objStm:
        yield IndirectObject(number, 0, reader)


def holds(content: bytes, wanted: str) -> bool:
    """Whether text is in it, in any encoding of text."""
    encodings = ("utf-8", "utf-16-le", "utf-16-be")
    return any(wanted.encode(name) in layer for layer in layers(content) for name in encodings)


def test_nothing_printed_tells_who_ran_it_or_where(ran: Ran, secret: str) -> None:
    code = str(Path(shoal.__file__).parents[1])
    for command, text in ran.printed.items():
        typed = secret in command  # what was typed may be said again: the home may not
        told = text.replace(str(ran.folder), "") if typed else text
        assert secret not in told, (command, text)
        assert code not in text, (command, text)
        assert "Traceback" not in text


def test_nothing_written_tells_who_ran_it_or_where(ran: Ran, secret: str) -> None:
    code = str(Path(shoal.__file__).parents[1])
    files = [path for path in ran.folder.rglob("*") if path.is_file()]
    names = {path.relative_to(ran.folder).as_posix() for path in files}
    assert names >= {
        "found/checkpoint.pth", "found/report.html", "found/shoal.json", "found/table.parquet",
        "c.pth", "r.pdf", "r.html", "e.parquet", "e.json", "sorted/shoal.json", "names.csv",
        "p.parquet", "tree.json", "similar.csv", "duplicates.csv", "outliers.svg", "splits.png",
        "absolute/shoal.json", "absolute/p.parquet", "absolute/r.html", "absolute/e.json",
    }  # fmt: skip
    telling = [
        str(path.relative_to(ran.folder))
        for path in files
        if any(holds(path.read_bytes(), wanted) for wanted in (secret, code))
    ]
    assert telling == []


def test_a_run_beside_its_images_knows_them_and_names_the_review(ran: Ran) -> None:
    for found, typed in (("found", "found"), ("absolute", str(ran.folder / "absolute"))):
        record = json.loads((ran.folder / found / "shoal.json").read_text())
        assert record["data"] == "../pile"
        assert data_of_run(ran.folder / found) == ran.folder / "pile"
        said = next(text for words, text in ran.printed.items()
                    if words.startswith("run ") and typed in words.split())  # fmt: skip
        assert said.strip().splitlines()[-1] == f"next: shoal review {typed}"


def test_nothing_public_shows_the_environment(ran: Ran, secret: str) -> None:
    assert "keep_large_buffers" in ran.shown
    assert secret not in ran.shown
    assert str(Path(shoal.__file__).parents[1]) not in ran.shown


@pytest.mark.parametrize("suffix", [".pdf", ".png", ".zip", ".html", ".parquet", ".gz"])
def test_the_search_sees_through_packing(suffix: str, tmp_path: Path) -> None:
    import pyarrow as pa
    from PIL.PngImagePlugin import PngInfo
    from reportlab.pdfgen.canvas import Canvas

    path = tmp_path / f"file{suffix}"
    wanted = "secret4711" + "x" * 30
    if suffix == ".pdf":
        canvas = Canvas(str(path), pageCompression=1)
        canvas.drawString(10, 10, wanted)
        canvas.save()
    elif suffix == ".png":
        text = PngInfo()
        text.add_text("Author", wanted, zip=True)
        Image.new("L", (20, 20)).save(path, pnginfo=text)
    elif suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner", gzip.compress(wanted.encode() * 3))
    elif suffix == ".html":
        blob = base64.b64encode(gzip.compress(wanted.encode() + os.urandom(300))).decode()
        path.write_text(f"<html><script>{blob}</script></html>")
    elif suffix == ".parquet":
        pq.write_table(pa.table({"a": [wanted] * 9}), path, compression="zstd")
    else:
        path.write_bytes(gzip.compress(wanted.encode() * 3))
    content = path.read_bytes()
    assert wanted.encode() not in content or suffix == ".parquet"
    assert holds(content, wanted)
    assert not holds(content, "secret4712")
