"""Keep a CalDAV calendar true to your letters of recommendation."""

__version__ = "0.1.0"
