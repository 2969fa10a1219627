"""Call flows over REST: checked before they are stored, tried out in text, built-in ones untouchable."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from tests.outbound.conftest import PARCEL, Api

pytestmark = pytest.mark.integration
VALUES = {"business": "Acme", "day": "Monday"}


def broken() -> dict[str, Any]:
    flow = copy.deepcopy(PARCEL)
    flow["steps"]["question"]["otherwise"] = "nowhere"
    return flow


async def test_built_in_flows_are_there_and_clean(bare_api: Api) -> None:
    listed = (await bare_api("GET", "/v1/callflows", expect=200))["items"]
    assert {"shipping_alert", "membership_renewal"} <= {item["name"] for item in listed}
    for item in listed:
        assert item["source"] == "built-in"
        assert [finding for finding in item["findings"] if finding["severity"] == "error"] == []
        shown = await bare_api("GET", f"/v1/callflows/{item['name']}", expect=200)
        assert shown["document"]["name"] == item["name"]
        assert set(shown["required"]) <= set(shown["variables"])


async def test_a_flow_is_stored_shown_replaced_and_deleted(bare_api: Api) -> None:
    await bare_api("PUT", "/v1/callflows/parcel", {"document": PARCEL}, expect=201)
    shown = await bare_api("GET", "/v1/callflows/parcel", expect=200)
    assert (shown["source"], shown["document"], shown["required"]) == ("operator", PARCEL, ["business", "day"])
    await bare_api("PUT", "/v1/callflows/parcel", {"document": PARCEL | {"title": "New"}}, expect=200)
    assert (await bare_api("GET", "/v1/callflows/parcel"))["title"] == "New"
    await bare_api("DELETE", "/v1/callflows/parcel", expect=204)
    await bare_api.refused("DELETE", "/v1/callflows/parcel", expect=404)
    problem = await bare_api.refused("GET", "/v1/callflows/parcel", expect=404)
    assert "shipping_alert" in problem["detail"]


async def test_yaml_is_taken_as_people_write_it(bare_api: Api) -> None:
    text = yaml.safe_dump(PARCEL, sort_keys=False)
    more: dict[str, Any] = {"data": text.encode(), "headers": {"Content-Type": "application/yaml"}}
    await bare_api("POST", "/v1/callflows", expect=201, **more)
    assert (await bare_api("GET", "/v1/callflows/parcel"))["document"] == PARCEL
    twice = more | {"data": b"name: a\nname: b\n"}
    problem = await bare_api.refused("POST", "/v1/callflows", expect=422, **twice)
    assert (problem["code"], "line 2" in problem["detail"]) == ("malformed_yaml", True)
    foreign = more | {"data": b"name: caf\xe9\n"}
    assert "UTF-8" in (await bare_api.refused("POST", "/v1/callflows", expect=422, **foreign))["detail"]


async def test_a_flow_with_an_error_is_not_stored(bare_api: Api) -> None:
    problem = await bare_api.refused("PUT", "/v1/callflows/parcel", {"document": broken()}, expect=422)
    assert problem["code"] == "callflow_invalid"
    assert any(finding["step"] == "question" and finding["remedy"] for finding in problem["findings"])
    await bare_api.refused("GET", "/v1/callflows/parcel", expect=404)


async def test_the_lint_says_all_and_stores_nothing(bare_api: Api) -> None:
    good = await bare_api("POST", "/v1/callflows/lint", {"document": PARCEL}, expect=200)
    assert good["ok"] is True
    bad = await bare_api("POST", "/v1/callflows/lint", {"document": broken()}, expect=200)
    assert bad["ok"] is False
    assert bad["findings"]
    for junk in (
        {},
        {"steps": []},
        {"name": 5, "steps": {"a": 1}},
        {"languages": ["xx"], "steps": {"a": {"type": "b"}}},
    ):
        assert (await bare_api("POST", "/v1/callflows/lint", {"document": junk}, expect=200))["ok"] is False


async def test_names_must_agree_and_built_in_ones_stay(bare_api: Api) -> None:
    problem = await bare_api.refused("PUT", "/v1/callflows/other", {"document": PARCEL}, expect=422)
    assert problem["errors"][0]["field"] == "document.name"
    theirs = PARCEL | {"name": "shipping_alert"}
    assert (await bare_api.refused("POST", "/v1/callflows", {"document": theirs}, expect=409))[
        "code"
    ] == "callflow_built_in"
    await bare_api.refused("DELETE", "/v1/callflows/shipping_alert", expect=409)


async def test_a_conversation_is_tried_out_in_text(api: Api) -> None:
    path = "/v1/callflows/parcel/simulate"
    yes = await api("POST", path, {"variables": VALUES, "inputs": ["yes please"]}, expect=200)
    assert (yes["ended"], yes["disposition"], yes["outcome"]) == (True, "accepted", "at_home")
    assert "Acme" in yes["turns"][0]["text"]
    digits = await api("POST", path, {"variables": VALUES, "inputs": ["#2"]}, expect=200)
    assert digits["disposition"] == "declined"
    stop = await api("POST", path, {"variables": VALUES, "inputs": ["stop calling me"]}, expect=200)
    assert (stop["disposition"], stop["opted_out"]) == ("opted_out", True)
    open_end = await api("POST", path, {"variables": VALUES, "inputs": []}, expect=200)
    assert (open_end["ended"], open_end["disposition"]) == (False, None)


async def test_what_a_conversation_lacks_is_named(api: Api) -> None:
    path = "/v1/callflows/parcel/simulate"
    wrong = {
        "variables.day": {"variables": {"business": "Acme"}, "inputs": []},
        "variables.dya": {"variables": VALUES | {"dya": "x"}, "inputs": []},
        "language": {"variables": VALUES, "language": "ko", "inputs": []},
        "zone": {"variables": VALUES, "zone": "Mars/Base", "inputs": []},
        "inputs": {"variables": VALUES, "inputs": ["(sneeze)"]},
        "inputs[0]": {"variables": VALUES, "inputs": [5]},
    }
    for field, body in wrong.items():
        problem = await api.refused("POST", path, body, expect=422)
        assert problem["errors"][0]["field"] == field
    await api.refused("POST", "/v1/callflows/nothing/simulate", {"inputs": []}, expect=404)
