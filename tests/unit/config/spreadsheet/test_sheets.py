"""The spreadsheets that people keep: understood and shown, or refused with their rows."""

import csv
import io
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lorsync.config.spreadsheet.columns import Column, column_of, known_headings, table_of
from lorsync.config.spreadsheet.extract import Gleaned, glean
from lorsync.config.spreadsheet.sheet import read_sheet
from lorsync.core.errors import DataError
from lorsync.core.model import Letter, LetterType
from tests.unit.config.spreadsheet.conftest import Applicant

TODAY = date(2026, 11, 22)
YOU = "Sam Reyes\n\n\n\n\n\n\n"
"""What the sheet does not say: only the name is typed, all else is taken as offered."""

SHEET = """\
Letter Writer,E-mail,School,Due Date,Asked?,Submitted
Dr. Sofia Álvarez,s@x.edu,Home IM,2027-09-22,2026-10-01,
Dr. Sofia Álvarez,s@x.edu,Lakeside,2027-09-29,2026-10-01,
Dr. Wei Chen,wei@x.edu,Home IM,2027-09-22,,
"""


def gleaned(tmp_path: Path, text: str | bytes, **options: Any) -> Gleaned:
    path = tmp_path / "letters.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    table = table_of(read_sheet(path, known_headings), options.pop("columns", {}))
    return glean(table, options.pop("choices", {}), today=TODAY, undated=TODAY)


def letters(found: Gleaned) -> list[dict[str, Any]]:
    assert (found.problems, found.doubts) == ((), ())
    return [dict(entry.values) for entry in found.season.letters]


def test_one_letter_serves_the_programs_of_a_mentor(applicant: Applicant) -> None:
    sheet = applicant.home / "letters.csv"
    sheet.write_text(SHEET)
    said = applicant.types("init", "--from", sheet, answers=YOU)
    assert (said.code, said.err) == (0, "")
    season = applicant.season
    assert season.letters[0] == Letter(
        id="alvarez-narrative", mentor="alvarez", programs=("home-im", "lakeside"),
        type=LetterType.NARRATIVE, facts=season.letters[0].facts,
        formerly=("alvarez-narrative-home-im-lakeside",),
    )  # fmt: skip
    assert season.letters[0].facts.asked_on == date(2026, 10, 1)
    assert season.mentors["chen"].email == "wei@x.edu"
    assert season.programs["lakeside"].deadline == date(2027, 9, 29)
    # All that was understood is shown before anything is written.
    shown, written, after = said.out.partition("Written: ")
    assert written
    assert "request     Dr. Wei Chen" in after
    for part in ("Home IM, due 22 September 2027", "asked 1 October 2026", "from “Letter Writer”"):
        assert part in " ".join(shown.split())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters(tmp_path: Path, encoding: str, delimiter: str) -> None:
    rows = list(csv.reader(io.StringIO(SHEET)))
    rows[1][2] = rows[3][2] = "Home, IM; \n“A|B”"
    made = io.StringIO()
    csv.writer(made, delimiter=delimiter).writerows(rows)
    found = gleaned(tmp_path, made.getvalue().encode(encoding))
    first, second = letters(found)
    assert first["programs"] == ["home-im-a-b", "lakeside"]
    assert second["programs"] == ["home-im-a-b"]
    assert found.season.mentors[0].values["name"] == "Dr. Sofia Álvarez"


def test_headings_below_a_title_and_excels_hint(tmp_path: Path) -> None:
    text = "sep=;\nMy letters 2027;;\n;;\nProfessor’s name;Deadline (final)\n\nAna;1 Dec 2027\n"
    text = text.replace("Professor’s name", "Professor")
    (letter,) = letters(gleaned(tmp_path, text))
    assert letter["deadline"] == date(2027, 12, 1)


