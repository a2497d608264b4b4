"""The listing is the diagram: imports point one way, the core is pure, importing costs nothing.

Claimed: modules import only what stands before them in `ORDER`; the pure ones know no clock, file, network or
camera; every outside library has its one place; `import posture` and `posture --help` load nothing heavy;
everything public says what it is.
"""

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

import posture

PACKAGE = Path(posture.__file__).resolve().parent
# From inner to outer; a module may import those before it. A new module gets its place here.
PURE = [
    "errors",
    "redaction",
    "landmarks",
    "settings",
    "wording",
    "cues",
    "face",
    "angles",
    "deviation",
    "baseline",
    "smoothing",
    "slouch",
    "words",
    "judging",
    "people",
    "gates",
    "scatter",
    "camera_move",
    "calibration",
    "calibration_run",
    "fit",
    "rezero",
    "separation",
    "receipt",
    "alerts",
    "breaks",
    "stretches",
    "measured",
    "step_result",
    "pipeline",
    "duty",
    "glimpse",
    "summary",
    "panel_view",
    "api.columns",
    "api.result",
    "api.measure",
    "recording.records",
    "labels.labels",
    "labels.foreign",
    "labels.editing",
    "labels.playhead",
    "labels.keys",
    "labels.view",
    "labels.timeline",
    "history.rows",
    "history.schema",
    "history.timeline",
    "history.chronicle",
    "history.proposal",
    "desktop.circumstances",
    "view.figure",
    "view.gauges",
    "view.moment",
    "view.sketch",
    "report.ledger",
    "report.periods",
    "report.trend",
    "report.figures",
    "report.day",
    "report.words",
    "evaluation.alerting",
    "evaluation.course",
    "evaluation.tally",
    "evaluation.truth",
    "evaluation.scoring",
    "evaluation.result",
    "evaluation.limits",
    "evaluation.comparison",
    "tuning.tape",
    "tuning.verdict",
    "tuning.trial",
    "tuning.choice",
    "tuning.finding",
    "tuning.curve_text",
]
CONSTANTS = ["bundled", "coefficients"]  # numbers that come with the program, read from its own files
OUTER = [
    "stderr",
    "interrupts",
    "files",
    "jobs.outcome",
    "jobs.attempt",
    "jobs.worker",
    "jobs.processes",
    "jobs.scheduler",
    "jobs.members",
    "jobs.cluster",
    "autostart.program",
    "autostart.unit",
    "autostart.desktop_entry",
    "autostart.launch_agent",
    "autostart.task",
    "autostart.ours",
    "autostart.linux",
    "autostart.macos",
    "autostart.windows",
    "config",
    "config_edit",
    "profile_json",
    "profiles",
    "profile_folder",
    "labels.document",
    "labels.table",
    "labels.files",
    "labels.keeper",
    "labels.elan",
    "labels.label_studio",
    "recording.codec",
    "recording.rows",
    "recording.writer",
    "recording.reader",
    "trace",
    "recording.player",
    "recording.excerpt",
    "model_file",
    "capture",
    "encoded",
    "cameras",
    "clips",
    "pictures",
    "streams",
    "live",
    "sources",
    "scene",
    "landmarker",
    "face_network",
    "follower",
    "observer",
    "desktop.bus",
    "desktop.lock",
    "desktop.idle",
    "desktop.battery",
    "desktop.call",
    "desktop.quiet",
    "desktop.watcher",
    "notify",
    "popups",
    "notifiers",
    "delivery",
    "history.hold",
    "history.database",
    "history.store",
    "history.recorder",
    "history.answers",
    "history.today",
    "history.exchange",
    "report.reading",
    "report.drawing",
    "report.charts",
    "report.panels",
    "report.sheet",
    "report.page",
    "report.text",
    "sinks",
    "wall_clock",
    "control.commands",
    "control.channel",
    "control.instance",
    "status",
    "tray.view",
    "tray.contact",
    "tray.programs",
    "tray.host",
    "tray.icon",
    "tray.app",
    "tray.command",
    "stretch_file",
    "monitor",
    "attention",
    "conductor",
    "reception",
    "session",
    "load",
    "console",
    "tables",
    "panel",
    "terminal",
    "view.lettering",
    "view.canvas",
    "view.stamps",
    "view.person",
    "view.board",
    "view.overlay",
    "view.onlooker",
    "view.shared_memory",
    "view.pane",
    "view.handover",
    "view.child",
    "view.window",
    "view.preview",
    "view.strip",
    "view.video",
    "view.annotate",
    "view.axes",
    "view.charts",
    "view.plot",
    "view.views",
    "history.telling",
    "bench",
    "labels.footage",
    "labels.page",
    "labels.window",
    "assembly",
    "wiring",
    "api.opening",
    "api.clip",
    "api.camera",
    "labels.commands",
    "labels.labelling",
    "controlling",
    "calibrating",
    "managing",
    "watching",
    "clip_replay",
    "replaying",
    "batch.finding",
    "batch.rows",
    "batch.encoding",
    "batch.dataset",
    "batch.clip_work",
    "batch.display",
    "batch.command",
    "inspecting",
    "history.commands",
    "stretching",
    "recording.table",
    "tracing",
    "reporting",
    "evaluation.statistics",
    "evaluation.figures",
    "evaluation.words",
    "evaluation.cases",
    "evaluation.running",
    "api.labelled",
    "api.evaluation",
    "evaluation.record",
    "evaluation.tables",
    "evaluation.strips",
    "evaluation.page",
    "evaluating",
    "tuning.sweep",
    "tuning.reading",
    "tuning.working",
    "tuning.running",
    "tuning.figures",
    "api.tuning",
    "tuning.curve_svg",
    "tuning.telling",
    "tuning.page",
    "tuning.command",
    "starting",
    "checks.finding",
    "checks.installation",
    "checks.storage",
    "checks.camera",
    "checks.session",
    "checks.engine",
    "checks.running",
    "doctor",
    "commands.options",
    "commands.watching",
    "commands.recordings",
    "commands.laboratory",
    "commands.tune",
    "commands.control",
    "commands.person",
    "commands.machine",
    "commands.config",
    "commands.history",
    "commands.autostart",
    "commands.profiles",
    "commands.trace",
    "commands.labels",
    "cli",
    "__main__",
]
COMMAND_LINE = {"cli", "commands.config"}  # may print
CORE = PURE[: PURE.index("smoothing")] + CONSTANTS + PURE[PURE.index("smoothing") :]
ORDER = CORE + OUTER

