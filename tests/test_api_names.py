"""The public names: each is documented in numpydoc's form, typed with public types, and seen by type checkers.

Claimed: of every function and method in `posture.__all__` the docstring names each parameter, what is returned and
what it raises itself; every annotation leads to Python's, NumPy's, Matplotlib's or another public name.
"""

import ast
import enum
import inspect
import re
import subprocess
import sys
import textwrap
import types
import typing

import pytest

import posture

NAMES = [name for name in posture.__all__ if name != "__version__"]
OBJECTS = {name: getattr(posture, name) for name in NAMES}
CONSTANTS = {"CUES"}
UNDERLINED = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)
# Roots of the libraries whose types may stand in a signature.
OUTSIDE = {"builtins", "collections", "matplotlib", "numpy", "os", "pathlib", "threading", "types", "typing"}


def is_own(member):
    return getattr(member, "__module__", "").startswith("posture")


def functions():
    """Every public function, and every public method written for a public class: (name, function, owner)."""
    for name, thing in OBJECTS.items():
        if inspect.isfunction(inspect.unwrap(thing)):
            yield name, inspect.unwrap(thing), None
        elif inspect.isclass(thing):
            for key, member in vars(thing).items():
                function = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
                if inspect.isfunction(function) and not key.startswith("_"):
                    yield f"{name}.{key}", function, thing


FUNCTIONS = {name: (function, owner) for name, function, owner in functions()}


def sections(thing):
    """Return the sections of a docstring: title -> text."""
    parts = UNDERLINED.split(inspect.getdoc(thing) or "")
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def described(text):
    """Return the names that a Parameters or Raises section describes."""
    lines = [line for line in text.splitlines() if line and not line.startswith(" ")]
    return {name.strip() for line in lines for name in line.split(" : ")[0].split(",")}


def raised(function):
    """Return the names of the errors that a function's own `raise` statements make."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    calls = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    return {ast.unparse(call.func) for call in calls if isinstance(call, ast.Call)}


@pytest.mark.parametrize("name", CONSTANTS)
def test_a_constant_is_explained_where_it_stands(name):
    body = ast.parse(inspect.getsource(sys.modules[f"posture.{posture._HOME[name]}"])).body
    (at,) = (i for i, node in enumerate(body) if isinstance(node, ast.AnnAssign) and node.target.id == name)
    assert isinstance(body[at + 1], ast.Expr) and isinstance(body[at + 1].value.value, str)


@pytest.mark.parametrize("name", [n for n in NAMES if n not in CONSTANTS])
def test_everything_public_says_what_it_is(name):
    text = inspect.getdoc(OBJECTS[name]) or ""
    first = text.splitlines()[0] if text else ""
    assert first.endswith("."), f"posture.{name}: {first!r}"
    own = vars(OBJECTS[name]).get("__doc__") if inspect.isclass(OBJECTS[name]) else text
    assert own, "not inherited"
    assert not own.startswith(f"{name}("), "not what dataclass or enum writes by itself"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_tells_what_it_takes_returns_and_raises(name):
    function, _ = FUNCTIONS[name]
    told, signature = sections(function), inspect.signature(function)
    parameters = [p for p in signature.parameters if p not in ("self", "cls")]
    assert described(told.get("Parameters", "")) == set(parameters)
    gives = signature.return_annotation not in (None, "None", inspect.Signature.empty)
    assert gives == bool(told.keys() & {"Returns", "Yields"})
    assert raised(function) <= described(told.get("Raises", ""))


@pytest.mark.parametrize("name", [n for n in NAMES if inspect.isclass(OBJECTS[n])])
def test_a_class_tells_what_it_is_made_from(name):
    thing = OBJECTS[name]
    made_by = vars(thing).get("__init__")
    if made_by is None or not is_own(made_by) or hasattr(thing, "__dataclass_fields__"):
        return  # an enum, a protocol, an error, settings; fields are documented one by one
    told = sections(thing)
    assert described(told.get("Parameters", "")) == set(inspect.signature(made_by).parameters) - {"self"}
    assert raised(made_by) <= described(told.get("Raises", ""))


def leaves(annotation):
    """Every plain type in an annotation."""
    if isinstance(annotation, typing.TypeVar | str) or annotation in (Ellipsis, None, typing.Any):
        return
    if typing.get_origin(annotation) is typing.Literal:
        return
    inner = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        inner = inner[:1]
    if inner:
        for part in inner:
            yield from [
                leaf for each in (part if isinstance(part, list) else [part]) for leaf in leaves(each)
            ]
        origin = typing.get_origin(annotation)
        if origin not in (typing.Annotated, typing.Union, types.UnionType):
            yield origin
    else:
        yield annotation


def annotations(thing, where):
    """Every annotation of a function or class that a user meets, resolved."""
    known = {**vars(sys.modules[thing.__module__])}
    if "matplotlib" in inspect.getsource(sys.modules[thing.__module__]):
        import matplotlib.axes
        import matplotlib.figure

        known |= {"Axes": matplotlib.axes.Axes, "Figure": matplotlib.figure.Figure}
    hints = typing.get_type_hints(thing, globalns=known, include_extras=True)
    for key, annotation in hints.items():
        if not key.startswith("_"):
            yield f"{where}.{key}", annotation


def every_annotation():
    for name, wrapped in OBJECTS.items():
        if name in CONSTANTS:
            continue
        thing = inspect.unwrap(wrapped)
        yield from annotations(thing, name)
        if inspect.isclass(thing) and not issubclass(thing, enum.Enum | Exception):
            for key, member in vars(thing).items():
                function = member.fget if isinstance(member, property) else getattr(member, "func", member)
                function = getattr(function, "__func__", function)
                if inspect.isfunction(function) and is_own(function) and key in ("__init__", key.lstrip("_")):
                    yield from annotations(function, f"{name}.{key}")


def test_no_signature_needs_a_name_that_is_not_public():
    public = {id(thing) for thing in OBJECTS.values()}
    leaking = {
        f"{where}: {leaf.__module__}.{leaf.__qualname__}"
        for where, annotation in every_annotation()
        for leaf in leaves(annotation)
        if id(leaf) not in public and leaf.__module__.split(".")[0].lstrip("_") not in OUTSIDE
    }
    assert not leaking


def test_every_field_and_property_of_a_public_class_is_explained():
    unexplained = []
    for name, thing in OBJECTS.items():
        if not inspect.isclass(thing) or not is_own(thing):
            continue
        for key, member in vars(thing).items():
            is_property = isinstance(member, property) or type(member).__name__ == "cached_property"
            if is_property and not key.startswith("_") and not inspect.getdoc(member):
                unexplained.append(f"{name}.{key}")
    assert not unexplained


def test_type_checkers_and_the_interpreter_see_the_same_names():
    tree = ast.parse(inspect.getsource(posture))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.asname: node.module for node in block.body for alias in node.names}
    assert all(alias.name == alias.asname for node in block.body for alias in node.names), "re-exported"
    assert seen == {name: f"posture.{home}" for name, home in posture._HOME.items()}
    assert {*NAMES, "__version__"} == set(dir(posture))
    assert "__getattr__" not in {getattr(node, "name", "") for node in tree.body}, "hides a mistyped name"
    assert len(NAMES) == len(set(NAMES))


def test_a_star_import_gives_the_public_names_only():
    script = "before = set(dir())\nfrom posture import *\nprint(*sorted(set(dir()) - before - {'before'}))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert set(done.stdout.split()) == set(posture.__all__)
