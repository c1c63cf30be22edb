"""The calendar server of this machine."""
