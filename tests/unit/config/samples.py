"""Configs that are right, for tests to add one thing to."""

LEAST = """
[applicant]
name = "Sam Reyes"
timezone = "Europe/Madrid"
[calendar]
provider = "local"
"""
"""What every config needs, but for its letters."""

ONE_LETTER = LEAST + '[[letters]]\nmentor = "Prof. Ana Ruiz"\ndeadline = 2027-01-15\n'

MENTORS = """
[[mentors]]
id = "alvarez"
name = "Dr. Sofia Alvarez"
[[mentors]]
name = "Dr. Petra Novák"
"""
"""One mentor with an id, one without."""


def letter(rest: str, mentor: str = "Prof. Ana Ruiz") -> str:
    """Write a letter with some keys beside its mentor."""
    return f'[[letters]]\nmentor = "{mentor}"\n{rest}\n'


def changed(table: str, line: str) -> str:
    """Write a config of one letter, with one more line in one of its tables."""
    if f"[{table}]" in ONE_LETTER:
        return ONE_LETTER.replace(f"[{table}]", f"[{table}]\n{line}", 1)
    return f"{ONE_LETTER}[{table}]\n{line}\n"
