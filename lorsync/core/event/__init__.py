"""An event as a VEVENT, and a VEVENT by its meaning."""