PURE_IMPORTS = {
    "__future__",
    "bisect",
    "collections",
    "dataclasses",
    "datetime",  # calendar arithmetic; `now` and `today` are refused below
    "enum",
    "functools",
    "html",  # escaping
    "itertools",
    "math",
    "re",
    "typing",
    "numpy",
}
IMPURE_NAMES = {"open", "print", "input", "exec", "eval", "breakpoint", "__import__"}
# Who may import an outside library; everything not named here is the standard library's.
HOME = {
    "mediapipe": {"landmarker", "bench"},
    "cv2": {"capture"},
    "pygame": {"view.pane"},
    "PIL": {"view.lettering"},
    "av": {"view.video"},
    "matplotlib": {"view.axes", "view.charts", "view.plot"},
    "cv2_enumerate_cameras": {"cameras"},
    "plyer": {"notify"},
    "typer": {"cli"} | {module for module in OUTER if module.startswith("commands.")},
    "rich": {
        "terminal",
        "panel",
        "console",
        "tables",
        "wiring",
        "assembly",
        "calibrating",
        "inspecting",
        "tracing",
        "history.telling",
        "doctor",
        "report.text",
        "evaluation.tables",
        "evaluating",
        *("tuning.telling", "tuning.command"),
        "stretching",
        "replaying",
        "batch.display",
        "batch.command",
        "labels.commands",
        "labels.labelling",
    },
    "platformdirs": {"config"},
    "msgspec": {
        "settings",
        "config",
        "profile_json",
        "profiles",
        "status",
        "inspecting",
        "watching",
        "clip_replay",
        "batch.dataset",
        "control.commands",
        "control.channel",
        "reception",
        "history.exchange",
        "stretch_file",
        *("evaluation.record", "evaluating"),
        *("tuning.sweep", "tuning.reading"),
        *("labels.document", "labels.table"),
        *("recording.codec", "recording.reader", "recording.writer"),
    },
    "filelock": {"control.instance", "batch.dataset"},
    "socket": {"streams", "control.channel", "tray.app", "jobs.scheduler"},
    "PySide6": {"tray.icon", "tray.app"},
    "sqlite3": {"history.database", "checks.storage"},
    "pyarrow": {"history.exchange", "batch.encoding"},
    "distributed": {"jobs.scheduler", "jobs.cluster"},
    "jeepney": {"desktop.bus", "checks.session", "popups"},
    "psutil": {"desktop.battery", "desktop.call"},
    "jinja2": {"report.sheet"},
    "markupsafe": {
        *("report.drawing", "report.charts", "report.panels", "report.page", "report.sheet"),
        *("evaluation.strips", "evaluation.page"),
        *("tuning.curve_svg", "tuning.page"),
    },
    "svg": {"report.drawing", "report.charts", "evaluation.strips", "tuning.curve_svg"},
    "tomlkit": {"config_edit"},
    "scipy": {"evaluation.statistics"},
}


