"""Keep a CalDAV calendar in step with your recommendation letters."""

__version__ = "0.1.0"
__version_date__ = "2026-11-22"
"""The day of this version, in ISO 8601; the manual page shows it."""
