"""Files that are left out of a pile, each with its reason.

Worker processes import this module, so it imports neither torch nor the rest of shoal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shoal.images.file_names import ARCHIVES, is_archive, is_image

MANY = 20
"""More files than this, with one suffix or folder and one reason, share one row."""
HEAD = 32
"""Bytes at the beginning of a file that tell what it is."""

MARK = "shoal.json"
"""The file by which a folder that shoal wrote is known."""
LONGEST_MARK = 2**24

NO_IMAGE = "no image"
HIDDEN = "hidden"
SERVICE = "in a folder of thumbnails, backups or deleted files that a program keeps"
OF_SHOAL = "in a folder that shoal wrote"
DRAWN = "a picture that shoal drew"
INNER = "an archive within the archive, which is not opened; unpack it first"
_ARCHIVE = "an archive, which is not looked into; unpack it, or give it by itself"
_TABLE = "an array or a table, which is not looked into; give it by itself"

_SERVICE = frozenset((
    "@eadir", ".@__thumb", "@__thumb", "_thumb", "_thumbs", ".thumb", ".thumbs", ".thumbnails",
    ".picasaoriginals", ".picasa", ".dtrash", ".xvpics", ".pics", ".comments", "__macosx",
    ".appledouble", "$recycle.bin", "#recycle", "@recycle", "@recently-snapshot", "#snapshot",
    ".trash", ".trashes", ".stversions", "lost+found", "system volume information",
))  # fmt: skip
_SERVICE_ENDINGS = (".lrdata", ".lrcat-data", ".cocatalog", ".aplibrary")
"""Previews of Lightroom and Capture One."""


def _by_suffix() -> dict[str, str]:
    convert = "which shoal cannot read yet; convert it to JPEG, PNG or TIFF first"
    kinds = {
        f"HEIC, {convert}": "heic heif hif heics heifs",
        f"JPEG XL, {convert}": "jxl",
        f"a camera's raw file, {convert}":
            "cr2 cr3 crw nef nrw arw sr2 srf dng orf rw2 raf raw pef srw x3f 3fr iiq mrw kdc dcr",
        f"a kind of image {convert}":
            "tga pcx ico cur icns psd psb xcf exr hdr dds sgi rgb bpg wbmp xbm xpm fits fit fts",
        f"a medical or scientific file, {convert}":
            "dcm dicom nii mha mhd nrrd czi lif nd2 oib oif lsm vsi mrc mat h5 hdf5 hdf nc",
        "a video; take its frames out first":
            "mp4 mov avi mkv webm m4v mts m2ts 3gp mpg mpeg wmv flv ogv",
        "a drawing or a document, not pixels": "svg svgz eps ps ai pdf emf wmf cdr dxf doc docx ppt"
            " pptx xls xlsx odt ods html htm md rtf tex",
        _TABLE: "npy npz parquet feather arrow pkl pickle pt pth ckpt safetensors onnx",
        NO_IMAGE: "txt csv tsv json jsonl xml yaml yml toml ini cfg log db sqlite xmp aae thm lnk"
            " url py pyc ipynb sh bat exe dll so js css ts c h cpp java wav mp3 m4a flac ogg"
            " cls md5 sha256 info nfo plist gpx kml geojson prj tfw jgw wld",
    }  # fmt: skip
    reasons = {f".{suffix}": why for why, suffixes in kinds.items() for suffix in suffixes.split()}
    reasons |= dict.fromkeys((*ARCHIVES, ".7z", ".rar", ".gz", ".bz2", ".xz"), _ARCHIVE)
    return reasons


_KNOWN = _by_suffix()
_EXPECTED = frozenset((NO_IMAGE, HIDDEN, SERVICE, OF_SHOAL, DRAWN))


class LeftOut(NamedTuple):
    """A file that is left out."""

    name: str
    reason: str
    group: str = ""
    """The name under which many such files are counted: ``*.heic``, ``folder/``; or empty."""


class Count(NamedTuple):
    """The number of files left out for one reason, for a message."""

    n_files: int
    what: str
    """The name of the file; the suffix or the folder of several files."""
    reason: str

    @property
    def expected(self) -> bool:
        """Whether nobody would take these files for images of the pile."""
        return self.reason in _EXPECTED


def service_folder(name: str) -> str:
    """Why the files of a folder with this name are left out; empty if they are not.

    >>> service_folder("@eaDir")[:23], service_folder(".git"), service_folder("cats")
    ('in a folder of thumbnai', 'hidden', '')
    """
    lowered = name.lower()
    if lowered in _SERVICE or lowered.endswith(_SERVICE_ENDINGS) or lowered.startswith(".trash-"):
        return SERVICE
    return HIDDEN if name.startswith(".") else ""


def by_name(name: str, *, within: bool = False) -> LeftOut | None:
    """Why a file is left out, by its path (with ``/``); None if the path does not tell.

    Left out are hidden files and folders, folders that other programs keep, and suffixes that are
    not those of images. For a file with an unknown suffix ask `by_content`.

    >>> by_name("a/b.HEIC").group, by_name("a/.b/c.png").group, by_name("a/b.jpg"), by_name("a/b")
    ('*.heic', 'a/.b/', None, None)
    """
    folders = name.split("/")[:-1]
    for depth, folder in enumerate(folders):
        if folder in ("", ".") or folder.startswith(".."):
            continue
        reason = service_folder(folder)
        if reason:
            return LeftOut(name, reason, "/".join(folders[: depth + 1]) + "/")
    base = name[name.rfind("/") + 1 :]
    if base.startswith(".") and not base.startswith(".."):
        return LeftOut(name, HIDDEN, "hidden files")
    if is_image(name):
        return None
    if within and is_archive(name):
        return LeftOut(name, INNER)
    suffix = suffix_of(base)
    reason = _KNOWN.get(suffix, "")
    return LeftOut(name, reason, f"*{suffix}") if reason else None


def by_content(name: str, head: bytes) -> LeftOut | None:
    """Why a file of an unknown suffix is left out, by its first `HEAD` bytes; None for an image."""
    if has_image(head):
        return None
    reason = foreign(head) or ("empty" if not head else NO_IMAGE)
    suffix = suffix_of(name[name.rfind("/") + 1 :])
    return LeftOut(name, reason, f"*{suffix}" if suffix else "files without a suffix")


def suffix_of(base: str) -> str:
    """
    >>> suffix_of("a.JPG"), suffix_of("a"), suffix_of("a.b c d"), suffix_of("holiday 2.5.2020")
    ('.jpg', '', '', '')
    """
    _, dot, ending = base.rpartition(".")
    plain = dot and 0 < len(ending) <= 8 and ending.isalnum() and not ending.isdigit()
    return f".{ending.lower()}" if plain else ""


def has_image(head: bytes) -> bool:
    """Whether a file with this beginning is an image that shoal can read.

    >>> has_image(b"\\xff\\xd8\\xff\\xe0"), has_image(b"BMW"), has_image(b"P5 3 3 255")
    (True, False, True)
    """
    if head.startswith((
        b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"II+\0",
        b"MM\0+", b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51", b"qoif",
    )):  # fmt: skip
        return True
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return True
    if head[4:8] == b"ftyp":
        return any(brand in (b"avif", b"avis") for brand in _brands(head))
    if head[:2] == b"BM" and head[14:18] in _BMP_HEADERS:
        return True
    return (
        head[:1] == b"P" and head[1:2] in b"123456Ff" and head[2:3] in (b" ", b"\n", b"\r", b"\t")
    )


_BMP_HEADERS = tuple(size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124))


def _brands(head: bytes) -> list[bytes]:
    length = min(int.from_bytes(head[:4], "big"), len(head))
    return [head[8:12], *(head[at : at + 4] for at in range(16, length, 4))]


def foreign(head: bytes) -> str:
    """What a file with this beginning is, if shoal knows it and cannot read it; else empty.

    >>> foreign(b"\\0\\0\\0\\x18ftypheic\\0\\0\\0\\0")[:5], foreign(b"hello")
    ('HEIC,', '')
    """
    if head[4:8] == b"ftyp":
        brands = _brands(head)
        if any(brand[:3] in (b"hei", b"hev", b"mif", b"msf") for brand in brands):
            return _KNOWN[".heic"]
        return _KNOWN[".cr3"] if b"crx " in brands else _KNOWN[".mp4"]
    for start, suffix in (
        (b"\xff\x0a", ".jxl"), (b"\0\0\0\x0cJXL ", ".jxl"), (b"%PDF", ".pdf"),
        (b"<svg", ".svg"), (b"8BPS", ".psd"), (b"PK\3\4", ".zip"), (b"\x1a\x45\xdf\xa3", ".mkv"),
    ):  # fmt: skip
        if head.startswith(start):
            return _KNOWN[suffix]
    return ""


def is_mark_of_shoal(content: bytes) -> bool:
    """Whether a file ``shoal.json`` says that shoal wrote the folder it is in.

    >>> is_mark_of_shoal(b'{"format": "shoal run"}'), is_mark_of_shoal(b'[1]')
    (True, False)
    """
    try:
        record = json.loads(content)
    except ValueError:
        return False
    return isinstance(record, dict) and str(record.get("format", "")).startswith("shoal ")


def as_rows(left: Iterable[LeftOut]) -> list[tuple[str, str]]:
    """(name, reason) of each file; one row for a group of more than `MANY` files."""
    left = list(left)
    sizes: dict[tuple[str, str], int] = {}
    for entry in left:
        sizes[entry.group, entry.reason] = sizes.get((entry.group, entry.reason), 0) + 1
    rows: list[tuple[str, str]] = []
    reported: set[tuple[str, str]] = set()
    for entry in left:
        key = entry.group, entry.reason
        if not entry.group or sizes[key] <= MANY:
            rows.append((entry.name, entry.reason))
        elif key not in reported:
            reported.add(key)
            rows.append((entry.group, f"{sizes[key]:,} files: {entry.reason}"))
    return rows


def as_counts(left: Sequence[LeftOut]) -> list[Count]:
    """The number of files for each reason, unexpected reasons first; together all files."""
    sums: dict[tuple[str, str], list[str]] = {}
    for entry in left:
        sums.setdefault((entry.group or entry.name, entry.reason), []).append(entry.name)
    counts = [
        Count(len(names), what.removeprefix("*") if len(names) > 1 else names[0], reason)
        for (what, reason), names in sums.items()
    ]
    counts.sort(key=lambda entry: entry.expected)
    if len(counts) <= MANY:
        return counts
    # Of a million broken files nobody reads the names here: they are in the list of all.
    shown, rest = counts[: MANY - 2], counts[MANY - 2 :]
    for expected, reason in ((False, "for other reasons"), (True, NO_IMAGE)):
        n_more = sum(entry.n_files for entry in rest if entry.expected == expected)
        if n_more:
            shown.append(Count(n_more, "more", reason))
    return shown
