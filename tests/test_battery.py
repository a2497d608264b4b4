"""Whether the battery gives the power, from the kernel's files as psutil reads them."""

import sys

import psutil
import pytest

from posture.desktop.battery import BatteryReading, read_battery


@pytest.fixture
def supplies(tmp_path, monkeypatch):
    if not sys.platform.startswith("linux"):
        pytest.skip("about /sys")
    monkeypatch.setattr(psutil._pslinux, "POWER_SUPPLY_PATH", str(tmp_path))
    return tmp_path


def put(folder, **files):
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(f"{text}\n", encoding="ascii")


def test_a_computer_without_a_battery(supplies):
    assert read_battery() is None
    put(supplies / "AC", online=1)
    assert read_battery() is None


@pytest.mark.parametrize(
    ("online", "status", "is_on_battery"),
    [
        ("1", "Charging", False),
        ("0", "Discharging", True),
        (None, "Discharging", True),
        (None, "Full", False),
    ],
)
def test_mains_and_battery(supplies, online, status, is_on_battery):
    if online is not None:
        put(supplies / "AC0", online=online)
    put(supplies / "BAT0", energy_now=30, energy_full=40, power_now=10, status=status, capacity=75)
    assert read_battery() == BatteryReading(is_on_battery, 0.75)


def test_an_unclear_battery(supplies):
    put(supplies / "BAT0", energy_now=90, energy_full=60, power_now=10, status="Unknown")
    reading = read_battery()
    assert reading.is_on_battery is None
    assert 0.0 <= reading.ratio <= 1.0


def test_a_system_that_psutil_knows_no_battery_of(monkeypatch):
    monkeypatch.delattr(psutil, "sensors_battery")
    assert read_battery() is None
