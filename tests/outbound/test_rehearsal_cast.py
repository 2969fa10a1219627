"""Casts and campaign files: the examples can be read, and what is wrong is named with file, line and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaigns.dispositions import Disposition
from outbound.errors import Invalid
from outbound.rehearsal.campaign_file import load_campaign
from outbound.rehearsal.cast import built_in_behaviours, load_cast
from outbound.rehearsal.directing import lines, roles, script
from outbound.rehearsal.script import Deed, Reply, load_script

pytestmark = pytest.mark.unit
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

CUSTOMER = """\
customers:
  - name: Ada Bell
    number: "+12025550101"
    behaviour: {behaviour}
"""


def write(folder: Path, text: str, name: str = "cast.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_cast_covers_every_character_and_every_campaign() -> None:
    cast = load_cast(EXAMPLES / "cast.yaml")
    played = {name for customer in cast.customers for name in customer.behaviours}
    assert played == set(built_in_behaviours()) - {"human_agent", "says_no", "declines"}
    for name in ("shipping-alert", "membership-renewal"):
        file = load_campaign(EXAMPLES / f"{name}.yaml")
        assert file.key == name
        numbers = {contact.number for contact in file.contacts}
        assert numbers == {customer.number for customer in cast.customers if name in customer.expect}
        assert all(number.startswith(("+1202555010", "+1202555011")) for number in numbers)


def test_every_built_in_behaviour_becomes_a_script_that_survives_its_file(tmp_path: Path) -> None:
    names = sorted(set(built_in_behaviours()) - {"human_agent"})
    customers = "".join(
        f'  - {{name: C{n}, number: "+120255501{n:02d}", behaviour: {name}}}\n' for n, name in enumerate(names)
    )
    cast = load_cast(write(tmp_path, "customers:\n" + customers))
    for role in roles(cast):
        made = script(role, exchange="127.0.0.1:5060", voices=tmp_path, tapes=tmp_path, log=tmp_path)
        made.dump(tmp_path / "script.json")
        assert load_script(tmp_path / "script.json") == made
        sounds = {act.sound for call in made.calls for act in call.acts if act.deed is Deed.SAY}
        assert sounds == {str(line.path(tmp_path)) for line in lines(role)}


def test_a_list_of_behaviours_is_one_for_each_call_and_the_last_repeats(tmp_path: Path) -> None:
    cast = load_cast(write(tmp_path, CUSTOMER.format(behaviour="[is_busy, says_yes]")))
    made = script(roles(cast)[0], exchange="127.0.0.1:5060", voices=tmp_path, tapes=tmp_path, log=tmp_path)
    assert [made.call(ordinal).reply for ordinal in (1, 2, 3)] == [Reply.REJECT, Reply.ANSWER, Reply.ANSWER]


def test_own_behaviours_and_words(tmp_path: Path) -> None:
    text = """\
behaviours:
  greets:
    ends: [informed]
    steps: [{say: "I am {name} from {place}."}, hang_up]
customers:
  - {name: Ada, number: "+12025550101", behaviour: greets, says: {place: Utrecht}}
"""
    cast = load_cast(write(tmp_path, text))
    assert [line.text for line in lines(roles(cast)[0])] == ["I am Ada from Utrecht."]
    assert cast.behaviours["greets"].ends == [Disposition.INFORMED]
    with pytest.raises(Invalid, match=r"Ada: nothing to say for {place}; add it under `says`"):
        roles(load_cast(write(tmp_path, text.replace(", says: {place: Utrecht}", ""))))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CUSTOMER.format(behaviour="sings"), r"cast.yaml, line 4: .*unknown behaviour 'sings': use one of .*says_yes"),
        (CUSTOMER.format(behaviour="[says_yes, sings]"), "line 4: .*unknown behaviour 'sings'"),
        (CUSTOMER.format(behaviour="says_yes").replace("+12", "12"), "line 3: customers.0.number: "),
        (CUSTOMER.format(behaviour="says_yes") + "    colour: red\n", "line 5: customers.0.colour: Extra inputs"),
        (CUSTOMER.format(behaviour="says_yes") * 2, "line 5, column 1: the key 'customers' is there twice"),
        (
            CUSTOMER.format(behaviour="says_yes") + CUSTOMER.format(behaviour="says_yes").partition("\n")[2],
            r"line 6: customers.1.number: \+12025550101 is there twice",
        ),
        ("customers: []\n", "line 1: customers: "),
        ("customers: [\n", r"cast.yaml, line 2"),
        (
            "behaviours:\n  odd:\n    steps:\n      - {say: hi, press: '1'}\n" + CUSTOMER.format(behaviour="odd"),
            "line 4: behaviours.odd.steps.0: a step is exactly one of listen, hear, say",
        ),
        (CUSTOMER.format(behaviour="says_yes") + "agent: {name: Al, behaviour: x, says: {}}\n", "agent.behaviour"),
    ],
)
def test_a_wrong_cast_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        load_cast(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"none.yaml: .*No such file"):
        load_cast(tmp_path / "none.yaml")


CAMPAIGN = "name: Test\ncallflow: flow\npurpose: transactional\n"


def test_a_campaign_takes_its_contacts_from_a_csv_beside_it(tmp_path: Path) -> None:
    write(tmp_path, "\ufeffnumber,name,order_id\n+12025550101,Ada,17\n", "c.csv")
    file = load_campaign(write(tmp_path, CAMPAIGN + "contacts: c.csv\n", "own.yaml"))
    assert [(contact.number, contact.name, contact.variables) for contact in file.contacts] == [
        ("+12025550101", "Ada", {"order_id": "17"})
    ]
    assert (file.key, file.campaign.callflow) == ("own", "flow")


def test_a_campaign_may_bring_its_own_call_flow(tmp_path: Path) -> None:
    write(tmp_path, "name: mine\nsteps: {}\n", "flow.yaml")
    file = load_campaign(write(tmp_path, CAMPAIGN + "callflow_file: flow.yaml\n", "own.yaml"))
    assert (file.flow, file.contacts) == ({"name": "mine", "steps": {}}, ())
    with pytest.raises(Invalid, match=r"none\.yaml: it cannot be read"):
        load_campaign(write(tmp_path, CAMPAIGN + "callflow_file: none.yaml\n", "own.yaml"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("phone,name\n1,a\n", "c.csv, line 1: column 'number' is missing; the header has: phone, name"),
        ("", "c.csv, line 1: column 'number' is missing; the header has: none"),
        ("number,name\n+12025550101\n", "c.csv, line 2: not as many cells"),
        ("number,consent\n+12025550101,maybe\n", "c.csv, line 2: consent: "),
    ],
)
def test_wrong_contacts_are_named_with_their_line(tmp_path: Path, rows: str, message: str) -> None:
    write(tmp_path, rows, "c.csv")
    with pytest.raises(Invalid, match=message):
        load_campaign(write(tmp_path, CAMPAIGN + "contacts: c.csv\n", "own.yaml"))


def test_a_wrong_campaign_field_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"own\.yaml, line 4: ring_timeout_s: "):
        load_campaign(write(tmp_path, CAMPAIGN + "ring_timeout_s: 2\n", "own.yaml"))
