"""What is printed, for a person or as JSON."""
