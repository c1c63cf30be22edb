"""A CalDAV server as :class:`lorsync.ports.Calendar`: requests, XML, discovery, the calendar."""

from lorsync.adapters.caldav.calendar import CalDavCalendar
from lorsync.adapters.caldav.discovery import open_collection

__all__ = ["CalDavCalendar", "open_collection"]
