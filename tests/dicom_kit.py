"""DICOM files for tests, written by pydicom: photographs and captures with a patient in every corner."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import piexif
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    generate_uid,
)

MARK = "ZZMARKERDOE"
PHOTOGRAPH = "1.2.840.10008.5.1.4.1.1.77.1.4"
ENDOSCOPIC = "1.2.840.10008.5.1.4.1.1.77.1.1"
MICROSCOPIC = "1.2.840.10008.5.1.4.1.1.77.1.2"
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
BYTES, WORDS, COLOURS = CAPTURE + ".2", CAPTURE + ".3", CAPTURE + ".4"
WIDTH, HEIGHT = 96, 64


def picture(samples: int = 3, depth: int = 8, seed: int = 3) -> NDArray[Any]:
    """A picture of slopes and noise, every sample below ``2 ** depth``."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    noise = np.random.default_rng(seed).integers(0, 1 << depth, (HEIGHT, WIDTH, samples))
    slope = ((x * 2 + y)[..., None] << max(depth - 8, 0)) + np.arange(samples) * 7
    values = (slope + noise // 8) % (1 << depth)
    values = values.astype(np.uint8 if depth == 8 else np.uint16)
    return values[..., 0] if samples == 1 else values


def jpeg_of(pixels: NDArray[Any], *, exif: bool = True, **options: Any) -> bytes:
    """The picture as a JPEG, with a place and an owner in its EXIF."""
    if exif:
        options["exif"] = piexif.dump(
            {
                "0th": {piexif.ImageIFD.Artist: MARK.encode(), piexif.ImageIFD.Orientation: 6},
                "GPS": {piexif.GPSIFD.GPSLatitudeRef: b"S", piexif.GPSIFD.GPSLatitude: ((36, 1), (51, 1), (0, 1))},
            }
        )
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=92, **options)
    return out.getvalue()


def patient(data: Dataset) -> None:
    """Name, numbers, dates, places, private elements, an overlay, a curve, a small picture."""
    data.SpecificCharacterSet = "ISO_IR 192"
    data.PatientName = f"{MARK}^Jörg"
    data.PatientID = f"{MARK}-4711"
    data.PatientBirthDate = "19560304"
    data.PatientSex = "M"
    data.OtherPatientNames = f"{MARK}^Other"
    data.ReferringPhysicianName = f"{MARK}^Ref"
    data.AccessionNumber = f"{MARK}1"
    data.StudyDate, data.StudyTime, data.ContentDate = "20240531", "101500", "20240531"
    data.StudyID, data.StudyDescription = MARK, f"{MARK} wound"
    data.InstitutionName, data.Manufacturer, data.DeviceSerialNumber = f"{MARK} hospital", f"{MARK} Inc", MARK
    data.ImageComments = MARK
    request = Dataset()
    request.RequestedProcedureDescription, request.RequestingPhysician = MARK, f"{MARK}^Nested"
    data.RequestAttributesSequence = Sequence([request])
    block = data.private_block(0x0099, f"{MARK} creator", create=True)
    block.add_new(0x01, "LO", MARK)
    data.add(DataElement(0x60000010, "US", 8))
    data.add(DataElement(0x60000011, "US", 8))
    data.add(DataElement(0x60003000, "OW", MARK.encode() + b"\0"))
    data.add(DataElement(0x50000022, "LO", MARK))
    icon = Dataset()
    icon.Rows = icon.Columns = 4
    icon.PixelData = (MARK.encode() * 2)[:16]
    icon["PixelData"].VR = "OW"
    data.IconImageSequence = Sequence([icon])


