"""When to talk and to ask: R1 (ask early), R2 (no surprise), R8 (one request for many letters)."""

from collections.abc import Sequence
from datetime import date, timedelta

from lorsync.core.model import Identity, Kind, Placed, PlanWarning, Reason, Status
from lorsync.core.occasion import Asking, Case, Occasion, Outcome, moved
from lorsync.core.progress import Progress

_FIRST_ORDINAL = 1


def ask(case: Case) -> Asking:
    """Place the talk and the requests of one mentor."""
    asked = {p.id: p.asked for p in case.letters if p.open and p.asked is not None}
    warnings = [_unconfirmed(p) for p in case.letters if p.open and p.unconfirmed]
    to_ask = [p for p in case.letters if p.open and p.asked is None and _due(p) >= case.today]
    mentor_was_asked = any(p.asked is not None for p in case.letters)
    occasions: list[Occasion] = []
    # What contacts the mentor keeps its distance to what came before it (R7).
    contacts = sorted(p.asked for p in case.letters if p.asked is not None)
    for batch in _batches(to_ask, case):
        occasion = (
            _add_letters(batch, case, contacts)
            if mentor_was_asked and not _standing_requests(batch, case)
            else _request(batch, case, contacts, occasions)
        )
        if occasion is None:
            warnings += [_no_day(p, case) for p in batch]
            continue
        occasions.append(occasion)
        contacts.append(occasion.day)
        asked |= dict.fromkeys(occasion.letters, occasion.day)
        if occasion.status is Status.SHORT_NOTICE:
            warnings.append(_short_notice(occasion, batch, case))
    talk = None if mentor_was_asked else _talk(case, occasions)
    if talk is not None:
        occasions.insert(0, talk)
    elif not mentor_was_asked and not _has_talked(case):
        occasions = [_speaking_first(occasion) for occasion in occasions]
    return Asking(
        outcome=Outcome(occasions=tuple(occasions), warnings=tuple(warnings)), asked=asked
    )


def _due(progress: Progress) -> date:
    return progress.due.day if progress.due is not None else date.min


def _ideal(progress: Progress, case: Case) -> date:
    return _due(progress) - timedelta(days=case.season.policy.lead_days)


def _batches(to_ask: Sequence[Progress], case: Case) -> list[list[Progress]]:
    """Group letters whose own request dates lie within ``batch_days`` of the earliest (R8)."""
    span = timedelta(days=case.season.policy.batch_days)
    batches: list[list[Progress]] = []
    for progress in sorted(to_ask, key=lambda p: (_ideal(p, case), p.id)):
        # A request that should have been made already would be made today.
        wanted = max(_ideal(progress, case), case.today)
        if batches and wanted <= max(_ideal(batches[-1][0], case), case.today) + span:
            batches[-1].append(progress)
        else:
            batches.append([progress])
    return batches


def _request(
    batch: Sequence[Progress], case: Case, contacts: Sequence[date], earlier: Sequence[Occasion]
) -> Occasion | None:
    taken = [occasion.identity.slot for occasion in earlier]
    identity = Identity(
        kind=Kind.REQUEST, subject=case.mentor.id, slot=_request_slot(batch, case, taken)
    )
    return _place(identity, batch, case, contacts)


def _add_letters(
    batch: Sequence[Progress], case: Case, contacts: Sequence[date]
) -> Occasion | None:
    """Ask a mentor who was asked before for more: a small event, never a second request (R8)."""
    first = min(p.id for p in batch)
    return _place(Identity(kind=Kind.ADD_LETTER, subject=first), batch, case, contacts)


