"""A call flow as a graph: what leads where, and what is certain on every way.

It judges nothing; the lint does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from campaigns.flow.model import Flow


class Graph:
    """The ways of one flow."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._ways = {
            step.name: tuple(dict.fromkeys(way.to for way in step.exits() if way.to in flow.steps))
            for step in flow.steps.values()
        }
        begin = [flow.start] if flow.start in flow.steps else []
        self.reached = self._reach([*begin, *flow.anytime.values()])
        """Steps that some conversation can come to."""
        self._begin = begin

    def from_step(self, name: str) -> frozenset[str]:
        """Steps reached from ``name``, itself included."""
        return self._reach([name])

    def ends_from(self, name: str) -> bool:
        """Whether some way from ``name`` ends the call."""
        return any(self._flow.steps[reached].ends for reached in self.from_step(name))

    def returns_to(self, name: str) -> bool:
        """Whether some way from ``name`` leads back to it."""
        return name in self._reach(self._ways[name])

    def reached_before(self, kind: str) -> tuple[str, ...]:
        """Steps reached from the start without passing a step of type ``kind``."""
        barred = {step.name for step in self._flow.steps.values() if step.type == kind}
        found = self._reach([name for name in self._begin if name not in barred], barred)
        return tuple(name for name in self._ways if name in found)

    def circles_without_listening(self) -> Iterator[tuple[str, ...]]:
        """Circles of steps none of which waits for the customer."""
        silent = {name for name, step in self._flow.steps.items() if not step.waits}
        done: set[str] = set()
        for name in self._flow.steps:
            if name in silent and name not in done:
                circle = self._circle(name, silent, [], done)
                if circle:
                    done.update(circle)
                    yield circle

    def assigned_before(self, name: str) -> frozenset[str]:
        """Variables that every way to ``name`` sets, seen from the start and from what may be asked for at any time."""
        everything = frozenset(v for step in self._flow.steps.values() for v in step.assigns())
        first = {*self._begin, *self._flow.anytime.values()}
        entry = {step: frozenset() if step in first else everything for step in self._ways}
        changed = True
        while changed:
            changed = False
            for step, ways in self._ways.items():
                after = entry[step] | self._flow.steps[step].assigns().keys()
                for way in ways:
                    if not entry[way] <= after:
                        entry[way] = entry[way] & after
                        changed = True
        return entry[name]

    def _reach(self, begin: Iterable[str], barred: Iterable[str] = ()) -> frozenset[str]:
        seen: set[str] = set()
        waiting = list(begin)
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += [way for way in self._ways[name] if way not in set(barred)]
        return frozenset(seen)

    def _circle(self, name: str, silent: set[str], path: list[str], done: set[str]) -> tuple[str, ...] | None:
        if name in path:
            return tuple(path[path.index(name) :])
        if name in done or name not in silent:
            return None
        path.append(name)
        for way in self._ways[name]:
            if circle := self._circle(way, silent, path, done):
                return circle
        path.pop()
        done.add(name)
        return None