@pytest.mark.parametrize(
    ("heading", "column"),
    [("MENTOR", Column.MENTOR), ("Letter-writer", Column.MENTOR), ("Recommender", Column.MENTOR),
     ("Writer's email", Column.EMAIL), ("E-Mail address", Column.EMAIL), ("Due", Column.DEADLINE),
     ("Application deadline:", Column.DEADLINE), ("School", Column.PROGRAM),
     ("Application due", Column.DEADLINE), ("Closing date", Column.DEADLINE),
     ("Asked?", Column.ASKED), ("Date requested", Column.ASKED),
     ("Submitted (Y/N)", Column.SUBMITTED), ("Mood", None)],
)  # fmt: skip
def test_headings(heading: str, column: Column | None) -> None:
    assert column_of(heading) is column


def test_a_row_of_the_column_proves_the_order_of_its_days(tmp_path: Path) -> None:
    text = "Mentor,Deadline\nAna,03/04/2027\nBen,04/25/2027\n"
    found = gleaned(tmp_path, text)
    assert letters(found)[0]["deadline"] == date(2027, 3, 4)
    assert found.remarks == (
        "Deadline: days are written month-first, as row 3 shows (04/25/2027).",
    )


def test_an_order_that_nothing_proves_is_a_doubt(tmp_path: Path) -> None:
    text = "Mentor,Deadline\nAna,03/04/2027\nBen,05/06/2027\n"
    (doubt,) = gleaned(tmp_path, text).doubts
    assert "row 2" in doubt.refusal
    assert "Write 2027-04-03 or 2027-03-04" in doubt.refusal
    settled = gleaned(tmp_path, text, choices={doubt.key: "day-first"})
    assert [one["deadline"] for one in letters(settled)] == [date(2027, 4, 3), date(2027, 6, 5)]


def test_mixed_orders_leave_the_rows_to_be_written_again(tmp_path: Path) -> None:
    text = "Mentor,Deadline\nAna,04/25/2027\nBen,25/04/2027\nCem,03/04/2027\n"
    found = gleaned(tmp_path, text)
    assert len(found.problems) == 1
    assert found.problems[0].startswith("row 4, Deadline")


STATUS = "Mentor,Deadline,Asked,Agreed,Declined,Submitted\n"


def test_marks_without_a_day_are_said_and_dated(tmp_path: Path) -> None:
    found = gleaned(tmp_path, STATUS + "Ana,2027-09-01,x,no,,\nBen,2027-09-01,Yes,✓,n/a,-\n")
    ana, ben = letters(found)
    assert (ana["asked_on"], "agreed_on" in ana, ben["agreed_on"]) == (TODAY, False, TODAY)
    assert found.undated
    assert "Asked: rows 2 and 3 say that it happened, and not when" in found.remarks[0]
    assert "does not say the day" in found.season.letters[0].remarks["asked_on"]


def test_a_column_of_states(tmp_path: Path) -> None:
    rows = "Ana,2027-09-01,Agreed\nBen,2027-09-01,not asked\nCem,2027-09-01,submited\n"
    found = gleaned(tmp_path, "Mentor,Deadline,Status\n" + rows)
    (problem,) = found.problems
    assert problem.startswith('row 4, Status: "submited" — asked, agreed, declined, submitted')
    assert problem.endswith('did you mean "submitted"?')
    assert set(found.season.letters[0].values) == {
        "id",
        "mentor",
        "deadline",
        "asked_on",
        "agreed_on",
    }
    assert "asked_on" not in found.season.letters[1].values


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("Ana,soon,,,,", 'row 2, Deadline: "soon" — this is no day'),
        ("Ana,46357,,,,", "row 2, Deadline: \"46357\" — this is a number, and no date"),
        ("Ana,2027-09-01,maybe,,,", 'row 2, Asked: "maybe" — a day, x, yes or no is needed'),
        ("Ana,2027-09-01,2027-01-01,,,", "1 January 2027 is still to come"),
        ("Ana,,x,,,", "row 2 speaks of a letter of Ana, and names neither"),
        (",2027-09-01,x,,,", "row 2 says that something happened, and not with which mentor"),
        ("Ana,2027-09-01,x,,,\nAna,2027-09-01,,,,", "row 3 says something else of the letter of"),
        ("Ana & Ben,2027-09-01,,,,", '"Ana & Ben" — are these several people?'),
        ("", "no row says who writes a letter"),
    ],
)  # fmt: skip
def test_rows_that_make_no_sense_are_refused(tmp_path: Path, rows: str, problem: str) -> None:
    found = gleaned(tmp_path, STATUS + rows + "\n")
    assert any(problem in one for one in found.problems), found.problems