def dotted(path):
    """Return a file's module name below `posture`; a sub-package's own is its folder's."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


TREES = {dotted(path): ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
PACKAGES = {name for name in TREES if (PACKAGE / name.replace(".", "/") / "__init__.py").is_file()}


@functools.cache
def imports(tree):
    """Return the modules that `tree` imports anywhere, functions included, type checking excluded."""
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            inside = f"{node.module}.".removeprefix("posture.")
            submodules = [f"{node.module}.{a.name}" for a in node.names if inside + a.name in TREES]
            is_own = node.module == "posture" or node.module.removeprefix("posture.") in PACKAGES
            found += submodules if is_own and submodules else [node.module]
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func) and node.args:
            argument = node.args[0]
            if isinstance(argument, ast.Constant):
                found.append(argument.value)
    return found


def own(tree):
    return {name.removeprefix("posture.") for name in imports(tree) if name.startswith("posture.")}


def roots(tree):
    return {name.split(".")[0] for name in imports(tree)} - {"posture"}


def test_every_module_has_its_place():
    assert set(TREES) == {"__init__", *PACKAGES, *ORDER}
    assert len(ORDER) == len(set(ORDER))


def test_the_design_page_lists_every_module_once():
    page = Path(__file__).parents[1].joinpath("docs", "design.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`([\w.]+)`", " ".join(rows))) == sorted(ORDER)


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_sub_package_is_a_folder_and_no_more(package):
    assert not imports(TREES[package])


@pytest.mark.parametrize("module", ORDER)
def test_imports_point_one_way(module):
    assert own(TREES[module]) <= set(ORDER[: ORDER.index(module)])


@pytest.mark.parametrize("module", PURE)
def test_the_core_is_pure(module):
    tree = TREES[module]
    allowed = PURE_IMPORTS | ({"msgspec"} if module == "settings" else set())
    assert roots(tree) <= allowed
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & IMPURE_NAMES
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not attributes & {
        "now",
        "today",
        "utcnow",
        "tofile",
        "fromfile",
        "load",
        "save",
        "savez",
        "random",
    }


@pytest.mark.parametrize("library", HOME)
def test_every_library_has_its_place(library):
    assert {module for module, tree in TREES.items() if library in roots(tree)} <= HOME[library]


@pytest.mark.parametrize("module", TREES)
def test_libraries_are_the_declared_ones(module):
    assert roots(TREES[module]) <= set(sys.stdlib_module_names) | set(HOME) | {"numpy"}


@pytest.mark.parametrize("module", [m for m in TREES if m not in COMMAND_LINE])
def test_only_the_command_line_prints_and_exits(module):
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("print", "exit", "quit", "logging.basicConfig")
            assert called != "sys.exit" or module == "__main__"
            assert called != "typer.Exit" or module == "commands.options"


def test_a_command_ends_by_its_code_alone():
    called = {
        ast.unparse(node.func) for node in ast.walk(TREES["commands.config"]) if isinstance(node, ast.Call)
    }
    assert not called & {"exit", "quit", "sys.exit", "os._exit", "typer.Exit", "logging.basicConfig"}


@pytest.mark.parametrize("module", TREES)
def test_everything_public_says_what_it_is(module):
    assert ast.get_docstring(TREES[module])
    classes = [node for node in TREES[module].body if isinstance(node, ast.ClassDef)]
    for node in [*TREES[module].body, *(member for owner in classes for member in owner.body)]:
        if isinstance(
            node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        ) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{module}.{node.name}"


def loaded_by(code):
    """Return the modules that a fresh interpreter has loaded after `code`."""
    script = f"import sys\n{code}\nsys.stderr.write(chr(10).join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()), done.stdout


HEAVY = {
    "cv2",
    "pygame",
    "mediapipe",
    "numpy",
    "plyer",
    "jeepney",
    "PIL",
    "av",
    "matplotlib",
    "jinja2",
    "svg",
}
HELP = "sys.argv = ['posture', '--help']\nfrom posture.cli import main\ntry:\n    main()\nexcept SystemExit: pass"


@pytest.mark.parametrize(
    "code",
    [
        "import posture",
        "import posture; dir(posture); posture.__version__",
        "import posture.controlling, posture.inspecting",  # what a hotkey is waited for: status, pause, snooze
        HELP,
    ],
)
def test_starting_loads_nothing_heavy(code):
    modules, output = loaded_by(code)
    assert "posture" in modules
    assert not modules & HEAVY
    assert ("calibrate" in output) == (code == HELP), "the help was really shown"


ONE_BY_ONE = """
import os
import sys

