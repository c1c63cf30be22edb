"""Tell people apart by their names, and give them and their letters short ids."""

import re
import unicodedata
from collections.abc import Container
from difflib import SequenceMatcher
from typing import Final

from lorsync.config.ids import ID_LENGTH, slug
from lorsync.config.naming import SAME_PERSON

_TITLES: Final = frozenset(
    """
    dr doctor prof professor mr mrs ms mx miss sir dean chair md phd do dds dmd rn mph mba ms msc
    ma mhs ba bs facp facs faap frcp jr sr ii iii emeritus assoc associate asst assistant
    """.split()  # noqa: SIM905 -- forty words in quotes are not easier to read
)


def name_words(name: str) -> frozenset[str]:
    """Return the words of a name without titles, degrees, accents and case."""
    folded = unicodedata.normalize("NFKD", name.casefold().replace(".", " ").replace("’", "'"))
    plain = "".join(mark for mark in folded if not unicodedata.combining(mark))
    words = re.findall(r"[\w'-]+", plain)
    return frozenset(words) - _TITLES or frozenset(words)


def maybe_the_same(one: str, other: str) -> bool:
    """Tell whether two names may be one person's: titles, order, initials, a slip."""
    words, others = _whole_words(one), _whole_words(other)
    if words <= others or others <= words:
        return True
    ordered, other_ordered = " ".join(sorted(words)), " ".join(sorted(others))
    matcher = SequenceMatcher(None, ordered, other_ordered, autojunk=False)
    # The quick ratios are upper bounds, and most pairs end there.
    return (
        matcher.real_quick_ratio() >= SAME_PERSON
        and matcher.quick_ratio() >= SAME_PERSON
        and matcher.ratio() >= SAME_PERSON
    )


def _whole_words(name: str) -> frozenset[str]:
    """Return the words of a name without initials, which may stand for any first name."""
    words = name_words(name)
    return frozenset(word for word in words if len(word) > 1) or words


def mentor_id(name: str, taken: Container[str]) -> str:
    """Make a mentor's id of the last name: ``Dr. Sofia Alvarez`` is ``alvarez``."""
    before_comma, comma, after = name.partition(",")
    last_first = bool(comma) and bool(name_words(after) - _TITLES)
    words = re.findall(r"[^\s,]+", before_comma if last_first else name)
    proper = [word for word in words if name_words(word) - _TITLES] or words
    while len(proper) > 1 and "." in proper[-1]:  # degrees that are not listed, initials
        proper.pop()
    return _free([slug(proper[-1]), slug(" ".join(proper)), slug(name)], taken)


def program_id(name: str, taken: Container[str]) -> str:
    """Make a program's id of its name."""
    return _free([slug(name)], taken)


def letter_id(mentor: str, form: str, taken: Container[str]) -> str:
    """Make a letter's id of its mentor's and its type.

    It is written into the file, so that a second letter of the type can get one of its own.
    """
    return _free([f"{mentor[: ID_LENGTH - 16]}-{form}"], taken)


def _free(wanted: list[str], taken: Container[str]) -> str:
    """Take the first id that nobody has, else a numbered one."""
    found = next((one for one in wanted if one not in taken), None)
    if found is not None:
        return found
    base, number = wanted[-1][: ID_LENGTH - 5], 2
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"
