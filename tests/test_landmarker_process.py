"""What the landmarker does to its process: the terminal, descriptors, imports; and model files."""

import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from posture import landmarker as landmarker_module
from posture.bundled import MODEL_NAME, asset_path
from posture.errors import ModelFileError
from posture.landmarker import PoseLandmarker
from posture.landmarks import Frame
from posture.model_file import MODEL_MEMBERS

ROOT = Path(__file__).resolve().parents[1]
CLIP = ROOT / "tests" / "fixtures" / "front_upright_slouch.mp4"

PROGRAM = """
import os
import sys
import cv2
import numpy as np
from posture.landmarker import PoseLandmarker
from posture.landmarks import Frame

capture = cv2.VideoCapture(sys.argv[1])
if "closing" in sys.argv:
    os.close(2)
    sys.stderr = None
image = cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB)
with PoseLandmarker(quiet=sys.argv[2] == "quiet") as landmarker:
    for i in range(3):
        assert np.isnan(landmarker.detect(Frame(i, np.zeros_like(image))).xyzv).all()
    if sys.stderr is not None:
        print("before", file=sys.stderr)
    for i in range(3, 6):
        assert not np.isnan(landmarker.detect(Frame(i, image)).xyzv).any()
if sys.stderr is not None:
    print("after", file=sys.stderr)
print("done")
"""


def run(*arguments: str, shell_suffix: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    if shell_suffix:
        command = ["sh", "-c", f'exec "$@" {shell_suffix}', "sh", *command]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)


def read_image() -> np.ndarray:
    capture = cv2.VideoCapture(str(CLIP))
    image = cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB)
    capture.release()
    return image


# The process


def test_importing_the_module_imports_neither_mediapipe_nor_opencv():
    program = "import sys, posture.landmarker; print([m for m in ('mediapipe', 'cv2') if m in sys.modules])"
    assert run("-c", program).stdout == "[]\n"


def test_the_terminal_shows_our_lines_and_none_of_mediapipes():
    result = run("-c", PROGRAM, str(CLIP), "quiet")
    assert result.stderr == "before\nafter\n"  # an empty room first: one of the lines comes with a person
    assert result.stdout == "done\n"


def test_one_that_is_never_closed_ends_silently():
    result = run("-c", "from posture.landmarker import PoseLandmarker; forgotten = PoseLandmarker()")
    assert result.stderr == ""


def test_one_that_is_never_closed_may_be_collected_at_any_moment():
    program = """
import gc
import weakref
from concurrent.futures import thread
from posture.landmarker import PoseLandmarker

PoseLandmarker().close()  # the import of mediapipe keeps the first one alive
forgotten = PoseLandmarker()
forgotten.itself = forgotten
reference = weakref.ref(forgotten)
del forgotten
with thread._global_shutdown_lock:  # as while another landmarker is called
    gc.collect()
assert reference() is None
print("done")
"""
    assert run("-c", program).stdout == "done\n"


def test_mediapipes_lines_are_there_when_wanted():
    stderr = run("-c", PROGRAM, str(CLIP), "loud").stderr
    assert "XNNPACK" in stderr
    assert "NORM_RECT" in stderr


def test_a_closed_stderr_does_no_harm():
    assert run("-c", PROGRAM, str(CLIP), "quiet", "closing").stdout == "done\n"


def test_a_descriptor_2_that_is_not_stderr_is_left_alone():
    program = """
import os
import sys
from posture.stderr import quiet_stderr

nowhere = os.open(os.devnull, os.O_RDONLY)
assert nowhere == 2 and sys.__stderr__ is None
clip = os.open(sys.argv[1], os.O_RDONLY)
os.dup2(clip, 2)
with quiet_stderr():
    print(os.fstat(2).st_size == os.fstat(clip).st_size)
"""
    assert run("-c", program, str(CLIP), shell_suffix="2>&-").stdout == "True\n"