def test_two_deadlines_of_a_program(tmp_path: Path) -> None:
    text = "Mentor,Program,Deadline\nAna,Home,2027-09-01\nBen,home,2027-09-02\nCem,Far,\n"
    found = gleaned(tmp_path, text, choices={("blanks", "deadline"): "empty"})
    assert found.problems == (
        'row 3, Deadline: "2027-09-02" — row 2 says 2027-09-01 for Home: which one is right?',
        'row 4: "Far" has no deadline in any row: write one',
    )


def test_repetitions_are_left_out_and_said(tmp_path: Path) -> None:
    row = "Ana,Home,2027-09-01\n"
    found = gleaned(tmp_path, "Mentor,Program,Deadline\n" + row * 3)
    assert len(letters(found)) == 1
    assert found.remarks == ("Rows 3 and 4 repeat others and are left out.",)


def test_different_facts_make_different_letters(tmp_path: Path) -> None:
    rows = "Ana,Home,2027-09-01,2026-10-01\nAna,Far,2027-09-09,\nAna,Sea,2027-09-09,2026-10-01\n"
    asked, late = letters(gleaned(tmp_path, "Mentor,Program,Deadline,Asked\n" + rows))
    assert (asked["programs"], late["programs"]) == (["home", "sea"], ["far"])
    assert (asked["id"], late["id"]) == ("ana-narrative", "ana-narrative-2")


def test_blanks_of_merged_cells_are_a_doubt(tmp_path: Path) -> None:
    text = "Mentor,Program,Deadline\nAna,Home,2027-09-01\n,Far,2027-09-09\nBen,,\n"
    doubts = {doubt.key: doubt for doubt in gleaned(tmp_path, text).doubts}
    assert set(doubts) == {("blanks", "mentor"), ("blanks", "program")}
    above = gleaned(tmp_path, text, choices=dict.fromkeys(doubts, "above"))
    assert [one["programs"] for one in letters(above)] == [["home", "far"], ["far"]]
    empty = gleaned(tmp_path, text, choices=dict.fromkeys(doubts, "empty"))
    assert [one["programs"] for one in letters(empty)] == [["home"]]
    assert [one.values["id"] for one in empty.season.mentors] == ["ana", "ben"]


def test_a_deadline_of_merged_cells_is_a_doubt_and_no_riddle(tmp_path: Path) -> None:
    text = "Mentor,Program,Deadline\nAna,Home,2027-09-01\nBen,home,\nBen,Far,\nBen,Sea,2027-10-01\n"
    found = gleaned(tmp_path, text)
    assert found.problems == ()
    assert [doubt.key for doubt in found.doubts] == [("blanks", "deadline")]
    assert "Deadline is blank in row 4" in found.doubts[0].refusal
    filled = gleaned(tmp_path, text, choices={("blanks", "deadline"): "above"})
    days = {program.values["id"]: program.values["deadline"] for program in filled.season.programs}
    assert days == {"home": date(2027, 9, 1), "far": date(2027, 9, 1), "sea": date(2027, 10, 1)}


