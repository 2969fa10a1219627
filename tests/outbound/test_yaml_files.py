"""YAML as people write it: narrower than YAML 1.1, and every fault has its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from outbound.callflows import lint_file
from outbound.yaml_files import SIZE_LIMIT, YamlError, load_yaml, parse_yaml

pytestmark = pytest.mark.integration


def test_values_mean_what_they_look_like() -> None:
    text = "yes: no\non: off\n1: 2\nkey: 007\ntime: 9:00\nday: 2026-12-05\nf: 1.5\n"
    text += "none: ~\nempty:\nflag: true\nlist: [a, {b: -3}]"
    assert parse_yaml(text, source="x") == {
        "yes": "no",
        "on": "off",
        "1": 2,
        "key": "007",
        "time": "9:00",
        "day": "2026-12-05",
        "f": 1.5,
        "none": None,
        "empty": None,
        "flag": True,
        "list": ["a", {"b": -3}],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "x.yaml, line 3, column 1: the key 'a' is there twice"),
        ("a: {b: 1, 'b': 2}\n", "x.yaml, line 1, column 11: the key 'b' is there twice"),
        ("a: 1\n\tb: 2\n", "x.yaml, line 2, column 1"),
        ("a: &x [1]\nb: *x\n", "x.yaml, line 2, column 4: aliases"),
        ("a: !!python/object/apply:os.system [ls]\n", "x.yaml, line 1, column 4"),
        ("? [a]\n: b\n", "x.yaml, line 1, column 3: a key must be text"),
        ("- a\n", "x.yaml: it must be a mapping"),
        ("", "x.yaml: it must be a mapping"),
        ("a: \x00", "x.yaml: it has characters"),
        ("a: " + "[" * 3000, "x.yaml"),
        ("a: b: c\n", "x.yaml, line 1"),
    ],
)
def test_faults_name_file_line_and_column(text: str, said: str) -> None:
    with pytest.raises(YamlError) as refused:
        parse_yaml(text, source="x.yaml")
    assert refused.value.detail.startswith(said)


def test_files_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    with pytest.raises(YamlError, match="cannot be read"):
        load_yaml(path)
    path.write_bytes("name: caf\u00e9".encode("latin-1"))
    with pytest.raises(YamlError, match="not UTF-8"):
        load_yaml(path)
    path.write_bytes(b"#" * (SIZE_LIMIT + 1))
    with pytest.raises(YamlError, match="larger"):
        load_yaml(path)
    path.write_bytes("\ufeffname: x".encode())
    assert load_yaml(path) == {"name": "x"}


def test_linting_a_file_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text("name: a\nname: b\n")
    (finding,) = lint_file(path)
    assert (finding.file, finding.code, finding.severity.value) == ("flow.yaml", "malformed_yaml", "error")
    path.write_text("name: a\nsteps: {}\n")
    assert any(finding.severity.value == "error" for finding in lint_file(path))
