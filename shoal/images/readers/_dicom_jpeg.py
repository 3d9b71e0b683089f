"""The pixels of a DICOM frame: by pydicom, and by imagecodecs where it knows only GPL libraries."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.images.readers._codestreams import announced_size
from shoal.images.readers.raw import ReasonError

_RLE = "1.2.840.10008.1.2.5"
_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
_JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
_HEAD = 2**16
"""Bytes of a codestream, at most, before it says its size."""
_EXTENDED = "1.2.840.10008.1.2.4.51"


def decode(data: Any, frame: int, n: int) -> np.ndarray[Any, Any]:
    """One frame of ``n`` as it is stored, (H, W) or (H, W, 3); colours as red, green and blue.

    Raises:
        ReasonError: it is compressed in a way that is not known, or is not what is announced.
    """
    syntax = str(data.file_meta.TransferSyntaxUID)
    if data.file_meta.TransferSyntaxUID.is_encapsulated and syntax != _RLE:
        _check_codestream(data, frame, n)
    if syntax in _LOSSLESS or syntax in _JPEG_LS or (syntax == _EXTENDED and data.BitsStored > 8):
        pixels = _by_imagecodecs(data, frame, n, syntax)
    else:
        _check_whole(data, n)
        from pydicom.pixels.decoders.base import get_decoder

        try:
            decoder = get_decoder(data.file_meta.TransferSyntaxUID)
        except NotImplementedError:
            raise ReasonError("DICOM compressed in a way that shoal cannot read") from None
        if not decoder.is_available:
            raise ReasonError("DICOM compressed in a way that shoal cannot read")
        pixels, _ = decoder.as_array(data, index=frame, raw=False)
    colours = (3,) if int(data.get("SamplesPerPixel", 1)) == 3 else ()
    expected = (int(data.Rows), int(data.Columns), *colours)
    if pixels.shape != expected:
        raise ReasonError("a damaged DICOM file: its image has another size than it announces")
    return np.asarray(pixels)


def _check_codestream(data: Any, frame: int, n: int) -> None:
    """Refuse a frame that announces another size than its file: it may be decoded for ever.

    Raises:
        ReasonError: it does.
    """
    size = announced_size(bytes(_codestream(data, frame, n)[:_HEAD]))
    if size is not None and size != (int(data.Rows), int(data.Columns)):
        raise ReasonError("a damaged DICOM file: its image has another size than it announces")


def _codestream(data: Any, frame: int, n: int) -> bytes:
    """The codestream of a frame."""
    from pydicom.encaps import get_frame

    return get_frame(data.PixelData, frame, number_of_frames=n)


def _by_imagecodecs(data: Any, frame: int, n: int, syntax: str) -> np.ndarray[Any, Any]:
    import imagecodecs

    content = _codestream(data, frame, n)
    function = imagecodecs.jpegls_decode if syntax in _JPEG_LS else imagecodecs.jpeg_decode
    pixels: np.ndarray[Any, Any] = function(content)
    photometric = str(data.PhotometricInterpretation)
    if pixels.ndim == 3 and photometric not in ("RGB", "PALETTE COLOR"):
        if not photometric.startswith("YBR_FULL"):
            raise ReasonError("DICOM with colours stored in a way that shoal cannot read")
        from pydicom.pixels.processing import convert_color_space

        pixels = convert_color_space(pixels, "YBR_FULL", "RGB")
    return _signed(pixels, int(data.BitsStored)) if data.PixelRepresentation else pixels


def _signed(pixels: np.ndarray[Any, Any], bits: int) -> np.ndarray[Any, Any]:
    """Two's complement in so many bits."""
    numbers = pixels.astype(np.int32) & (2**bits - 1)
    return np.where(numbers >= 2 ** (bits - 1), numbers - 2**bits, numbers).astype(np.int32)


def _check_whole(data: Any, n: int) -> None:
    """Refuse pixels that are cut off, where they are not compressed.

    Raises:
        ReasonError: there are fewer than the file announces.
    """
    if data.file_meta.TransferSyntaxUID.is_encapsulated or "PixelData" not in data:
        return
    samples = 2 if "422" in str(data.PhotometricInterpretation) else int(data.SamplesPerPixel)
    bits = n * int(data.Rows) * int(data.Columns) * samples * int(data.BitsAllocated)
    if len(data.PixelData) * 8 < bits:
        raise ReasonError("truncated")
