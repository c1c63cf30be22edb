"""Plan, what was sent, its echo and the calendar, three-way: what to write, keep or hold."""
