"""Who is who: ids, a letter's mentor and programs, and where its due date comes from (S7)."""

import re
from itertools import permutations

import pytest

from lorsync.config.ids import slug
from tests.unit.config.conftest import Loaded, Refused
from tests.unit.config.samples import LEAST, MENTORS, letter

DATED = "deadline = 2027-01-15"
PROGRAMS = """
[[programs]]
id = "home"
name = "Home Internal Medicine"
deadline = 2027-01-10
[[programs]]
name = "Bayview"
target = 2027-01-05
"""


def paths(report: str) -> list[str]:
    return [line.partition(":")[0].strip() for line in report.splitlines()[1:]]


# Mentors


@pytest.mark.parametrize(
    ("text", "mentor"),
    [
        ("alvarez", "alvarez"),
        ("Dr. Sofia Alvarez", "alvarez"),
        ("dr-petra-novak", "dr-petra-novak"),
        ("Dr. Petra  Nova\u0301k", "dr-petra-novak"),
        ("Prof. Ana Ruiz", "prof-ana-ruiz"),
    ],
)
def test_letter_names_its_mentor_by_id_or_name(loaded: Loaded, text: str, mentor: str) -> None:
    season = loaded(LEAST + MENTORS + letter(DATED, mentor=text)).season
    assert season.letters[0].mentor == mentor
    assert mentor in season.mentors


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("alvares", 'did you mean "alvarez"'),
        ("Alvarez", 'did you mean "alvarez"'),
        ("Dr. Sofia Alvares", 'did you mean "Dr. Sofia Alvarez"'),
        ("dr sofia alvarez", 'did you mean "Dr. Sofia Alvarez"'),
        ("Dr. Petra Novak", 'did you mean "Dr. Petra Novák"'),
        ("zhang", "there are alvarez, dr-petra-novak"),
    ],
)
def test_slip_never_makes_a_second_mentor_of_one(refused: Refused, text: str, hint: str) -> None:
    report = refused(LEAST + MENTORS + letter(DATED, mentor=text))
    assert paths(report) == ["letters[0].mentor"]
    assert hint in report


def test_without_entries_every_text_is_a_name(loaded: Loaded) -> None:
    content = LEAST + letter(DATED, "alvarez") + letter(DATED + "\ntype = 'chair'", "Alvarez ")
    season = loaded(content).season
    assert [mentor.name for mentor in season.mentors.values()] == ["alvarez"]
    assert {found.mentor for found in season.letters} == {"alvarez"}


def test_wrong_entry_is_not_also_reported_at_its_letters(refused: Refused) -> None:
    content = LEAST + '[[mentors]]\nid = "al varez"\n' + letter(DATED, mentor="alvarez")
    assert paths(refused(content)) == ["mentors[0].id"]


def test_names_that_are_no_text_are_missing(refused: Refused) -> None:
    report = refused(LEAST + "[[mentors]]\n[[programs]]\n[[letters]]\n" + DATED)
    assert paths(report) == ["mentors[0].name", "programs[0].name", "letters[0].mentor"]


@pytest.mark.parametrize("table", ["mentors", "programs"])
def test_ids_stand_once(refused: Refused, table: str) -> None:
    entry = f'[[{table}]]\nid = "one"\n'
    assert paths(refused(LEAST + letter(DATED) + entry + entry)) == [f"{table}[1].id"]
    named = f'[[{table}]]\nname = "Dr. One"\n[[{table}]]\nname = "dr one"\n'
    report = refused(LEAST + letter(DATED) + named)
    assert paths(report) == [f"{table}[1].name"]
    assert "give each an id" in report


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("Dr. Petra Novák", "dr-petra-novak"),
        ("  Straße 5 ", "strasse-5"),
        ("李伟", slug("李伟")),
        ("x" * 200, slug("x" * 200)),
    ],
)
def test_made_ids_are_ids_and_tell_names_apart(name: str, made: str) -> None:
    assert slug(name) == made
    assert 1 <= len(made) <= 64
    assert made.isascii()
    assert slug(name) != slug(name + "王")


# Programs


def test_letter_names_its_programs_by_id_or_name(loaded: Loaded) -> None:
    rest = 'programs = ["home", "Bayview", "Home Internal Medicine"]\nassigned = ["bayview"]'
    found = loaded(LEAST + PROGRAMS + letter(rest)).season.letters[0]
    assert found.programs == ("home", "bayview")
    assert found.assigned == ("bayview",)


def test_unknown_program_is_refused(refused: Refused) -> None:
    report = refused(LEAST + PROGRAMS + letter('programs = ["home", "bayveiw"]'))
    assert paths(report) == ["letters[0].programs[1]"]
    assert 'did you mean "Bayview"' in report or 'did you mean "bayview"' in report
    report = refused(LEAST + letter(f'{DATED}\nprograms = ["x"]'))
    assert "there are no [[programs]] entries" in report


def test_assigned_is_among_the_letters_programs(refused: Refused) -> None:
    report = refused(LEAST + PROGRAMS + letter('programs = ["home"]\nassigned = ["bayview"]'))
    assert paths(report) == ["letters[0].assigned[0]"]


# Due dates


def test_letter_needs_a_due_date_from_somewhere(refused: Refused) -> None:
    assert paths(refused(LEAST + letter(""))) == ["letters[0].deadline"]


def test_program_without_dates_is_wrong_only_for_a_letter_that_needs_them(
    loaded: Loaded, refused: Refused
) -> None:
    undated = '[[programs]]\nid = "u"\n'
    loaded(LEAST + undated + letter(DATED))
    loaded(LEAST + undated + letter(DATED + '\nprograms = ["u"]'))
    twice = letter('programs = ["u"]') + letter('programs = ["u"]', mentor="Dr. B")
    report = refused(LEAST + undated + twice)
    assert paths(report) == ["programs[0].deadline"]
    assert "letters[0]" in report


