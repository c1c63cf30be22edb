"""What to say of follow-ups that cannot be, or do not help: R5, R7, S4, S10."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from shlex import quote

from lorsync.core.candidates import least_days
from lorsync.core.model import PlanWarning, Reason
from lorsync.core.occasion import Case, Occasion
from lorsync.core.outstanding import Outstanding
from lorsync.core.spending import Spending


def unsure(case: Case, letters: Sequence[Outstanding]) -> list[PlanWarning]:
    """Ask how often a mentor was followed up, where that is lost and would matter (S4)."""
    if not case.unsure or not letters:
        return []
    message = (
        f"Whether {case.mentor.name} was followed up in this cycle is not known: lorsync's file "
        "and its memory in the calendar are both gone. So no follow-up is planned until you say: "
        f"lorsync mark {quote(case.mentor.id)} followed-up --on DATE (once for each), or "
        f"lorsync mark {quote(case.mentor.id)} not-followed-up"
    )
    reason = Reason(rule="S4", text="no record is left of the follow-ups before today")
    return [
        PlanWarning(
            code="unknown-follow-ups", subject=case.mentor.id, message=message, reasons=(reason,)
        )
    ]


def over_budget(case: Case, spent: Spending, cap: int) -> list[PlanWarning]:
    number = len(spent.spent)
    if number <= cap or not any(p.open for p in case.letters):
        return []
    times = "once" if number == 1 else f"{number} times"
    message = (
        f"{case.mentor.name} was followed up {times}; {cap} is the limit for this cycle. Leave it "
        "at that, and ring the office instead."
    )
    reason = Reason(rule="R5", text=f"{number} of {cap} are spent")
    return [
        PlanWarning(code="over-budget", subject=case.mentor.id, message=message, reasons=(reason,))
    ]


def too_late(
    case: Case, pins: Iterable[Occasion], letters: Sequence[Outstanding]
) -> list[PlanWarning]:
    """Warn of each follow-up that the person moved past its use; it is kept (S10)."""
    useful = case.season.policy.last_useful_days
    dues = {letter.id: letter.due.day for letter in letters}
    warnings = []
    for pin in pins:
        ahead = [dues[letter] for letter in pin.letters if letter in dues]
        if any((due - pin.day).days >= useful for due in ahead):
            continue
        when = f"the letter is due on {max(ahead)}" if ahead else "the letter is overdue by then"
        message = (
            f"You moved the follow-up to {case.mentor.name} to {pin.day}: {when}, so it comes too "
            "late to help. It stays where you put it."
        )
        reason = Reason(rule="R7", text=f"no later than {useful} days before the due date")
        warnings.append(
            PlanWarning(
                code="too-late",
                subject=case.mentor.id,
                message=message,
                reasons=(reason,),
                advice="Move it forward, or give it back to the plan: lorsync unpin",
            )
        )
    return warnings


def uncovered(
    case: Case, letters: Sequence[Outstanding], left: int, planned: int
) -> list[PlanWarning]:
    """Name each due date that gets no final follow-up, and say what to do instead."""
    by_due: dict[date, list[Outstanding]] = {}
    for letter in letters:
        by_due.setdefault(letter.due.day, []).append(letter)
    warnings = []
    for due, found in sorted(by_due.items()):
        rule, why = _why(case, found, left, planned)
        message = (
            f"{case.mentor.name} gets no final reminder of "
            f"{' and '.join(letter.id for letter in found)}, due on {due}: {why}. "
            "If you are worried, ring the office or ask an adviser."
        )
        warnings.append(
            PlanWarning(
                code="no-follow-up",
                subject=case.mentor.id,
                message=message,
                reasons=(Reason(rule=rule, text=why, ideal=due),),
            )
        )
    return warnings


def _why(case: Case, letters: Sequence[Outstanding], left: int, planned: int) -> tuple[str, str]:
    policy = case.season.policy
    if policy.follow_ups == 0:
        return "R5", "you want no follow-ups (follow_ups = 0)"
    if left == 0:
        return "R5", "the follow-ups of this cycle are used up"
    due = letters[0].due.day
    first = min(letter.due.asked for letter in letters) + timedelta(days=policy.min_gap_days)
    latest = due - timedelta(days=least_days(policy))
    if case.today > latest:
        return "R7", "it is too near for a follow-up to help"
    if first > latest:
        return "R7", f"{policy.min_gap_days} days after the request it is too near for a follow-up"
    if planned >= left:
        others = "the follow-up that is left goes" if left == 1 else "both follow-ups go"
        return "R5", f"{others} to other due dates"
    return "R7", "no day near it is free and far enough from the other contacts"
