"""Choosing an engine by its file name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import dialer.engines
from dialer.engines import EngineOptions, create_engine, engine_names
from dialer.legs import LegError

pytestmark = pytest.mark.unit


def test_the_names_are_the_files() -> None:
    folder = Path(dialer.engines.__file__).parent
    files = {path.stem for path in folder.glob("[!_]*.py")} | {
        path.parent.name for path in folder.glob("*/__init__.py")
    }
    assert set(engine_names()) == files == {"loopback", "pjsua2"}


@pytest.mark.parametrize("name", ["loopback", "pjsua2"])
async def test_each_can_be_had(name: str) -> None:
    engine = create_engine(name, EngineOptions(port=5099), lambda leg: lambda event: None)
    assert engine.name == name


@pytest.mark.parametrize("name", ["baresip", "", "_track", "loopback.py", "../legs"])
def test_an_unknown_name_lists_the_alternatives(name: str) -> None:
    with pytest.raises(LegError, match="choose one of loopback, pjsua2") as caught:
        create_engine(name)
    assert (caught.value.code, caught.value.retryable) == ("unknown_engine", False)


def test_an_engine_is_loaded_only_when_named() -> None:
    code = (
        "import asyncio, sys\n"
        "from dialer.engines import create_engine, engine_names\n"
        "async def main(): create_engine('loopback')\n"
        "engine_names(); asyncio.run(main())\n"
        "assert not {'pjsua2', '_pjsua2', 'dialer.engines.pjsua2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_missing_package_is_named() -> None:
    code = (
        "import sys\n"
        "sys.modules['pjsua2'] = None\n"
        "from dialer.engines import create_engine\n"
        "from dialer.legs import LegError\n"
        "try: create_engine('pjsua2')\n"
        "except LegError as error: assert error.code == 'engine_missing' and 'install' in str(error), error\n"
        "else: sys.exit('it was created')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
