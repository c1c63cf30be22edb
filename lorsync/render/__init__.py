"""A plan as a file for somebody: .ics, .svg, .html; pure."""
