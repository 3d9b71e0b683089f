"""DICOM: compared with the numbers that were written; nothing of the patient is let out."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from shoal.images.readers import find, reader_of

pydicom = pytest.importorskip("pydicom", reason="needs the extra scientific")
reader = find(".dcm", b"")
_SECRET = "Xylander"


def _content(pixels: np.ndarray[Any, Any], **tags: Any) -> bytes:
    """A DICOM file as a scanner writes it, with a patient's name in it."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

    data, meta = Dataset(), FileMetaDataset()
    meta.MediaStorageSOPClassUID = data.SOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta = meta
    data.PatientName, data.PatientID = f"{_SECRET}^Ada", f"{_SECRET}-1"
    data.PatientBirthDate = "19010203"
    data.Rows, data.Columns = pixels.shape[1:3] if tags.get("NumberOfFrames") else pixels.shape[:2]
    data.SamplesPerPixel = 3 if pixels.shape[-1] == 3 else 1
    data.PhotometricInterpretation = "RGB" if data.SamplesPerPixel == 3 else "MONOCHROME2"
    data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = 8 * pixels.dtype.itemsize
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    for name, value in tags.items():
        setattr(data, name, value)
    data.PixelData = pixels.tobytes()
    file = io.BytesIO()
    pydicom.dcmwrite(file, data, enforce_file_format=True)
    return file.getvalue()


def _numbers(*shape: int, dtype: str) -> np.ndarray[Any, Any]:
    about = np.iinfo(dtype)
    return np.random.default_rng(0).integers(about.min, about.max, shape, dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_numbers_are_rescaled_and_white_is_high(dtype: str) -> None:
    pixels = _numbers(8, 6, dtype=dtype)
    assert reader_of(_content(pixels)) is reader
    np.testing.assert_array_equal(reader.read(_content(pixels)).pixels[..., 0], pixels)
    content = _content(pixels, RescaleSlope=2.0, RescaleIntercept=-1024.0)
    np.testing.assert_array_equal(reader.read(content).pixels[..., 0], pixels * 2.0 - 1024)
    content = _content(pixels, PhotometricInterpretation="MONOCHROME1")
    about = np.iinfo(dtype)
    inverted = about.max + about.min - pixels.astype(np.int64)
    np.testing.assert_array_equal(reader.read(content).pixels[..., 0], inverted)


def test_colours_and_frames() -> None:
    pixels = _numbers(8, 6, 3, dtype="uint8")
    raw = reader.read(_content(pixels))
    assert raw.colour
    np.testing.assert_array_equal(raw.pixels, pixels)
    frames = _numbers(4, 8, 6, dtype="uint16")
    content = _content(frames, NumberOfFrames=4)
    assert reader.members(content) == [f"frame={frame}" for frame in range(4)]
    np.testing.assert_array_equal(reader.read(content, "frame=2").pixels[..., 0], frames[2])
    np.testing.assert_array_equal(reader.read(content).pixels, np.moveaxis(frames, 0, 2))


@pytest.mark.parametrize("codec", ["jpegls", "jpeg", "jpeg2k"])
def test_compressed_without_loss(codec: str) -> None:
    imagecodecs = pytest.importorskip("imagecodecs", reason="needs the extra scientific")
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless

    pixels = _numbers(16, 12, dtype="uint16") >> 4
    data = pydicom.dcmread(io.BytesIO(_content(pixels, BitsStored=12, HighBit=11)))
    encode, syntax = {
        "jpegls": (imagecodecs.jpegls_encode, JPEGLSLossless),
        "jpeg": (lambda x: imagecodecs.ljpeg_encode(x, bitspersample=12), JPEGLosslessSV1),
        "jpeg2k": (lambda x: imagecodecs.jpeg2k_encode(x, level=0, codecformat="j2k"),
                   JPEG2000Lossless),
    }[codec]  # fmt: skip
    data.PixelData = encapsulate([encode(pixels)])
    data["PixelData"].VR = "OB"
    data.file_meta.TransferSyntaxUID = syntax
    file = io.BytesIO()
    data.save_as(file)
    np.testing.assert_array_equal(reader.read(file.getvalue()).pixels[..., 0], pixels)


def test_reasons_repeat_nothing_of_the_file() -> None:
    content = _content(_numbers(40, 40, dtype="uint16"))
    at = content.index(b"MONOCHROME2 ")
    for broken, reason in (
        (content[:-1000], "truncated"),
        (content[:at] + f"{_SECRET:12}".encode() + content[at + 12 :], "damaged DICOM"),
        (content.replace(b"1.2.840.10008.1.2.1\0", f"1.2.{_SECRET:16}".encode()), "DICOM"),
        (b"\0" * 128 + b"DICM" + content[500:], "DICOM"),
    ):
        with pytest.raises(ValueError, match=reason) as caught:
            reader.read(broken)
        assert _SECRET not in str(caught.value)
        assert caught.value.__cause__ is None
