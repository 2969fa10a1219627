"""The tree keeps the rules of the house: rooms, engines in one file each, marks, sizes, no addresses, hashed locks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("campaigns", "dialer", "outbound", "speech")
ENGINES = {"ctranslate2", "piper", "pjsua2", "pyttsx3", "vosk"}
PURE = {"asyncio", "logging", "os", "random", "socket", "sqlite3", "structlog", "subprocess", "threading", "time"}
LOCKS = (
    "constraints.txt",
    "constraints-test.txt",
    "constraints-build.txt",
    "constraints-mandarin.txt",
    "constraints-mutation.txt",
)

ADDRESSES = re.compile(
    r"//(files|registry|deb|security)\.|/simple/|(?<!emit)-index-url|"
    rf"[\"'`\s=:](/root/|/home/[a-z]+/|/tmp/\w{{3,}}|{re.escape(str(ROOT))}/\w)"
)
"""Addresses of package registries and paths of somebody's machine, this one's among them."""


def tracked() -> list[Path]:
    """Every file of the tree that is, or is about to be, under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def python_files(*folders: str) -> list[Path]:
    """The Python files of ``folders``."""
    return sorted(
        path for folder in folders for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts
    )


def imports(path: Path) -> set[str]:
    """Top-level names of everything that ``path`` imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module") and node.args:
            target = node.args[0]
            if isinstance(target, ast.Constant) and isinstance(target.value, str):
                found.add(target.value.partition(".")[0])
    return found


def bare(requirement: str) -> str:
    """The normalised name of a requirement, without extras, bounds and markers."""
    return re.split(r"[\[<>=!~; ]", requirement)[0].lower().replace("_", "-").replace(".", "-")


def test_rooms_import_only_downwards() -> None:
    linter = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )

    assert linter.returncode == 0, linter.stdout


def test_the_core_is_pure() -> None:
    stained = {str(path.relative_to(ROOT)): bad for path in python_files("campaigns") if (bad := imports(path) & PURE)}

    assert not stained


def test_each_engine_is_imported_in_one_file() -> None:
    where = defaultdict(list)
    for path in python_files(*ROOMS):
        for engine in imports(path) & ENGINES:
            where[engine].append(str(path.relative_to(ROOT)))

    assert set(where) == ENGINES
    assert {engine: files for engine, files in where.items() if len(files) > 1} == {}


def test_every_test_module_declares_one_mark() -> None:
    wrong = {}
    for path in python_files("tests"):
        if path.name.startswith("test_"):
            marks = re.findall(r"^pytestmark = (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            found = re.findall(r"pytest\.mark\.(unit|integration|acceptance)\b", " ".join(marks))
            if len(found) != 1:
                wrong[str(path.relative_to(ROOT))] = found

    assert not wrong


def test_every_module_begins_with_a_docstring() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in python_files(*ROOMS, "scripts", "tests")
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert not silent


def test_long_files_say_why() -> None:
    unexplained = []
    for path in python_files(*ROOMS, "scripts"):
        text = path.read_text(encoding="utf-8")
        first = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0]
        if text.count("\n") > 300 and not re.search(r"\b(because|long|one file|one place|whole|together)\b", first):
            unexplained.append(str(path.relative_to(ROOT)))

    assert not unexplained, "over 300 lines: split them, or say why in the docstring's first sentence"


def test_no_file_names_a_registry_or_somebodys_machine() -> None:
    named = []
    for path in tracked():
        if path == Path(__file__).resolve() or path.name == "LICENSE":
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        named += [
            f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
            for number, line in enumerate(text.splitlines(), 1)
            if ADDRESSES.search(line)
        ]

    assert not named


def test_every_package_that_is_imported_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["mandarin"], *extras["pocketsphinx"]]
    asked = {bare(requirement) for requirement in wanted}
    providers = packages_distributions()
    silent = {
        name
        for path in python_files(*ROOMS)
        for name in imports(path) - set(ROOMS) - sys.stdlib_module_names
        if not {bare(provider) for provider in providers.get(name, [])} & asked
    }

    assert not silent


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_requirement_has_a_hash(name: str) -> None:
    requirements = re.split(r"\n(?=\S)", (ROOT / name).read_text(encoding="utf-8").strip())

    assert len(requirements) > 1
    assert [entry.split("\n")[0] for entry in requirements if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_every_dependency_that_is_asked_for(lock: str) -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime, extras = document["project"]["dependencies"], document["project"]["optional-dependencies"]
    wanted = (
        runtime,
        [*runtime, *extras["test"]],
        document["build-system"]["requires"],
        extras["mandarin"],
        extras["mutation"],
    )
    asked = dict(zip(LOCKS, wanted, strict=True))[lock]
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))

    assert {bare(requirement) for requirement in asked} - locked == set(), "run: make lock"


def test_arq_is_the_version_whose_behaviour_is_known() -> None:
    assert re.search(r"^arq==0\.28\.0 ", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)


def test_test_lock_differs_from_runtime_lock_only_by_additions() -> None:
    runtime, test = (
        set(re.findall(r"^\S+==\S+", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)) for name in LOCKS[:2]
    )

    assert runtime <= test
