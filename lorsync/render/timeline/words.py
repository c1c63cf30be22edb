"""What the picture says in words: of a mark, of a lane, and of what the signs mean."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lorsync.core.model import Stage
from lorsync.core.phrases import count, long_day
from lorsync.render.timeline.season import Lane, Mark, Shade, Sign, State, Timeline
from lorsync.render.timeline.signs import SAYING

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def dated(mark: Mark) -> str:
    """Return a mark's day, as ``Thu 10 Sep 2026``."""
    return f"{WEEKDAYS[mark.day.weekday()]} {long_day(mark.day)}"


def state_words(mark: Mark) -> str:
    """Return what became of a mark, or will."""
    if mark.sign is Sign.DEADLINE and mark.state is State.DONE:
        return "met"
    return SAYING[mark.state] + (", moved by you" if mark.pinned else "")


def mark_words(mark: Mark) -> str:
    """Return all that a mark says, in one line."""
    return f"{dated(mark)}, {mark.sign}, {state_words(mark)}: {'; '.join(mark.texts)}"


def lane_words(lane: Lane) -> str:
    """Return how far a mentor's letters are."""
    stages = [letter.stage for letter in lane.letters]
    if len(set(stages)) == 1:
        return f"{count(len(stages), 'letter')} {stages[0]}" if len(stages) > 1 else stages[0]
    return ", ".join(f"{stages.count(stage)} {stage}" for stage in Stage if stage in stages)


def budget_words(lane: Lane) -> str:
    """Return a mentor's follow-ups in words."""
    budget = lane.budget
    left = max(0, budget.cap - budget.spent - budget.planned)
    numbers = ((budget.spent, "used up"), (budget.planned, "planned"), (left, "left"))
    told = ", ".join(f"{number} {words}" for number, words in numbers if number)
    return f"follow-ups: {told or 'none wanted'}"


def title_of(timeline: Timeline) -> str:
    """Return the picture's title."""
    return f"{timeline.title}: letters of recommendation for {timeline.applicant}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the legend: a mark, or where there is none a shade or the time of writing."""

    words: str
    mark: Mark | None = None
    is_shade: bool = False


def legend(timeline: Timeline) -> Iterator[Entry]:
    """Return what is to be explained of what is shown, each once: signs, states, shades."""
    marks = [mark for lane in timeline.lanes for mark in lane.marks]
    for sign in Sign:
        if any(mark.sign is sign for mark in marks):
            state = State.DONE if sign in FACTS else State.PLANNED
            yield Entry(words=sign.value, mark=_sample(timeline, sign, state))
    for state, sign, words in _STATES:
        if any(mark.state is state for mark in marks if mark.sign not in FACTS):
            yield Entry(words=words, mark=_sample(timeline, sign, state))
    if any(mark.pinned for mark in marks):
        moved = replace(_sample(timeline, Sign.FOLLOW_UP, State.PLANNED), pinned=True)
        yield Entry(words="moved by you", mark=moved)
    if any(lane.writing for lane in timeline.lanes):
        yield Entry(words="from asking to the last date")
    if any(_is_shown(shade, timeline) for lane in timeline.lanes for shade in lane.shades):
        yield Entry(words="away, or not to be contacted", is_shade=True)


FACTS = frozenset({Sign.AGREED, Sign.PACKET_SENT, Sign.SUBMITTED, Sign.DECLINED})
"""The signs of what can only have happened."""

_STATES = (
    (State.DONE, Sign.FOLLOW_UP, "solid: done"),
    (State.PASSED, Sign.FOLLOW_UP, "dashed: its day has passed"),
    (State.OVERDUE, Sign.DEADLINE, "overdue"),
    (State.DISMISSED, Sign.FOLLOW_UP, "deleted by you"),
)


def _sample(timeline: Timeline, sign: Sign, state: State) -> Mark:
    return Mark(day=timeline.today, sign=sign, state=state, texts=(), letters=())


def _is_shown(shade: Shade, timeline: Timeline) -> bool:
    return shade.first <= timeline.last and shade.last >= timeline.first
