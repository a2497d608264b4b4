"""Every setting: its default, unit, range and meaning, in one place. Pure; no I/O.

Each value's comment in ``posture config init`` and each range error come from the annotations here, so
they cannot drift apart. Sources of the defaults: [ISO] ISO 11226:2000 and [RULA] McAtamney & Corlett 1993
(static posture = held for more than one minute; head and trunk inclination bands), [Claus] Claus et al.,
Appl Ergon 2016 (a real-life slouch at the computer is some 10-15 degrees), [HSE] HSE L26 and University
of Iowa guidance (a short movement break every 30-60 minutes), [EHS] Stanford EHS (30-60 s every 10 minutes; we
say less). The rest is our choice.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field


class CameraSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where pictures come from."""

    source: Annotated[str | int, Meta(description="camera index or name, clip, folder or URL")] = "0"
    mirror: Annotated[
        bool, Meta(description="flip the picture left to right, for a camera that mirrors it")
    ] = False
    rotate_deg: Annotated[
        Literal[0, 90, 180, 270],
        Meta(description="degrees; turn the picture clockwise by this, for a camera mounted sideways"),
    ] = 0
    width_px: Annotated[
        int, Meta(ge=160, le=3840, description="px; asked of the camera; a small picture costs least")
    ] = 640
    height_px: Annotated[int, Meta(ge=120, le=2160, description="px; asked of the camera")] = 480
    rate_hz: Annotated[
        float,
        Meta(
            ge=0.5, le=30, description="frames per second looked at, live, at most; power.preset has the rest"
        ),
    ] = 4.0
    release_between_checks_s: Annotated[
        float,
        Meta(
            ge=0,
            le=90,
            description="s; let go of the camera, its light out, for so long between two short looks; 0 = never",
        ),
    ] = 0.0


class ModelSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which pose model is used."""

    path: Annotated[str, Meta(description="another .task file (lite, heavy); empty = the packaged one")] = ""
    min_confidence: Annotated[
        float, Meta(ge=0.1, le=0.95, description="0..1; detection and tracking confidence asked of the model")
    ] = 0.5


class PoseSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is measured of a person beside the pose model's points."""

    face: Annotated[
        bool,
        Meta(
            description="a second network measures the face; false saves its processor time and is less exact "
            "(docs/power.md)"
        ),
    ] = True


class CalibrationSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the upright baseline is taken."""

    seconds: Annotated[float, Meta(ge=3, le=120, description="s; how long you sit upright")] = 8.0
    countdown_s: Annotated[float, Meta(ge=0, le=60, description="s; time to settle before it")] = 5.0
    stale_after_days: Annotated[
        float, Meta(gt=0, le=365, description="days; `posture run` says that an older baseline is old")
    ] = 7.0
    check_fit: Annotated[
        bool, Meta(description="do not judge against a baseline of another person or camera place")
    ] = True


class JudgeSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a posture counts as a slouch, and when it cannot be judged."""

    neck_deg: Annotated[
        float,
        Meta(
            ge=3, le=60, description="degrees; the neck this much further forward than your upright [Claus]"
        ),
    ] = 10.0
    thoracic_deg: Annotated[
        float,
        Meta(
            ge=3, le=60, description="degrees; the trunk this much further forward than your upright [Claus]"
        ),
    ] = 8.0
    flexion_deg: Annotated[
        float,
        Meta(
            ge=4,
            le=90,
            description="degrees; head poke: the neck's change minus the trunk's, as when sunk back [ISO: flexion]",
        ),
    ] = 17.0
    sink_ratio: Annotated[
        float,
        Meta(
            ge=0.02,
            le=0.5,
            description="trunk (hip to shoulder) lengths; the shoulders this much lower than your upright",
        ),
    ] = 0.05
    release_ratio: Annotated[
        float,
        Meta(gt=0, lt=1, description="share of the thresholds above; a slouch is over when all are below it"),
    ] = 0.75
    min_spreads: Annotated[
        float,
        Meta(
            ge=0,
            le=10,
            description="how many standard deviations of your own upright a threshold is at least",
        ),
    ] = 2.0
    smoothing_s: Annotated[
        float, Meta(ge=0, le=10, description="s; time constant of the smoothing while you sit still")
    ] = 0.2
    onset_dwell_s: Annotated[
        float,
        Meta(ge=0, le=60, description="s; how long a slouch must last to be recorded as one"),
    ] = 2.0
    recovery_s: Annotated[
        float,
        Meta(ge=0, le=120, description="s; how long you must be upright for a slouch to be over"),
    ] = 3.0
    unknown_after_s: Annotated[
        float, Meta(ge=0, le=60, description="s; without a judgement for this long before the state says so")
    ] = 2.0
    away_after_s: Annotated[
        float, Meta(ge=0, le=600, description="s; nobody in view for this long before you count as away")
    ] = 3.0
    return_after_s: Annotated[
        float, Meta(ge=0, le=60, description="s; judged again for this long before the state says so")
    ] = 1.0
    max_gap_s: Annotated[
        float,
        Meta(
            gt=0, le=100, description="s; time between two frames further apart than this counts as nothing"
        ),
    ] = 3.0
    forget_after_s: Annotated[
        float,
        Meta(ge=0, le=3600, description="s; not judged for longer than this, the slouch so far is forgotten"),
    ] = 30.0
    max_yaw_deg: Annotated[
        float,
        Meta(
            ge=10,
            le=90,
            description="degrees; head turned further than this from your upright is not judged (docs/method.md)",
        ),
    ] = 20.0
    min_luminance: Annotated[float, Meta(ge=0, le=1, description="0..1; a darker picture is not judged")] = (
        0.06
    )
    min_visibility: Annotated[
        float, Meta(ge=0, le=1, description="0..1; landmarks the model trusts less are not used")
    ] = 0.4
    max_offset_ratio: Annotated[
        float,
        Meta(
            gt=0, le=5, description="shoulder widths; sitting further from the calibrated place is not judged"
        ),
    ] = 1.0


class AlertSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a slouch deserves a notification."""

    sustain_s: Annotated[
        float, Meta(ge=1, le=3600, description="s; slouched this long before an alert [RULA][ISO]")
    ] = 60.0
    cooldown_s: Annotated[
        float,
        Meta(
            ge=0,
            le=86_400,
            description="s; until the same slouch is mentioned again; doubles each time you go on",
        ),
    ] = 300.0
    max_cooldown_s: Annotated[
        float, Meta(ge=0, le=86_400, description="s; the longest that doubling makes it")
    ] = 2400.0
    max_per_hour: Annotated[
        int, Meta(ge=0, le=60, description="alerts in any 60 minutes; 0 = never alert")
    ] = 4
    quiet_hours: Annotated[
        list[Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")]],
        Meta(description='local times without alerts, e.g. ["12:00-13:00", "22:00-07:00"]'),
    ] = field(default_factory=list)
    respect_do_not_disturb: Annotated[
        bool,
        Meta(description="no alerts while the desktop is told not to disturb; they are not kept for later"),
    ] = True
    silent_in_call: Annotated[
        bool, Meta(description="no alerts in a call that does not pause the monitor; see pause.in_call")
    ] = True


class BreakSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a movement break is due."""

    enabled: Annotated[bool, Meta(description="remind you to stand up and move")] = True
    interval_s: Annotated[
        float, Meta(ge=60, le=86_400, description="s; sitting this long before a break is due [HSE]")
    ] = 2700.0
    repeat_s: Annotated[
        float, Meta(ge=60, le=86_400, description="s; until a break not taken is mentioned again")
    ] = 900.0
    away_s: Annotated[float, Meta(ge=10, le=3600, description="s; an absence this long is a break")] = 120.0
    micro_interval_s: Annotated[
        float, Meta(ge=0, le=86_400, description="s; until a pause of 30 s is suggested; 0 = never [EHS]")
    ] = 1200.0
    micro_away_s: Annotated[
        float, Meta(ge=5, le=3600, description="s; an absence this long is such a pause, taken")
    ] = 30.0
    spacing_s: Annotated[
        float, Meta(ge=0, le=600, description="s; a reminder comes at least this long after an alert")
    ] = 120.0
    standing_profiles: Annotated[
        list[str], Meta(description="profiles calibrated standing at the desk; their time is not sitting")
    ] = field(default_factory=lambda: ["standing"])
    standing_interval_s: Annotated[
        float, Meta(ge=60, le=86_400, description="s; standing this long before a change is suggested")
    ] = 1800.0


class NotifySettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How you are told."""

    enabled: Annotated[bool, Meta(description="show desktop notifications")] = True
    timeout_s: Annotated[
        int, Meta(ge=1, le=120, description="s; how long a notification stays; some desktops ignore it")
    ] = 10
    sound: Annotated[bool, Meta(description="ask the desktop for a sound; not every one has it")] = False
    buttons: Annotated[
        bool, Meta(description="buttons on the notifications, where the desktop has them (Linux)")
    ] = True
    backend: Annotated[
        Literal["auto", "buttons", "plain"],
        Meta(description="with buttons where that works, else plain; or one of the two only"),
    ] = "auto"


class PowerSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much of the processor a camera may cost; clips are judged frame by frame."""

    preset: Annotated[
        Literal["eco", "balanced", "responsive"],
        Meta(description="how long a picture that has not changed is taken for judged"),
    ] = "balanced"
    max_hold_s: Annotated[
        float,
        Meta(ge=0, le=9, description="s; never longer than this; 0 = every picture looked at is judged"),
    ] = 8.0
    battery_preset: Annotated[
        Literal["", "eco", "balanced", "responsive"],
        Meta(description='the preset on battery; "" = the same as on mains'),
    ] = "eco"
    stop_on_battery: Annotated[
        bool, Meta(description="on battery let go of the camera and do not watch at all")
    ] = False


class PauseSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When the camera is let go by itself; where the desktop cannot tell, nothing is paused."""

    when_locked: Annotated[
        bool, Meta(description="the screen is locked or blanked, or another user sits there")
    ] = True
    when_idle_s: Annotated[
        float,
        Meta(
            ge=0,
            le=86_400,
            description="s; nobody in view and no key or mouse touched for this long; touching ends it; 0 = never",
        ),
    ] = 600.0
    in_call: Annotated[
        bool, Meta(description="in a call: another program uses a camera, or as the next two say")
    ] = True
    microphone_is_call: Annotated[
        bool,
        Meta(
            description="a microphone in use is a call; false if something records all day (docs/desktop.md)"
        ),
    ] = True
    call_apps: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=255)]],
        Meta(
            description='programs that are a call as long as they run, e.g. ["CptHost"]; many run all day, with no call'
        ),
    ] = field(default_factory=list)


class HistorySettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is kept of the days: states, angles, alerts; never a picture."""

    enabled: Annotated[
        bool, Meta(description="keep a history on this computer, for 'posture report' and 'posture why'")
    ] = True
    retention_days: Annotated[
        int,
        Meta(ge=0, le=36_500, description="days; what is older is deleted; 0 = kept for good"),
    ] = 730  # two years: last winter can be compared with this one (our choice)


class ViewSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the preview and annotated clips show."""

    blur: Annotated[
        bool, Meta(description="a silhouette on a few cells of colour instead of the picture")
    ] = False
    rate_hz: Annotated[
        float,
        Meta(ge=1, le=30, description="pictures per second of a preview; judged as seldom as without it"),
    ] = 10.0


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All settings of a run."""

    preset: Annotated[
        Literal["gentle", "balanced", "strict"],
        Meta(description="starting values for [judge] and [alert]; anything set explicitly wins"),
    ] = "balanced"
    camera: CameraSettings = CameraSettings()
    model: ModelSettings = ModelSettings()
    pose: PoseSettings = PoseSettings()
    calibration: CalibrationSettings = CalibrationSettings()
    judge: JudgeSettings = JudgeSettings()
    alert: AlertSettings = AlertSettings()
    breaks: BreakSettings = BreakSettings()
    notify: NotifySettings = NotifySettings()
    power: PowerSettings = PowerSettings()
    history: HistorySettings = HistorySettings()
    pause: PauseSettings = PauseSettings()
    view: ViewSettings = ViewSettings()


PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "gentle": {
        "judge": {"neck_deg": 14.0, "thoracic_deg": 11.0, "flexion_deg": 22.0, "sink_ratio": 0.07},
        "alert": {"sustain_s": 120.0, "max_per_hour": 2},
    },
    "balanced": {},
    "strict": {
        "judge": {"neck_deg": 8.0, "thoracic_deg": 6.5, "flexion_deg": 14.0, "sink_ratio": 0.04},
        "alert": {"sustain_s": 30.0, "max_per_hour": 6},
    },
}
"""What each preset changes against the defaults (our choice)."""
