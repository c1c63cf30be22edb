"""A CalDAV server as :class:`lorsync.ports.Calendar`: requests, XML, discovery, the calendar."""

from lorsync.adapters.caldav.calendar import CalDavCalendar
from lorsync.adapters.caldav.discovery import find_collection, open_collection

__all__ = ["CalDavCalendar", "find_collection", "open_collection"]
