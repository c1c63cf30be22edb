"""Say how lorsync fares: status, metrics, the desktop. Reads records, never the calendar."""
