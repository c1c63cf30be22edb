"""What of an event may be handed to somebody else: no draft, no note, nothing for the applicant.

The words are made from what the recipient may know, and not cut out of the applicant's own
text: what is added there later stays there. Goals, ratings, notes, reasons for a program, portal
numbers and drafts never come here.

The UID is not the calendar's. A handout that ends up in the applicant's own account is thereby a
foreign event there (I3), and no second resource with the UID of a synced one, which iCloud and
Cyrus refuse over the whole account.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date

from lorsync.core.event.content import Content
from lorsync.core.identity import handout_uid
from lorsync.core.model import Event, Kind, Letter, LetterId, ProgramId, Season
from lorsync.core.phrases import long_day

_SAYS = {
    Kind.TALK: "{applicant} talks with {mentor} about the plans ahead.",
    Kind.REQUEST: "{applicant} asks {mentor} for a letter of recommendation.",
    Kind.ADD_LETTER: "{applicant} asks {mentor} for one more letter of recommendation.",
    Kind.FOLLOW_UP: "{applicant} checks in with {mentor} and offers help.",
    Kind.DEADLINE: "The letter of {mentor} for {applicant} has to be in by the end of this day.",
    Kind.THANK_YOU: "{applicant} thanks {mentor}.",
    Kind.ASSIGN: "{applicant} assigns the letter of {mentor} in the portal.",
    Kind.RESULTS: "{applicant} tells {mentor} how it turned out.",
    Kind.REPLACE: "{applicant} looks for another writer.",
}


def handout_of(
    content: Content,
    event: Event,
    season: Season,
    dues: Mapping[LetterId, date | None],
    programs: Collection[ProgramId] = (),
) -> Content:
    """Return the content of an event as somebody else may have it: plain words, and no alarms.

    ``dues`` are the letters' due dates. ``programs``, where given, are the only ones named: one
    program need not learn of the others.
    """
    said = _SAYS[event.kind].format(
        applicant=season.applicant.name, mentor=season.mentors[event.mentor].name
    )
    meant = set(event.letters)
    letters = [letter for letter in season.letters if letter.id in meant]
    lines = [_line(letter, season, dues.get(letter.id), programs) for letter in letters]
    text = "\n".join([said, *(["", *lines] if lines else [])])
    return replace(content, uid=handout_uid(event.uid), block=text, alarms=())


def _line(letter: Letter, season: Season, due: date | None, only: Collection[ProgramId]) -> str:
    programs = [season.programs[p] for p in letter.programs if not only or p in only]
    portals = dict.fromkeys(program.portal for program in programs if program.portal)
    details = [
        f"{letter.type} letter" + (f", due {long_day(due)}" if due is not None else ""),
        *([f"through {', '.join(portals)}"] if portals else []),
        *([f"for {' · '.join(program.name for program in programs)}"] if programs else []),
    ]
    return "- " + "; ".join(details)