def test_deadline_before_the_cycle_is_refused(refused: Refused) -> None:
    content = (
        LEAST
        + "[cycle]\nstart = 2027-02-01\n"
        + PROGRAMS
        + letter("deadline = 2027-01-31T23:59:00Z")
        + letter("deadline = 2027-02-01", mentor="Dr. B")
    )
    assert paths(refused(content)) == [
        "programs[0].deadline",
        "programs[1].target",
        "letters[0].deadline",
    ]


# Identity


def test_s7_made_letter_ids_do_not_depend_on_the_position(loaded: Loaded) -> None:
    letters = [
        letter('programs = ["bayview", "home"]'),
        letter('programs = ["home"]\ntype = "chair"'),
        letter('programs = ["home"]', mentor="Dr. B"),
    ]
    found = [
        frozenset(one.id for one in loaded(LEAST + PROGRAMS + "".join(order)).season.letters)
        for order in permutations(letters)
    ]
    assert len(set(found)) == 1
    assert found[0] == {"prof-ana-ruiz-narrative", "prof-ana-ruiz-chair", "dr-b-narrative"}


def test_s7_a_program_more_makes_no_other_letter(loaded: Loaded) -> None:
    few = loaded(LEAST + PROGRAMS + letter('programs = ["home"]')).season.letters[0]
    more = loaded(LEAST + PROGRAMS + letter('programs = ["home", "bayview"]')).season.letters[0]
    assert few.id == more.id == "prof-ana-ruiz-narrative"
    assert few.formerly == ("prof-ana-ruiz-narrative-home",)
    assert more.formerly == ("prof-ana-ruiz-narrative-bayview-home",)


def test_s7_an_id_by_the_old_rule_is_not_claimed_from_a_letter_that_states_it(
    loaded: Loaded,
) -> None:
    stating = letter('id = "b"\nprograms = ["home"]\nformerly = ["prof-ana-ruiz-narrative-home"]')
    first, _ = loaded(LEAST + PROGRAMS + letter('programs = ["home"]') + stating).season.letters
    assert first.formerly == ()


def test_s7_letters_alike_need_ids(loaded: Loaded, refused: Refused) -> None:
    report = refused(LEAST + letter(DATED) + letter("deadline = 2027-02-01"))
    assert paths(report) == ["letters[1].id"]
    assert 'id = "prof-ana-ruiz-narrative" there' in report
    assert 'id = "prof-ana-ruiz-narrative-2" here' in report
    loaded(LEAST + letter(DATED) + letter(DATED + '\nid = "second"'))
    twice = letter(DATED + '\nid = "one"') + letter(DATED + '\nid = "one"', mentor="Dr. B")
    assert paths(refused(LEAST + twice)) == ["letters[1].id"]


def test_s7_ids_that_are_printed_for_letters_alike_keep_what_each_was_known_by(
    loaded: Loaded, refused: Refused
) -> None:
    served = ('programs = ["home"]', 'programs = ["bayview"]', 'programs = ["bayview", "home"]')
    report = refused(LEAST + PROGRAMS + "".join(map(letter, served)))
    assert paths(report) == ["letters[1].id", "letters[2].id"]
    pasted = re.findall(r'id = "([^"]+)"', report)
    own = "prof-ana-ruiz-narrative"
    assert pasted == [own, f"{own}-bayview", own, f"{own}-bayview-home"]
    ids = [f'id = "{one}"\n' for one in (pasted[0], pasted[1], pasted[3])]
    letters = [letter(one + rest) for one, rest in zip(ids, served, strict=True)]
    found = loaded(LEAST + PROGRAMS + "".join(letters)).season.letters
    known = [{one.id, *one.formerly} for one in found]
    # By what an earlier lorsync made of each, and by what this one makes of the first.
    assert [f"{own}-home" in known[0], own in known[0]] == [True, True]
    assert [f"{own}-bayview" in known[1], f"{own}-bayview-home" in known[2]] == [True, True]


def test_s7_a_letter_is_kept_apart_from_one_that_states_the_id_made_for_it(
    refused: Refused,
) -> None:
    chair = letter(DATED + '\ntype = "chair"\nid = "prof-ana-ruiz-narrative"')
    report = refused(LEAST + chair + letter(DATED))
    assert paths(report) == ["letters[1].id"]
    assert 'write id = "prof-ana-ruiz-narrative-2"' in report
    assert "there" not in report


def test_s7_former_id_belongs_to_one_entry(refused: Refused) -> None:
    content = LEAST + letter(DATED, mentor="alvarez")
    taken = MENTORS + '[[mentors]]\nid = "c"\nformerly = ["alvarez", "old"]\n'
    claimed = taken + '[[mentors]]\nid = "d"\nformerly = ["old"]\n'
    assert paths(refused(content + claimed)) == ["mentors[2].formerly[0]", "mentors[3].formerly[0]"]


def test_s7_made_letter_id_follows_its_mentors_former_id(loaded: Loaded) -> None:
    before = loaded(LEAST + letter(DATED, mentor="Dr. A Old")).season.letters[0]
    entry = '[[mentors]]\nname = "Dr. A New"\nformerly = ["Dr. A Old"]\n'
    after = loaded(LEAST + entry + letter(DATED, mentor="Dr. A New")).season.letters[0]
    assert before.id != after.id
    assert before.id in after.formerly
