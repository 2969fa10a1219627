"""Step types by name: one file of :mod:`campaigns.flow.steps` each, imported when a flow names it.

It holds no list of its own.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from campaigns.flow import steps
from campaigns.flow.model import Step


def step_types() -> tuple[str, ...]:
    """Names of all step types."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(steps.__path__)))


@cache
def step_class(name: str) -> type[Step]:
    """The class of a step type. Raises :class:`LookupError` when there is none of that name."""
    if name not in step_types():
        raise LookupError(name)
    found: type[Step] = import_module(f"campaigns.flow.steps.{name}").STEP
    return found
