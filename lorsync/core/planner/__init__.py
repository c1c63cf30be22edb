"""What should stand, on which day, and why."""
