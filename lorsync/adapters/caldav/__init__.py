"""A CalDAV server as the port ``Calendar``: requests, XML, discovery, the calendar."""