import numpy  # as all of them may

for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        __import__(name)
        print(name, *sys.modules, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.fixture(scope="module")
def loaded_alone():
    """By pure module: what an interpreter that had numpy only has loaded after importing it."""
    names = [f"posture.{module}" for module in PURE]
    done = subprocess.run(
        [sys.executable, "-c", ONE_BY_ONE, *names], capture_output=True, text=True, check=False, timeout=300
    )
    loaded = {line.split()[0]: set(line.split()[1:]) for line in done.stdout.splitlines()}
    assert set(loaded) == set(names), done.stderr
    return loaded


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_loads_no_library_but_numpy(loaded_alone, module):
    modules = loaded_alone[f"posture.{module}"]
    assert f"posture.{module}" in modules
    loaded = {name.split(".")[0] for name in modules}
    assert not loaded & {"cv2", "mediapipe", "plyer", "rich", "typer", "sqlite3", "platformdirs"}
    own_modules = {name for name in modules if name.startswith("posture.")}
    assert own_modules <= {f"posture.{name}" for name in [*CORE, *PACKAGES]}


def test_every_public_name_is_there():
    modules, output = loaded_by(
        "import posture\nprint(*[getattr(posture, n) is not None for n in posture.__all__])"
    )
    assert set(output.split()) == {"True"}
    assert not modules & {"cv2", "mediapipe"}
    # Importing a submodule binds it in the package, and a function of the same name could never be reached.
    assert not set(posture.__all__) & set(TREES)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = posture.nonsense