def test_two_starting_at_once_leave_stderr_as_it_was(capfd):
    threads = [threading.Thread(target=lambda: PoseLandmarker().close()) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("still here", file=sys.stderr, flush=True)
    assert capfd.readouterr().err == "still here\n"


def test_no_descriptor_or_thread_is_left_behind():
    image = read_image()
    process = psutil.Process()
    counts = []
    for _ in range(6):
        with PoseLandmarker() as landmarker:
            landmarker.detect(Frame(0.0, image))
        counts.append((process.num_fds(), process.num_threads()))
    assert {n_fds for n_fds, _ in counts} == {counts[0][0]}
    assert max(n_threads for _, n_threads in counts) <= counts[0][1] + 1  # one may still be ending


# Model files


@pytest.mark.parametrize("name", ["copy.task", "copie modèle 模型.task"])
def test_another_model_file_may_be_named(tmp_path, name):
    path = tmp_path / name
    shutil.copy(asset_path(MODEL_NAME), path)
    frame = Frame(0.0, read_image())
    with PoseLandmarker(path) as named, PoseLandmarker() as packaged:
        np.testing.assert_array_equal(named.detect(frame).xyzv, packaged.detect(frame).xyzv)


def test_a_relative_model_path_is_taken_from_the_working_folder(tmp_path, monkeypatch):
    shutil.copy(asset_path(MODEL_NAME), tmp_path / "copy.task")
    monkeypatch.chdir(tmp_path)
    with PoseLandmarker(Path("copy.task")) as landmarker:
        monkeypatch.chdir(ROOT)
        landmarker._stop()  # as after an error; the next frame starts it again
        landmarker.detect(Frame(0.0, read_image()))


def zip_of(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)


def copy_of_model(path: Path, cut: int = 0, flip_at: int | None = None) -> None:
    data = bytearray(asset_path(MODEL_NAME).read_bytes())
    if flip_at is not None:
        data[flip_at] ^= 0xFF
    path.write_bytes(data[: len(data) - cut])


JUNK = b"\x1c\0\0\0TFL3" + bytes(range(256)) * 4
BAD_MODELS = {
    "missing": (lambda p: None, "missing"),
    "folder": (lambda p: p.mkdir(), "cannot be read"),
    "empty": (lambda p: p.write_bytes(b""), "not a pose model"),
    "text": (lambda p: p.write_text("hello\nthere"), "not a pose model"),
    "zip of something else": (lambda p: zip_of(p, readme=b"hello"), "no item named"),
    "only one network": (lambda p: zip_of(p, pose_detector__tflite=JUNK), "pose_landmarks_detector"),
    "not networks": (lambda p: zip_of(p, **dict.fromkeys(MODEL_MEMBERS, b"x")), "not a TFLite network"),
    "cut short": (lambda p: copy_of_model(p, cut=1000), "cut short"),
    "cut by a byte": (lambda p: copy_of_model(p, cut=1), "cut short"),
    "damaged": (lambda p: copy_of_model(p, flip_at=4_000_000), "cut short"),
    "junk networks": (lambda p: zip_of(p, **dict.fromkeys(MODEL_MEMBERS, JUNK)), "cannot load"),
}


@pytest.mark.parametrize("kind", BAD_MODELS)
def test_a_bad_model_file_is_one_clear_line(tmp_path, kind, capfd):
    path = tmp_path / "bad.task"
    make_bad, text = BAD_MODELS[kind]
    make_bad(path)
    with pytest.raises(ModelFileError, match=text) as caught:
        PoseLandmarker(path)
    message = str(caught.value)
    assert str(path) in message
    assert "model.path" in message
    assert "\n" not in message
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "cut short", "damaged"])
def test_a_bad_packaged_model_says_to_reinstall(tmp_path, kind, monkeypatch):
    path = tmp_path / "bad.task"
    BAD_MODELS[kind][0](path)
    monkeypatch.setattr(landmarker_module, "asset_path", lambda _name: path)
    with pytest.raises(ModelFileError, match="reinstall the package") as caught:
        PoseLandmarker()
    assert str(path) in str(caught.value)


def test_the_packaged_model_is_verified_even_if_it_is_a_good_bundle(tmp_path, monkeypatch):
    path = tmp_path / "other.task"
    with zipfile.ZipFile(asset_path(MODEL_NAME)) as source:
        zip_of(path, **{name: source.read(name) for name in MODEL_MEMBERS})
    PoseLandmarker(path).close()
    monkeypatch.setattr(landmarker_module, "asset_path", lambda _name: path)
    with pytest.raises(ModelFileError, match="SHA-256"):
        PoseLandmarker()
