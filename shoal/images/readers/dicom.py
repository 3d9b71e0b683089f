"""DICOM: medical images, of several frames among them.

Numbers are those that the rescale slope and intercept, or the lookup table, mean. MONOCHROME1,
where the lowest number is white, is inverted. Frames are images. Only what describes the pixels is
read: nothing about the patient gets into an id, a reason or a log.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from shoal.images.readers import _dicom_jpeg as jpeg
from shoal.images.readers._planes import TOO_MUCH, are_channels, check_size, number_in
from shoal.images.readers._quiet import quiet
from shoal.images.readers.raw import Content, Pages, Raw, ReasonError, needs_extra

SUFFIXES = frozenset((".dcm", ".dicom", ".ima"))
EXTRA = "scientific"
LIBRARIES = ("pydicom", "imagecodecs", "openjpeg")
_TAGS = (
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated", "BitsStored",
    "HighBit", "PixelRepresentation", "PlanarConfiguration", "PhotometricInterpretation",
    "PixelData",
    "FloatPixelData", "DoubleFloatPixelData", "RescaleSlope", "RescaleIntercept",
    "ModalityLUTSequence", "DoseGridScaling", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence", "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
)  # fmt: skip
"""What describes the pixels; no other element of the file is even decoded."""
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_READ_WHOLE = 2**30
_MOST_FRAMES = 1_000_000
_LOGGERS = ("pydicom", "pydicom.pixels", "pylibjpeg")


def recognises(head: bytes) -> bool:
    """Whether a file has DICOM's mark behind its preamble."""
    return head[128:132] == b"DICM"


def members(content: Content, pages: Pages = "auto") -> list[str]:
    """The names of the images: ``['']``, or ``['frame=0', 'frame=1', …]``."""
    with _opened(content) as data:
        n = _n_frames(data)
        if n == 1 or (pages == "channels" and are_channels(n, pages)):
            return [""]
        return [f"frame={frame}" for frame in range(n)]


def read(content: Content, member: str = "", *, side: int | None = None) -> Raw:
    """One frame, or all of them as channels."""
    with _opened(content) as data:
        n = _n_frames(data)
        if not member:
            are_channels(n, "channels")
            frames = list(range(n))
        else:
            number = number_in(member, "frame")
            if number is None or number >= n:
                raise ReasonError(f"no image {member} in it")
            frames = [number]
        samples = int(data.get("SamplesPerPixel", 1))
        bits = int(data.get("BitsAllocated", 8))
        check_size(int(data.Rows), int(data.Columns), len(frames) * samples, max(1, bits // 8))
        planes = [_frame(data, frame, n) for frame in frames]
    if len(planes) == 1:
        return Raw(planes[0], colour=planes[0].shape[2] == 3)
    return Raw(np.concatenate(planes, axis=2))


@contextmanager
def _opened(content: Content) -> Iterator[Any]:
    """The data set of a file.

    Raises:
        ValueError: it cannot be read. The message is the reason, and repeats nothing of the file.
        ModuleNotFoundError: pydicom is not installed.
    """
    try:
        import pydicom
    except ModuleNotFoundError:
        raise needs_extra("DICOM", EXTRA) from None
    with quiet(*_LOGGERS):
        try:
            if isinstance(content, Path) and content.stat().st_size <= _READ_WHOLE:
                content = content.read_bytes()  # of a file, an element's forged length is allocated
            file = io.BytesIO(content) if isinstance(content, bytes) else content
            data = pydicom.dcmread(file, force=True, specific_tags=list(_TAGS))
            _check_is_image(data)
            yield data
        except (ReasonError, ModuleNotFoundError):
            raise
        except MemoryError:
            raise ReasonError(TOO_MUCH) from None
        except OSError as error:
            if isinstance(content, Path) and error.errno:
                raise OSError(error.errno, error.strerror) from None
            raise ValueError("a damaged DICOM file") from None
        except Exception:  # noqa: BLE001 - its words may repeat what a tag says
            raise ValueError("a damaged DICOM file") from None


def _check_is_image(data: Any) -> None:
    """Refuse a file without pixels; tell what bytes the pixels of one without a header are."""
    if not any(name in data for name in _PIXELS):
        raise ReasonError("a DICOM file without an image" if data.preamble else "not a DICOM image")
    if "Rows" not in data or "Columns" not in data:
        raise ReasonError("a damaged DICOM file, without the size of its image")
    if "TransferSyntaxUID" not in data.file_meta:
        from pydicom import uid

        implicit, little = data.original_encoding
        explicit = uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian
        data.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian if implicit else explicit


def _n_frames(data: Any) -> int:
    n = int(data.get("NumberOfFrames") or 1)
    if not 1 <= n <= _MOST_FRAMES:
        raise ReasonError(f"{n:,} frames")
    return n


def _frame(data: Any, frame: int, n: int) -> np.ndarray[Any, Any]:
    """One frame as (H, W, C): numbers, or red, green and blue."""
    from pydicom.pixels.processing import apply_color_lut

    pixels = jpeg.decode(data, frame, n)
    photometric = str(data.PhotometricInterpretation)
    if photometric == "PALETTE COLOR":
        colours = np.asarray(apply_color_lut(pixels, data))
        return colours if colours.dtype == np.uint8 else (colours >> 8).astype(np.uint8)
    if pixels.ndim == 3:
        return pixels
    if photometric == "MONOCHROME1" and pixels.dtype.kind in "iu":
        pixels = _inverted(pixels, int(data.BitsStored))
    if int(data.BitsAllocated) == 1:
        pixels = pixels.astype(bool)
    return _rescaled(data, frame, pixels)[..., None]


def _inverted(pixels: np.ndarray[Any, Any], bits: int) -> np.ndarray[Any, Any]:
    """The lowest number that the bits can hold becomes the highest."""
    top = -1 if pixels.dtype.kind == "i" else 2**bits - 1
    return np.asarray(np.asarray(top, pixels.dtype) - pixels)


def _rescaled(data: Any, frame: int, pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The numbers that the stored ones mean: floats wherever the file says how to rescale."""
    from pydicom.pixels.processing import apply_modality_lut

    if data.get("ModalityLUTSequence"):
        return np.asarray(apply_modality_lut(pixels, data))
    how = _of_frame(data, frame) or data
    slope, intercept = how.get("RescaleSlope"), how.get("RescaleIntercept")
    if slope is None and intercept is None:
        slope = data.get("DoseGridScaling")
        if slope is None:
            return pixels
    exact = pixels * float(1 if slope is None else slope) + float(intercept or 0)
    return exact if pixels.dtype.itemsize > 2 else exact.astype(np.float32)


def _of_frame(data: Any, frame: int) -> Any:
    """How an enhanced file rescales a frame; None where it does not say."""
    own = data.get("PerFrameFunctionalGroupsSequence") or []
    shared = data.get("SharedFunctionalGroupsSequence") or []
    for group in (*own[frame : frame + 1], *shared[:1]):
        found = group.get("PixelValueTransformationSequence")
        if found:
            return found[0]
    return None
