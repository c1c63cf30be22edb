"""Questions and answers: init and add."""
