"""What is known and learned of how carefully a server writes."""

from lorsync.adapters.caldav.answers import Answer

# Xandikos locks its git index: of two updates at once, one gets 423. It names itself by nothing but
# the library it is served with.
_ONE_CHANGE_AT_A_TIME = "aiohttp"
# RFC 9110 section 9.3.4: what replaced something, where 201 would have made it.
_REPLACED = frozenset({200, 204})
# Where SOGo serves, and a header of the library that it is made with (SOPE).
_SOGO_SEGMENT, _SOPE_HEADER = "/SOGo/", "x-dav-error"


class Habits:
    """How the server of a collection at ``path`` writes, as far as is known; from any thread.

    ``guards_creation``: False where the provider is known to ignore ``If-None-Match``.
    ``takes_turns``: it takes one change at a time.
    """

    def __init__(self, path: str, *, guards_creation: bool) -> None:
        self._guards_creation = guards_creation
        self._sogo = self._careless = _SOGO_SEGMENT in path
        self.takes_turns = False

    @property
    def guards_creation(self) -> bool:
        """Whether ``If-None-Match: *`` is kept: not by Google and SOGo."""
        return self._guards_creation and not self._careless

    @property
    def guards_deletion(self) -> bool:
        """Whether ``If-Match`` of a DELETE is kept: not by SOGo."""
        return not self._careless

    @property
    def is_sogo(self) -> bool:
        """Whether ETags come back after a deletion, and If-Match on nothing makes it: on SOGo."""
        return self._sogo

    def notice(self, answer: Answer) -> None:
        """Learn from the answer to a report or a PROPFIND which server this is."""
        if _ONE_CHANGE_AT_A_TIME in answer.headers.get("server", ""):
            self.takes_turns = True
        if _SOPE_HEADER in answer.headers:
            self._sogo = self._careless = True

    def notice_creation(self, answer: Answer) -> None:
        """Learn from the answer to a PUT that was to make something, and nothing else."""
        if answer.status in _REPLACED and self._guards_creation:
            # Who ignores one precondition is not believed to keep the others.
            self._careless = True
