"""Bundled files are found in a checkout and in an installed package."""

from posture.bundled import DEMO_CLIP_NAME, FACE_MODEL_NAME, MODEL_NAME, asset_path


def test_the_bundled_files_are_there():
    assert asset_path(MODEL_NAME).is_file()
    assert asset_path(FACE_MODEL_NAME).is_file()
    assert asset_path(DEMO_CLIP_NAME).is_file()


def test_an_installed_package_uses_its_own_assets(tmp_path):
    package = tmp_path / "site-packages" / "posture"
    for folder in (package / "assets", tmp_path / "site-packages" / "models"):
        folder.mkdir(parents=True)
        (folder / "x.task").write_bytes(b"x")
    assert asset_path("x.task", package) == package / "assets" / "x.task"


def test_a_checkout_uses_the_models_folder(tmp_path):
    package = tmp_path / "posture"
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "x.task").write_bytes(b"x")
    assert asset_path("x.task", package) == tmp_path / "models" / "x.task"


def test_a_missing_file_is_reported_where_an_installation_should_have_it(tmp_path):
    assert asset_path("x.task", tmp_path / "posture") == tmp_path / "posture" / "assets" / "x.task"