def _place(
    identity: Identity, batch: Sequence[Progress], case: Case, contacts: Sequence[date]
) -> Occasion | None:
    policy = case.season.policy
    driver = min(batch, key=lambda p: (_due(p), p.id))
    ideal = _ideal(driver, case)
    gap = timedelta(days=policy.min_gap_days)
    earliest = max([case.today, *(day + gap for day in contacts)])
    day = case.days.shift(ideal, earliest=earliest, latest=_due(driver))
    if day is None:
        return None
    lead = (_due(driver) - day).days
    reasons = (
        Reason(
            rule="R1",
            text=f"{policy.lead_days} days before {driver.id} is due on {_due(driver)}",
            ideal=ideal,
        ),
        *moved(case.days, ideal, day),
    )
    if ideal < earliest:
        reasons += (Reason(rule="R1", text=f"that day has passed; {lead} days are left"),)
    short = lead < policy.min_lead_days
    return Occasion(
        identity=identity,
        letters=tuple(sorted(p.id for p in batch)),
        day=day,
        reasons=reasons,
        status=Status.SHORT_NOTICE if short else Status.PLANNED,
    )


def _standing_requests(batch: Sequence[Progress], case: Case) -> list[Placed]:
    """Return the requests on the calendar, not yet past, for a letter of this batch."""
    ids = {p.id for p in batch}
    return [
        placed
        for placed in case.placed
        if placed.kind is Kind.REQUEST and placed.day >= case.today and ids & set(placed.letters)
    ]


def _request_slot(batch: Sequence[Progress], case: Case, taken: Sequence[str]) -> str:
    """Return a batch's slot: that of the standing request for one of its letters, or a new one.

    So letters come and go without the request changing its identity (R8).
    """
    for request in _standing_requests(batch, case):
        if request.identity.slot not in taken:
            return request.identity.slot
    used = {p.identity.slot for p in case.placed if p.kind is Kind.REQUEST} | set(taken)
    ordinal = _FIRST_ORDINAL
    while str(ordinal) in used:
        ordinal += 1
    return str(ordinal)


def _has_talked(case: Case) -> bool:
    return any(p.facts.talked_on is not None for p in case.letters) or case.happened(
        _talk_identity(case)
    )


def _talk_identity(case: Case) -> Identity:
    return Identity(kind=Kind.TALK, subject=case.mentor.id)


def _talk(case: Case, requests: Sequence[Occasion]) -> Occasion | None:
    """Place a talk before the first request, where there is time for one (R2)."""
    if not requests or _has_talked(case):
        return None
    policy = case.season.policy
    first = min(requests, key=lambda request: request.day)
    ideal = first.day - timedelta(days=policy.talk_days)
    latest = first.day - timedelta(days=policy.min_gap_days)
    day = case.days.shift(min(ideal, latest), earliest=case.today, latest=latest)
    if day is None:
        return None
    reason = Reason(
        rule="R2", text=f"{policy.talk_days} days before the request on {first.day}", ideal=ideal
    )
    return Occasion(
        identity=_talk_identity(case),
        letters=first.letters,
        day=day,
        reasons=(reason, *moved(case.days, ideal, day)),
    )


def _speaking_first(occasion: Occasion) -> Occasion:
    return Occasion(
        identity=occasion.identity,
        letters=occasion.letters,
        day=occasion.day,
        reasons=(*occasion.reasons, Reason(rule="R2", text="no time for a talk before it")),
        status=occasion.status,
        speak_first=True,
    )


def _unconfirmed(progress: Progress) -> PlanWarning:
    return PlanWarning(
        code="unconfirmed",
        subject=progress.id,
        message=f"The request for {progress.id} was planned for {progress.asked} and counts as "
        f"made. If you asked on another day, set asked_on.",
    )


def _no_day(progress: Progress, case: Case) -> PlanWarning:
    return PlanWarning(
        code="no-contact-day",
        subject=progress.id,
        message=f"There is no day on which {case.mentor.name} can be asked for {progress.id} "
        f"before it is due on {_due(progress)}. Ask the office, or find another writer.",
    )


def _short_notice(occasion: Occasion, batch: Sequence[Progress], case: Case) -> PlanWarning:
    due = min(_due(p) for p in batch)
    left = (due - occasion.day).days
    days = "1 day" if left == 1 else f"{left} days"
    return PlanWarning(
        code="short-notice",
        subject=case.mentor.id,
        message=f"{case.mentor.name} is asked on {occasion.day}, {days} before {due}: "
        "say that it is short notice, and make it easy to decline.",
    )
