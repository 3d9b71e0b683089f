"""Whole files of microscopes, telescopes and scanners, small ones, made from scratch."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from trials.samples import SIDE, picture


def _planes(n: int) -> np.ndarray[Any, Any]:
    """(n, H, W) of 16 bits."""
    levels = [np.asarray(picture(100 + plane, "L")) for plane in range(n)]
    return np.stack(levels).astype(np.uint16) * 257


def _bands() -> list[bytes]:
    import tifffile

    bands, found = np.moveaxis(_planes(5), 0, 2), []
    contig: dict[str, Any] = {"photometric": "minisblack", "planarconfig": "contig"}
    for pixels, how in (
        (bands, contig),
        (bands, contig | {"compression": "lzw", "predictor": True}),
        (bands.astype(np.float32), contig | {"compression": "zlib", "predictor": True}),
        (bands, contig | {"compression": "zstd", "tile": (16, 16)}),
        (bands, contig | {"bigtiff": True, "byteorder": ">"}),
        (_planes(5), {"photometric": "minisblack", "planarconfig": "separate"}),
        (bands[..., :3], {"photometric": "rgb", "compression": "jpeg2000"}),
        (bands[..., :3] >> 8, {"photometric": "rgb", "compression": "jpegxl"}),
        (_planes(12), {"photometric": "minisblack", "metadata": None}),
        (_planes(6).reshape(2, 3, SIDE, SIDE), {"imagej": True, "metadata": {"axes": "ZCYX"}}),
        (_planes(6).reshape(2, 3, SIDE, SIDE), {"ome": True, "metadata": {"axes": "ZCYX"}}),
    ):
        file = io.BytesIO()
        tifffile.imwrite(file, pixels.astype(np.uint8) if pixels.max() < 256 else pixels, **how)
        found.append(file.getvalue())
    return found


def _fits() -> list[bytes]:
    from astropy.io import fits

    found = []
    for hdus in (
        [fits.PrimaryHDU(_planes(1)[0])],
        [fits.PrimaryHDU(_planes(4).astype(np.float32))],
        [fits.PrimaryHDU(), fits.ImageHDU(_planes(1)[0]), fits.ImageHDU(_planes(2)[1])],
        [fits.PrimaryHDU(), fits.CompImageHDU(_planes(1)[0])],
        [fits.PrimaryHDU(), fits.CompImageHDU(_planes(1)[0].astype(np.float32))],
        [fits.PrimaryHDU(_planes(12))],
    ):
        file = io.BytesIO()
        fits.HDUList(hdus).writeto(file)
        found.append(file.getvalue())
    return found


def _dcm() -> list[bytes]:
    import imagecodecs
    from pydicom.encaps import encapsulate
    from pydicom.uid import (
        ExplicitVRLittleEndian,
        JPEG2000Lossless,
        JPEGLosslessSV1,
        JPEGLSLossless,
        RLELossless,
    )

    plane, colour = _planes(1)[0], np.asarray(picture(120))
    rle = imagecodecs.packbits_encode(np.ascontiguousarray(plane >> 8).astype(np.uint8).tobytes())
    rle = (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + b"\0" * 56 + rle
    return [
        _dicom(plane, plane.tobytes(), ExplicitVRLittleEndian),
        _dicom(colour, colour.tobytes(), ExplicitVRLittleEndian),
        _dicom(_planes(3), _planes(3).tobytes(), ExplicitVRLittleEndian, NumberOfFrames=3),
        _dicom(plane, encapsulate([bytes(imagecodecs.jpegls_encode(plane))]), JPEGLSLossless),
        _dicom(plane, encapsulate([bytes(imagecodecs.ljpeg_encode(plane))]), JPEGLosslessSV1),
        _dicom(plane, encapsulate([bytes(imagecodecs.jpeg2k_encode(plane, codecformat="j2k"))]),
               JPEG2000Lossless),
        _dicom((plane >> 8).astype(np.uint8), encapsulate([rle]), RLELossless),
    ]  # fmt: skip


def _dicom(pixels: np.ndarray[Any, Any], content: bytes, syntax: Any, **tags: Any) -> bytes:
    from pydicom import dcmwrite
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, SecondaryCaptureImageStorage

    data, meta = Dataset(), FileMetaDataset()
    meta.MediaStorageSOPClassUID = data.SOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = UID("1.2.3")
    meta.TransferSyntaxUID = syntax
    data.file_meta = meta
    data.PatientName, data.RescaleSlope, data.RescaleIntercept = "Doe^Jane", 1.0, -1024.0
    data.Rows = data.Columns = SIDE
    data.SamplesPerPixel = 3 if pixels.shape[-1] == 3 else 1
    data.PhotometricInterpretation = "RGB" if data.SamplesPerPixel == 3 else "MONOCHROME1"
    data.PlanarConfiguration, data.PixelRepresentation = 0, 0
    data.BitsAllocated = data.BitsStored = 8 * pixels.dtype.itemsize
    data.HighBit = data.BitsStored - 1
    for name, value in tags.items():
        setattr(data, name, value)
    data.PixelData = content
    data["PixelData"].VR = "OB" if syntax.is_encapsulated else "OW"
    file = io.BytesIO()
    dcmwrite(file, data, enforce_file_format=True)
    return file.getvalue()


def store(number: int) -> dict[str, bytes]:
    """The files of a Zarr store, by their paths within it."""
    import zarr

    images = np.moveaxis(_planes(12).reshape(4, 3, SIDE, SIDE), 1, 3)
    ways: list[dict[str, Any]] = [
        {"zarr_format": 2}, {"zarr_format": 3}, {"shards": (4, SIDE, SIDE, 3)},
    ]  # fmt: skip
    how = ways[number % 3]
    with tempfile.TemporaryDirectory() as folder:
        zarr.create_array(folder, data=images, chunks=(2, SIDE, SIDE, 3), **how)
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(Path(folder).rglob("*"))
            if path.is_file()
        }


SCIENTIFIC: dict[str, Callable[[], list[bytes]]] = {"bands.tif": _bands, "fits": _fits, "dcm": _dcm}
"""Files of one image or several, by their suffix."""
