"""NumPy files: `.npy`, memory-mapped, and `.npz`."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from shoal.errors import DataError
from shoal.protocols import Array, ImageSource
from shoal.sources.array import ArraySource


def _split(path: Path) -> tuple[Path, str | None]:
    """``file.npz:name`` as (file.npz, name)."""
    head, colon, key = str(path).rpartition(":")
    if colon and head.lower().endswith(".npz") and not path.exists():
        return Path(head), key
    return path, None


def accepts(path: Path) -> bool:
    """Whether this module reads ``path``: a file named so, there or not."""
    file, _ = _split(path)
    return file.suffix.lower() in (".npy", ".npz") and not file.is_dir()


def open_images(path: Path, image_shape: tuple[int, int, int] | None) -> ImageSource:
    """Open the images of a NumPy file. See `open_source`."""
    return ArraySource(load_array(path), name=str(path))


def load_array(path: Path) -> Array:
    """The array of a `.npy` file or the one meant of a `.npz` file. Never unpickles.

    Raises:
        DataError: missing, unreadable, truncated or pickled, or several arrays and no name.
    """
    file, key = _split(path)
    try:
        with file.open("rb") as opened:
            start = opened.read(6)
        if start[:2] not in (b"\x93N", b"PK"):
            raise DataError(
                f"{file}: a NumPy file is expected, and this one is {_what(start)}; check the path."
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an absurd size in the header overflows, then fails
            loaded: Any = np.load(file, mmap_mode="r", allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            return _pick(file, loaded, key)
    except FileNotFoundError:
        raise DataError(f"{file}: no such file; check the path.") from None
    except PermissionError:
        raise DataError(f"{file}: permission denied; make it readable.") from None
    except DataError:
        raise
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error, SyntaxError) as error:
        if "pickle" in str(error) or "Python object" in str(error):
            raise DataError(
                f"{file}: plain numbers are expected, and it holds pickled Python objects, which "
                "are not loaded because they can run code; save a uint8 array instead."
            ) from error
        raise DataError(
            f"{file}: a whole NumPy file is expected, and this one is truncated or damaged; "
            "save or download it again."
        ) from error


def _what(start: bytes) -> str:
    if not start:
        return "empty"
    return "a Python pickle, which can run code" if start[:1] == b"\x80" else "something else"


def _pick(file: Path, arrays: Any, key: str | None) -> Array:
    names = list(arrays.files)
    if key is None and len(names) == 1:
        key = names[0]
    if key not in names:
        wanted = "one array" if key is None else f"an array named {key!r}"
        raise DataError(
            f"{file}: {wanted} is expected, and it holds {', '.join(names) or 'none'}; "
            f"name one as {file}:NAME."
        )
    return np.asarray(arrays[key])
