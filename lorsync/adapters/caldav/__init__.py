"""A CalDAV server as :class:`lorsync.ports.Calendar`: requests, XML, discovery, the calendar."""
