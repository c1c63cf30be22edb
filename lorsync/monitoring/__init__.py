"""Say how lorsync is doing: status, metrics, the desktop. Reads records, never the calendar."""
