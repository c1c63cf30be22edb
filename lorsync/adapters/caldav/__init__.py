"""A CalDAV server as :class:`lorsync.ports.Calendar`: requests, XML, discovery, the calendar."""

from lorsync.adapters.caldav.calendar import CalDavCalendar
from lorsync.adapters.caldav.choosing import (
    find_collection,
    listed_collections,
    meant,
    open_collection,
)

__all__ = ["CalDavCalendar", "find_collection", "listed_collections", "meant", "open_collection"]