@pytest.mark.parametrize(
    "other", ["Sofia Alvarez", "Dr. Alvarez", "Alvarez, Sofia", "Dr. Sofia Alvares", "S. Alvarez"]
)
def test_somebody_under_two_names_is_a_doubt(tmp_path: Path, other: str) -> None:
    text = f'Mentor,Email,Deadline\nDr. Sofia Alvarez,{{}},2027-09-01\n"{other}",{{}},2027-10-01\n'
    (doubt,) = gleaned(tmp_path, text.format("", "")).doubts
    assert "rows 2 and 3" in doubt.refusal
    same = gleaned(tmp_path, text.format("", ""), choices={doubt.key: "same"})
    assert {one["mentor"] for one in letters(same)} == {"alvarez"}
    # Addresses settle it.
    apart = gleaned(tmp_path, text.format("a@x.edu", "b@x.edu"))
    assert len({one["mentor"] for one in letters(apart)}) == 2


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04...", "workbook"),
        (b"\xd0\xcf\x11\xe0", "old Excel workbook"),
        (b"a,b\n1,2\n", "no row of headings"),
        (b"Mentor,Mood\nAna,x\n", "no column with the deadline"),
        (b"Mentor,School,Ends\nAna,x,2027-09-01\n", 'found among .* --column "deadline=Ends"'),
        (b"Mentor,Deadline,Due\nAna,x,y\n", "would both be the deadline"),
        (b'Mentor,Deadline\n"Ana,2027-09-01\n', "cannot be split into cells"),
        (b"Mentor,Deadline\n\x00\x01\x81\x8d", "no text that can be read"),
    ],
)
def test_files_that_are_no_such_list(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(DataError, match=why):
        gleaned(tmp_path, content)


def test_a_column_is_named_by_the_person(tmp_path: Path) -> None:
    text = "Mentor,Deadline,Due\nAna,whatever,1 Dec 2027\n"
    (letter,) = letters(gleaned(tmp_path, text, columns={Column.DEADLINE: "due"}))
    assert letter["deadline"] == date(2027, 12, 1)


def test_headings_in_another_script_are_told_apart(tmp_path: Path) -> None:
    text = "推薦者,締切,Où\n王先生,2027-12-01,Lyon\n"
    named = {Column.MENTOR: "推薦者", Column.DEADLINE: "締切", Column.PROGRAM: "OÙ"}
    found = gleaned(tmp_path, text, columns=named)
    assert (found.problems, found.doubts) == ((), ())
    assert [p.values["name"] for p in found.season.programs] == ["Lyon"]


def test_10_000_rows(tmp_path: Path) -> None:
    rows = (f"Mentor N{i % 40:02d} Qw{i % 40 * 7919},P{i // 40},2027-09-01,2026-10-01"
            for i in range(10_000))  # fmt: skip
    text = "Mentor,Program,Deadline,Asked\n" + "\n".join(rows)
    before = time.process_time()
    found = gleaned(tmp_path, text, choices=_Different())
    assert time.process_time() - before < 20
    assert len(letters(found)) == 40
    strangers = "Mentor,Deadline\n" + "\n".join(f"M{i} X{i},2027-09-01" for i in range(1000))
    assert "more than 300 mentors" in gleaned(tmp_path, strangers).problems[0]


class _Different(dict[Any, str]):
    """Nobody is somebody else's namesake."""

    def get(self, key: Any, default: Any = None) -> Any:
        return "different" if key[0] == "same" else default


CELLS = st.sampled_from(
    ["", "Ana", "Dr. Ben", "x", "no", "2027-09-01", "03/04/2027", "25/04/2027", "soon", "a@b.c",
     "46357", "Home", "asked", '"', "\ufeff", "=1+1", "\u202e", "N" * 300]
) | st.text(max_size=8)  # fmt: skip
HEADS = st.sampled_from(
    ["Mentor", "Email", "Program", "Deadline", "Asked", "Status", "Type", "", "Zz"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(head=st.lists(HEADS, max_size=6), rows=st.lists(st.lists(CELLS, max_size=7), max_size=5))
def test_any_sheet_is_understood_or_refused(
    tmp_path: Path, head: list[str], rows: list[list[str]]
) -> None:
    made = io.StringIO()
    csv.writer(made).writerows([head, *rows])
    try:
        found = gleaned(tmp_path, made.getvalue().encode("utf-8", "replace"))
    except DataError:
        return
    assert found.problems or found.doubts or found.season.letters
