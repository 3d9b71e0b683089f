"""What a file is, as far as its suffix or its first bytes tell.

Worker processes import this module, so it imports neither torch nor the rest of shoal.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from shoal.images.file_names import ARCHIVES

HEAD = 132
"""Bytes at the beginning of a file that tell what it is: DICOM says so after the 128th."""
NO_IMAGE = "no image"
_ARCHIVE = "an archive, which is not looked into; unpack it, or give it by itself"
_TABLE = "an array or a table, which is not looked into; give it by itself"


def _reasons() -> dict[str, str]:
    """Why files of a suffix are left out, for each known suffix that is not an image's."""
    convert = "which shoal cannot read yet; convert it to JPEG, PNG or TIFF first"
    kinds = {
        f"a kind of image {convert}":
            "tga pcx ico cur icns psd psb xcf exr hdr dds sgi rgb bpg wbmp xbm xpm",
        f"a medical or scientific file, {convert}":
            "nii mha mhd nrrd czi lif nd2 oib oif vsi mrc mat h5 hdf5 hdf nc",
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


_REASONS = _reasons()

_SIGNATURES = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG\r\n\x1a\n": ".png",
    b"GIF87a": ".gif",
    b"GIF89a": ".gif",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"II+\0": ".tif",
    b"MM\0+": ".tif",
    b"\0\0\0\x0cjP  ": ".jp2",
    b"\xff\x4f\xff\x51": ".j2k",
    b"qoif": ".qoi",
    b"\xff\x0a": ".jxl",
    b"\0\0\0\x0cJXL ": ".jxl",
    b"\x1a\x45\xdf\xa3": ".mkv",
    b"FUJIFILMCCD-RAW": ".raf",
    b"IIRO": ".orf",
    b"IIRS": ".orf",
    b"MMOR": ".orf",
    b"IIU\0": ".rw2",
    b"FOVb": ".x3f",
    b"\0MRM": ".mrw",
}
_NETPBM = {
    b"1": ".pbm", b"2": ".pgm", b"3": ".ppm", b"4": ".pbm", b"5": ".pgm", b"6": ".ppm",
    b"F": ".pfm", b"f": ".pfm",
}  # fmt: skip
"""The suffix for the digit or letter after the P that a Netpbm file begins with."""
_BMP_HEADERS = tuple(size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124))


def suffix_of(base: str) -> str:
    """The suffix of a name without folders, in lower case; empty if it does not look like a suffix.

    >>> suffix_of("a.JPG"), suffix_of("a"), suffix_of("a.b c d"), suffix_of("holiday 2.5.2020")
    ('.jpg', '', '', '')
    """
    _, dot, ending = base.rpartition(".")
    plain = dot and 0 < len(ending) <= 8 and ending.isalnum() and not ending.isdigit()
    return f".{ending.lower()}" if plain else ""


def reason_by_suffix(suffix: str) -> str:
    """Why files of a suffix are left out; empty if they are images or the suffix is unknown.

    >>> reason_by_suffix(".pdf")[:9], reason_by_suffix(".jpg"), reason_by_suffix(".xyz")
    ('a drawing', '', '')
    """
    return _REASONS.get(suffix, "")


def image_suffix(head: bytes) -> str:
    """The suffix for an image file with this beginning; empty if shoal cannot read such a file.

    >>> image_suffix(b"\\xff\\xd8\\xff\\xe0"), image_suffix(b"BMW"), image_suffix(b"P5 3 3 255")
    ('.jpg', '', '.pgm')
    """
    for signature, suffix in _SIGNATURES.items():
        if head.startswith(signature):
            return suffix
    if head.startswith(b"SIMPLE  =") and head[29:30] == b"T":
        return ".fits"
    if head[128:132] == b"DICM":
        return ".dcm"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ".webp"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return ".avi"
    if head[4:8] == b"ftyp":
        return _of_media(_brands(head))
    if head[:2] == b"BM" and head[14:18] in _BMP_HEADERS:
        return ".bmp"
    if head[:1] == b"P" and head[2:3] in (b" ", b"\n", b"\r", b"\t"):
        return _NETPBM.get(head[1:2], "")
    return ""


def reason_by_content(head: bytes) -> str:
    """Why a file with this beginning cannot be read, if shoal knows such files; else empty.

    >>> reason_by_content(b"%PDF-1.7"), reason_by_content(b"hello")
    ('a drawing or a document, not pixels', '')
    """
    for start, suffix in (
        (b"%PDF", ".pdf"), (b"<svg", ".svg"), (b"8BPS", ".psd"), (b"PK\3\4", ".zip"),
    ):  # fmt: skip
        if head.startswith(start):
            return _REASONS[suffix]
    return ""


def head_of(file: Path | str) -> bytes:
    """The first `HEAD` bytes of a regular file.

    Raises:
        OSError: it cannot be read.
    """
    if not stat.S_ISREG(os.stat(file).st_mode):  # opening a pipe would wait for ever
        raise OSError(errno.EINVAL, "a folder, a pipe or a device, not a file")
    with open(file, "rb", buffering=0) as opened:
        return opened.read(HEAD)


def _of_media(brands: list[bytes]) -> str:
    """The suffix for an ISO media file of these brands; empty for a sound."""
    if not {b"avif", b"avis"}.isdisjoint(brands):
        return ".avif"
    if any(brand[:3] in (b"hei", b"hev", b"mif", b"msf") for brand in brands):
        return ".heic"
    if b"crx " in brands:
        return ".cr3"
    return "" if brands[0] in (b"M4A ", b"M4B ") else ".mp4"


def _brands(head: bytes) -> list[bytes]:
    """The names of the formats that an ISO media file (``ftyp``) says it keeps to."""
    length = min(int.from_bytes(head[:4], "big"), len(head))
    return [head[8:12], *(head[at : at + 4] for at in range(16, length, 4))]