def dataset(
    pixels: NDArray[Any] | None = None,
    *,
    of: str = PHOTOGRAPH,
    syntax: str = ExplicitVRLittleEndian,
    stored: int = 0,
    coded: list[bytes] | None = None,
    photometric: str = "",
    named: bool = True,
    frames: int = 1,
) -> FileDataset:
    """A data set of a picture; ``coded`` are its frames when they are coded."""
    pixels = picture() if pixels is None else pixels
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = of
    meta.SourceApplicationEntityTitle = MARK
    data = FileDataset(
        None, {}, file_meta=meta, preamble=MARK.encode().ljust(128, b"\1"),
        is_implicit_VR=syntax == ImplicitVRLittleEndian, is_little_endian=syntax != ExplicitVRBigEndian,
    )  # fmt: skip
    if named:
        patient(data)
    data.SOPClassUID, data.SOPInstanceUID = of, generate_uid(entropy_srcs=["one"])
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID = (generate_uid(entropy_srcs=[s]) for s in ("study", "series"))
    data.Modality, data.ImageType = (
        ("XC", ["ORIGINAL", "PRIMARY"]) if of == PHOTOGRAPH else ("OT", ["DERIVED", "SECONDARY"])
    )
    data.ConversionType, data.SeriesNumber, data.InstanceNumber = "DI", "2", "17"
    data.PatientOrientation, data.Laterality, data.BodyPartExamined = ["L", "F"], "L", "HAND"
    data.Rows, data.Columns = pixels.shape[:2]
    data.SamplesPerPixel = 1 if pixels.ndim == 2 else pixels.shape[2]
    data.PhotometricInterpretation = photometric or ("MONOCHROME2" if pixels.ndim == 2 else "RGB")
    data.BitsAllocated = pixels.dtype.itemsize * 8
    data.BitsStored = stored or data.BitsAllocated
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, 0
    if data.SamplesPerPixel > 1:
        data.PlanarConfiguration = 0
    data.BurnedInAnnotation = "YES"
    if frames > 1 or of in (BYTES, WORDS, COLOURS):
        data.NumberOfFrames = frames
        data.FrameIncrementPointer = 0x00181063
        data.FrameTime = "40"
    if coded is not None:
        data.PixelData = encapsulate(coded)
        data["PixelData"].VR = "OB"
    else:
        raw = pixels.astype(pixels.dtype.newbyteorder(">" if syntax == ExplicitVRBigEndian else "<")).tobytes() * frames
        data.PixelData = raw + b"\0" * (len(raw) % 2)
        data["PixelData"].VR = "OB" if data.BitsAllocated == 8 and syntax != ImplicitVRLittleEndian else "OW"
    return data


def saved(data: Dataset) -> bytes:
    """The bytes of the file."""
    out = io.BytesIO()
    data.save_as(out, enforce_file_format=True)
    return out.getvalue()


def photograph(**options: Any) -> bytes:
    """A baseline JPEG photograph."""
    pixels = options.pop("pixels", picture())
    coded = [jpeg_of(pixels, subsampling=options.pop("subsampling", 2), exif=options.pop("exif", True))]
    name = options.pop("photometric", "YBR_FULL_422" if pixels.ndim == 3 else "MONOCHROME2")
    return saved(dataset(pixels, syntax=JPEGBaseline8Bit, coded=coded, photometric=name, **options))


def jpeg2000(pixels: NDArray[Any], **options: Any) -> bytes:
    """The same as a lossless JPEG 2000 codestream."""
    out = io.BytesIO()
    image = Image.fromarray(pixels) if pixels.dtype == np.uint8 else Image.fromarray(pixels.astype(np.uint16))
    image.save(out, "JPEG2000", no_jp2=True, irreversible=False, mct=int(pixels.ndim == 3))
    name = "YBR_RCT" if pixels.ndim == 3 else "MONOCHROME2"
    return saved(dataset(pixels, syntax=JPEG2000Lossless, coded=[out.getvalue()], photometric=name, **options))


DCIODVFY = shutil.which("dciodvfy")


def faults(data: bytes, folder: Path) -> list[str]:
    """What dciodvfy calls an error; nothing when it is not installed."""
    if DCIODVFY is None:
        return []
    path = folder / "judged.dcm"
    path.write_bytes(data)
    done = subprocess.run([DCIODVFY, str(path)], capture_output=True, text=True, timeout=600)
    return [line for line in (done.stderr + done.stdout).splitlines() if line.startswith("Error")]
