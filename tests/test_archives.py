"""Piles in folders, archives, shards and lists: the same images under the same ids, and no harm."""

from __future__ import annotations

import io
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shoal.errors import DataError
from shoal.images import archives, cache
from shoal.images.open import open_source

Files = dict[str, bytes]


@pytest.fixture(autouse=True, scope="module")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test writes to the cache of whoever runs them."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        patch.setattr(cache, "folder", lambda: folder)
        yield folder


def colour(number: int) -> tuple[int, int, int]:
    """A colour of its own for each number up to 65,535."""
    return number % 256, number // 256, 255 - number % 256


def picture(number: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (6, 6), colour(number)).save(file, kind)
    return file.getvalue()


def shown(source: Any) -> dict[str, tuple[int, ...]]:
    """Each id with the colour of its image."""
    images = source.read(np.arange(len(source)))
    return {
        name: tuple(int(v) for v in image[0, 0])
        for name, image in zip(source.ids, images, strict=True)
    }


# --- writing one pile in every way --------------------------------------------------------------


def to_folder(files: Files, path: Path) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def to_zip(files: Files, path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def to_tar(
    files: Files, path: Path, mode: str = "w", links: Sequence[tuple[str, str]] = ()
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, target in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return path


def to_list(files: Files, path: Path) -> Path:
    to_folder(files, path)
    names = sorted(files, key=lambda name: name.split("/"))
    (path / "list.txt").write_text("\n".join(names), encoding="utf-8")
    return path / "list.txt"


WAYS: dict[str, Callable[[Files, Path], Path]] = {
    "folder": to_folder,
    "zip": lambda files, path: to_zip(files, path / "pile.zip"),
    "stored zip": lambda files, path: to_zip(files, path / "pile.ZIP", zipfile.ZIP_STORED),
    "tar": lambda files, path: to_tar(files, path / "pile.tar"),
    "tar.gz": lambda files, path: to_tar(files, path / "pile.tar.gz", "w:gz"),
    "tgz called tar": lambda files, path: to_tar(files, path / "pile.tar", "w:gz"),
    "tar.bz2": lambda files, path: to_tar(files, path / "pile.tar.bz2", "w:bz2"),
    "tar.xz": lambda files, path: to_tar(files, path / "pile.txz", "w:xz"),
    "list": to_list,
}

BROKEN: list[Callable[[int], bytes]] = [
    lambda number: b"",
    lambda number: b"<html>404</html>",
    lambda number: picture(number)[:-25],
    lambda number: picture(number)[:20],
    lambda number: bytes(100),
]
PARTS = st.text("ab é-ü☃", min_size=1, max_size=3).map(str.strip).filter(bool)
ENTRY = st.tuples(
    st.lists(PARTS, max_size=3),  # the folders it is in
    PARTS,
    st.sampled_from([".png", ".PNG", ".jpg"]),  # a PNG called .jpg is one all the same
    st.one_of(st.none(), st.integers(0, len(BROKEN) - 1)),
)


@pytest.mark.parametrize("way", ["folder", "zip", "tar", "tar.gz", "list"])
@given(entries=st.lists(ENTRY, min_size=1, max_size=12), order=st.randoms())
@settings(max_examples=25, deadline=None)
def test_ids_pixels_and_classes_stay_together(way: str, entries: list[Any], order: Any) -> None:
    """Any mixture of good and broken files: what is kept is shown under its own name."""
    good: dict[str, int] = {}
    files: Files = {}
    for number, (folders, stem, suffix, fault) in enumerate(entries):
        name = "/".join([*folders, f"{number} {stem}{suffix}"])
        files[name] = picture(number) if fault is None else BROKEN[fault](number)
        if fault is None:
            good[name] = number
    names = list(files)
    order.shuffle(names)
    with tempfile.TemporaryDirectory() as folder:
        path = WAYS[way]({name: files[name] for name in names}, Path(folder))
        if not good:
            with pytest.raises(DataError, match=rf"{len(files)} images?( file| files)? failed"):
                open_source(path)
            return
        source: Any = open_source(path)
    assert list(source.ids) == sorted(good, key=lambda name: name.split("/"))
    assert shown(source) == {name: colour(number) for name, number in good.items()}
    assert {name for name, _ in source.skipped} == set(files) - set(good)
    if source.labels is not None:
        assert len(source.labels) == len(source)
        kept = [source.class_names[label] for label in source.labels]
        depth = len(Path(*_shared([name.split("/")[:-1] for name in files])).parts)
        assert kept == [name.split("/")[depth] for name in source.ids]


def _shared(folders: list[list[str]]) -> list[str]:
    first = folders[0]
    ends = [i for i in range(len(first) + 1) if all(f[:i] == first[:i] for f in folders)]
    return first[: max(ends)]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_is_the_same_pile(way: str, tmp_path: Path) -> None:
    files = {f"{kind}/{number}.png": picture(number + 300 * (kind == "dog"))
             for kind in ("cat", "dog") for number in range(5)}  # fmt: skip
    expected: Any = open_source(to_folder(files, tmp_path / "expected"))
    source: Any = open_source(WAYS[way](files, tmp_path / "other"))
    assert list(source.ids) == list(expected.ids)
    assert source.digest() == expected.digest()
    assert source.class_names == expected.class_names == ["cat", "dog"]
    assert source.labels.tolist() == expected.labels.tolist() == [0] * 5 + [1] * 5
    for i in (0, 9, 3):  # the very bytes, for who exports them
        assert source.originals.content(i) == files[source.ids[i]]


# --- archives made to do harm -------------------------------------------------------------------


def test_an_original_keeps_its_suffix_or_gets_that_of_its_content(tmp_path: Path) -> None:
    kinds = {"PNG": ".png", "WEBP": ".webp", "JPEG2000": ".jp2", "QOI": ".qoi", "PPM": ".ppm"}
    files = {f"{number} without": picture(number, kind) for number, kind in enumerate(kinds)}
    files |= {"5.JFIF": picture(5, "JPEG"), "6.dib": picture(6, "BMP")}
    originals = open_source(to_zip(files, tmp_path / "pile.zip")).originals
    suffixes = [originals.suffix(row) for row in range(len(files))]
    assert suffixes == [*kinds.values(), ".JFIF", ".dib"]


@pytest.mark.parametrize("write", [to_zip, to_tar], ids=["zip", "tar"])
def test_members_that_would_escape(write: Any, tmp_path: Path) -> None:
    hostile = ["../up.png", "a/../../b.png", "..\\up.png", "C:\\x.png", "c:x.png"]
    files = {name: picture(9) for name in hostile}
    files |= {"/etc/root.png": picture(1), "./here//a.png": picture(2), "ok.png": picture(3)}
    path = write(files, tmp_path / "x" / f"hostile.{'zip' if write is to_zip else 'tar'}")
    before = sorted(tmp_path.rglob("*"))
    source = open_source(path)
    assert shown(source) == {
        "etc/root.png": colour(1), "here/a.png": colour(2), "ok.png": colour(3)
    }  # fmt: skip
    assert sorted(name for name, _ in source.skipped) == sorted(hostile)
    assert all(reason == "its path leads out of the archive" for _, reason in source.skipped)
    assert sorted(tmp_path.rglob("*")) == before
    assert not Path("/etc/root.png").exists()


def test_links_devices_and_copies_in_a_tar(tmp_path: Path) -> None:
    path = to_tar({"a.png": picture(1)}, tmp_path / "a.tar", links=[("link.png", "/etc/passwd")])
    with tarfile.open(path, "a") as archive:
        for name, kind in (("pipe.png", tarfile.FIFOTYPE), ("device.png", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type = kind
            archive.addfile(info)
        info = tarfile.TarInfo("same.png")  # as tar packs a second name of one file
        info.type, info.linkname = tarfile.LNKTYPE, "a.png"
        archive.addfile(info)
    source = open_source(path)
    assert shown(source) == {"a.png": colour(1), "same.png": colour(1)}
    assert dict(source.skipped) == {
        "link.png": "a link", "pipe.png": "not an ordinary file",
        "device.png": "not an ordinary file",
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_the_later_of_two_members_of_one_name_counts(kind: str, tmp_path: Path) -> None:
    if kind == "zip":
        path = to_zip({"a.png": picture(1)}, tmp_path / "a.zip")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("./a.png", picture(2))
            archive.writestr("a.png", picture(3))
    else:
        path = to_tar({"a.png": picture(1), "./a.png": picture(2)}, tmp_path / "a.tar")
        with tarfile.open(path, "a") as tar:
            info = tarfile.TarInfo("a.png")
            info.size = len(picture(3))
            tar.addfile(info, io.BytesIO(picture(3)))
    source = open_source(path)
    assert shown(source) == {"a.png": colour(3)}
    assert [name for name, _ in source.skipped] == ["a.png"] * 2


def encrypt(path: Path, name: str) -> None:
    """Set the flag that says that ``name`` is encrypted, in both places where it stands."""
    content = bytearray(path.read_bytes())
    for signature, flags, start in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        at = content.find(signature)
        while at >= 0:
            if content[at + start : at + start + len(name)] == name.encode():
                content[at + flags] |= 1
            at = content.find(signature, at + 4)
    path.write_bytes(content)


def test_one_encrypted_member_and_one_archive_within(tmp_path: Path) -> None:
    files = {"a.png": picture(1), "b.png": picture(2), "more.zip": b"PK", "__MACOSX/._a.png": b"x"}
    path = to_zip(files, tmp_path / "a.zip")
    encrypt(path, "b.png")
    source = open_source(path)
    assert shown(source) == {"a.png": colour(1)}
    assert dict(source.skipped) == {
        "b.png": "encrypted with a password",
        "more.zip": "an archive within the archive, which is not opened; unpack it first",
        "__MACOSX/._a.png": "in a folder of thumbnails, backups or deleted files that a program "
        "keeps",
    }


def test_bombs_in_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too large by what the archive says; or larger than that, found out by the check sum."""
    monkeypatch.setattr(archives, "MOST_BYTES", 10_000)
    for module in ("zip_archive", "tar_archive"):
        monkeypatch.setattr(f"shoal.images.formats.{module}.MOST_BYTES", 10_000)
    files = {"a.png": picture(1), "bomb.png": bytes(20_000)}
    for path in (to_zip(files, tmp_path / "a.zip"), to_tar(files, tmp_path / "a.tgz", "w:gz")):
        source = open_source(path)
        assert list(source.ids) == ["a.png"]
        assert [name for name, _ in source.skipped] == ["bomb.png"]
    lying = to_zip({"a.png": picture(1), "liar.png": bytes(20_000)}, tmp_path / "lying.zip")
    content = lying.read_bytes().replace((20_000).to_bytes(4, "little"), (50).to_bytes(4, "little"))
    lying.write_bytes(content)
    source = open_source(lying)
    assert list(source.ids) == ["a.png"]
    assert [name for name, _ in source.skipped] == ["liar.png"]


def test_a_damaged_member_of_a_zip_is_skipped(tmp_path: Path) -> None:
    path = to_zip(
        {f"{n}.png": picture(n) for n in range(4)}, tmp_path / "a.zip", zipfile.ZIP_STORED
    )
    content = bytearray(path.read_bytes())
    content[content.find(picture(2)) + 40] ^= 0xFF
    path.write_bytes(content)
    source = open_source(path)
    assert shown(source) == {f"{n}.png": colour(n) for n in (0, 1, 3)}
    assert source.skipped[0][0] == "2.png"
    assert "damaged in the archive" in source.skipped[0][1]


def half(path: Path) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 + 100])  # not between two members of a tar
    return path


def written(path: Path, content: bytes = b"") -> Path:
    path.write_bytes(content)
    return path


def encrypted(path: Path) -> Path:
    encrypt(to_zip({"a.png": picture(1)}, path), "a.png")
    return path


PILE = {f"{n}.png": picture(n) for n in range(40)}
WRONG: list[tuple[str, Callable[[Path], Path], str]] = [
    ("zip missing", lambda d: d / "no.zip", "no such file; check"),
    ("zip empty", lambda d: written(d / "a.zip"), "damaged or not a zip file"),
    ("zip half", lambda d: half(to_zip(PILE, d / "a.zip")), "damaged or not a zip file"),
    ("zip is a tar", lambda d: to_tar(PILE, d / "a.zip"), "damaged or not a zip file"),
    ("zip encrypted", lambda d: encrypted(d / "a.zip"), "encrypted with a password; unpack it"),
    ("zip in zip", lambda d: to_zip({"b/in.zip": b"", "c.txt": b""}, d / "a.zip"),
     "holds no images, but other archives (in.zip); unpack it"),
    ("zip of texts", lambda d: to_zip({"c.txt": b""}, d / "a.zip"), "zarr), but c.txt"),
    ("zip of nothing", lambda d: to_zip({}, d / "a.zip"), "zarr); check"),
    ("zip of escapes", lambda d: to_zip({"../a.png": b""}, d / "a.zip"),
     "1 file failed (the first, ../a.png: its path leads out"),
    ("folder called zip", lambda d: to_folder({"x.zip/c.txt": b""}, d) / "x.zip",
     "holds no images (bmp, gif,"),
    ("folder of zips", lambda d: to_zip(PILE, d / "x" / "a.zip").parent,
     "zarr), but a.zip; give that"),
    ("tar empty", lambda d: written(d / "a.tar"), "damaged or not a tar file"),
    ("tar is text", lambda d: written(d / "a.tar", b"<html>" * 400), "damaged or not a tar file"),
    *((f"{kind} half", lambda d, kind=kind, mode=mode: half(to_tar(PILE, d / f"a.{kind}", mode)),
       "truncated, damaged") for kind, mode in (("tar", "w"), ("tgz", "w:gz"), ("tar.xz", "w:xz"))),
    ("tar of texts", lambda d: to_tar({"c.txt": b""}, d / "a.tar"), "zarr), but c.txt"),
    ("shard missing", lambda d: to_tar(PILE, d / "a-0.tar").parent / "a-{0..2}.tar",
     "means 3 files, but 2 of them do not exist (the first is a-1.tar)"),
    ("no shard", lambda d: d / "a-*.tar", "no file matches this pattern"),
    ("braces backward", lambda d: d / "a-{5..2}.tar", "braces must stand for 1 to"),
    ("too many braces", lambda d: d / "a-{0..9999}{0..9999}.tar", "braces must stand for 1 to"),
    ("list of nothing", lambda d: written(d / "a.txt"), "no line names an existing file;"),
    ("list of wrong paths", lambda d: written(d / "a.csv", b"path\nx.png\n"), "first is 'x.png'"),
    ("list is binary", lambda d: written(d / "a.csv", bytes(range(256)) * 9), "not a list"),
    ("list of one folder", lambda d: written(d / "a.txt", b"."), "1 image file failed"),
    ("one image", lambda d: written(d / "a.png", picture(1)), "got 1; give a folder of images."),
    ("no image", lambda d: written(d / "a.doc", b"text"), "is not a pile of images; give"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "fragment"), [pytest.param(*w[1:], id=w[0]) for w in WRONG])
def test_what_is_no_pile_is_said_in_one_sentence(
    make: Callable[[Path], Path], fragment: str, tmp_path: Path, run_cli: Callable[..., Any]
) -> None:
    path = make(tmp_path)
    result = run_cli("train", path, tmp_path / "c.pth")
    assert "Traceback" not in result.err
    assert result.code == 2
    assert result.err.startswith("shoal: ")
    assert result.err.count("\n") == 1
    assert fragment in result.err
    assert not list(tmp_path.glob("c.pth*"))


@pytest.mark.parametrize("kind", ["zip", "tar", "tgz"])
def test_damaged_archives_end_in_a_sentence_or_in_fewer_images(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{kind}"
    files = {f"{n}.png": picture(n) for n in range(5)}
    if kind == "zip":
        to_zip(files, path)
    else:
        to_tar(files, path, "w:gz" if kind == "tgz" else "w")
    whole = path.read_bytes()
    generator = np.random.default_rng(0)
    opened = 0
    for _ in range(60):
        content = bytearray(whole)
        for place in generator.integers(0, len(content), generator.choice([1, 3, 20])):
            content[place] = int(generator.integers(256))
        path.write_bytes(content)
        try:
            source = open_source(path, cache=False)
        except DataError:
            continue
        opened += 1
        for name, seen in shown(source).items():
            assert name not in files or seen == colour(int(name[0]))
    # A tar is damaged in one of its members, a compressed one as a whole.
    assert (0 < opened < 60) if kind != "tgz" else opened == 0


# --- shards, WebDataset, lists ------------------------------------------------------------------


def test_shards_by_braces_and_by_pattern(tmp_path: Path) -> None:
    for number in (0, 1, 10):
        to_tar({"a.png": picture(number), "b.png": picture(100 + number)},
               tmp_path / f"s-{number:02}.tar")  # fmt: skip
    expected = {f"s-{n:02}.tar/{k}.png": colour(n + 100 * (k == "b"))
                for n in (0, 1, 10) for k in "ab"}  # fmt: skip
    assert shown(open_source(tmp_path / "s-*.tar")) == expected
    two = open_source(tmp_path / "s-{00..01}.tar")
    assert list(two.ids) == [f"s-0{n}.tar/{k}.png" for n in (0, 1) for k in "ab"]
    backward = open_source(tmp_path / "s-{10,00}.tar")
    assert backward.ids[0] == "s-10.tar/a.png"
    (tmp_path / "x").mkdir()
    to_tar({"a.png": picture(7)}, tmp_path / "x" / "s-00.tar")
    both = open_source(tmp_path / "**" / "s-00.tar")
    assert sorted(both.ids) == ["s-00.tar/a.png", "s-00.tar/b.png", "x/s-00.tar/a.png"]


def test_webdataset_samples(tmp_path: Path) -> None:
    """One image a sample, its class from ``.cls``; masks and descriptions are not images."""
    for shard in (0, 1):
        files: Files = {}
        for number in range(3):
            key = f"d.1/{number:04}"
            files |= {
                f"{key}.seg.png": picture(999), f"{key}.jpg": picture(10 * shard + number, "BMP"),
                f"{key}.cls": b"%d\n" % (number % 2), f"{key}.json": b"{}",
            }  # fmt: skip
        to_tar(files, tmp_path / f"data-{shard:03}.tar")
    source: Any = open_source(tmp_path / "data-{000..001}.tar")
    assert shown(source) == {
        f"data-{shard:03}.tar/d.1/{number:04}.jpg": colour(10 * shard + number)
        for shard in (0, 1) for number in range(3)
    }  # fmt: skip
    assert source.class_names == ["0", "1"]
    assert source.labels.tolist() == [0, 1, 0] * 2
    assert sum(one.n_files for one in source.left_out) == 18  # 6 masks, 6 classes, 6 descriptions
    # Without companions, two endings are two images.
    plain = to_tar({"a.jpg": picture(1), "a.seg.png": picture(2)}, tmp_path / "plain.tar")
    assert len(open_source(plain)) == 2


def test_lists_of_paths(tmp_path: Path) -> None:
    to_folder({f"in/{n}.png": picture(n) for n in range(4)}, tmp_path)
    to_folder({"out.png": picture(9)}, tmp_path)
    folder = tmp_path / "in"
    absolute = tmp_path / "out.png"
    outside = absolute.relative_to(absolute.anchor).as_posix()
    lists = {
        "a.txt": f"# two\n\n 1.png\r\n./0.png\n1.png\n../out.png\nnone.png\n{absolute}\n",
        "a.csv": f"name,Path\nx,1.png\ny,0.png\nz,1.png\nu,../out.png\nv,none.png\nw,{absolute}\n",
        "b.csv": f"1.png;x\n0.png;y\n1.png;z\n../out.png;u\nnone.png;v\n{absolute};w\n",
        "a.tsv": f"first\tb\n1.png\tx\n0.png\t\n1.png\t\n../out.png\t\nnone.png\t\n{absolute}\t\n",
    }
    for name, text in lists.items():
        (folder / name).write_text(text, encoding="utf-8-sig")
        source = open_source(folder / name)
        assert list(source.ids) == ["1.png", "0.png", outside], name
        assert shown(source) == {"1.png": colour(1), "0.png": colour(0), outside: colour(9)}
        reasons = dict(source.skipped)
        assert reasons == {
            "1.png": "it stands twice in the list", outside: "it stands twice in the list",
            "none.png": "no such file",
        }  # fmt: skip


# --- from beginning to end ----------------------------------------------------------------------


def test_run_on_a_zip_predicts_what_it_predicts_on_the_folder(
    images: np.ndarray, kinds: np.ndarray, fast: tuple[str, ...], run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:  # fmt: skip
    files: Files = {}
    for number, (image, kind) in enumerate(zip(images, kinds, strict=True)):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        files[f"{'striped' if kind else 'flat'}/{number:02}.png"] = file.getvalue()
    files["flat/broken.png"] = b"no"
    for path in (to_folder(files, tmp_path / "pile"), to_zip(files, tmp_path / "pile.zip")):
        out = tmp_path / f"{path.name} found"
        result = run_cli("run", path, out, *fast)
        assert result.code == 0, result.err
        assert "seen at 8 × 8 pixels, as they are; 192 bytes an image" in result.err
        assert "decoded once: 7.7 kB in" in result.err
        assert (out / "skipped.csv").read_text() == "id,reason\nflat/broken.png,not an image\n"
    found = [(tmp_path / name / "prediction.csv").read_bytes()
             for name in ("pile found", "pile.zip found")]  # fmt: skip
    assert found[0] == found[1]
    assert found[0].count(b"\n") == 41
    # A later run without broken images leaves no list of them behind that is not true.
    (tmp_path / "pile" / "flat" / "broken.png").unlink()
    assert (
        run_cli("run", tmp_path / "pile", tmp_path / "pile found", *fast, "--quiet", "--force").code
        == 0
    )
    assert not (tmp_path / "pile found" / "skipped.csv").exists()
