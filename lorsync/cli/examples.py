"""The examples that each command's ``--help`` ends with, and the manual page shows.

The tests read every one with the command's own parser.
"""

from collections.abc import Mapping

Example = tuple[str, str]
"""What is typed after ``lorsync``, and what it is for."""

EXAMPLES: Mapping[str, tuple[Example, ...]] = {
    "add": (
        ('add mentor "Dr. Wei Chen" --email chen@example.edu', "somebody who writes"),
        ('add mentor "Dr. Ida Nys" --away 2027-08-01..2027-08-31:leave', "with days away"),
        ('add program "Bayview Medicine" --deadline "Sep 30, 2027"', "something to apply to"),
        ("add letter chen --program home --type chair --dry-run", "only the change is shown"),
        ("add letter", "asks for what it needs"),
    ),
    "calendars": (
        ("calendars", "which calendars the account has, and which one lorsync keeps"),
        ("calendars --json", "the same, for scripts"),
    ),
    "check": (
        ("check", "everything that is wrong with your config"),
        ("-c ./draft.toml check", "with another file"),
        ("check --schema > config.schema.json", "help for your editor"),
    ),
    "completion": (
        ("completion bash > ~/.local/share/bash-completion/completions/lorsync", "bash"),
        ("completion zsh > ~/.zfunc/_lorsync", "zsh, with ~/.zfunc in fpath"),
        ("completion fish > ~/.config/fish/completions/lorsync.fish", "fish"),
    ),
    "coverage": (
        ("coverage", "which program lacks a letter"),
        ("coverage --as-of 2027-09-01", "how it stood on that day"),
    ),
    "doctor": (
        ("doctor", "what is missing or wrong, and what to do about it"),
        ("doctor --probe", "and try what the server keeps of an event"),
        ("doctor --json", "the same, for scripts"),
    ),
    "export": (
        ("export -o letters.ics", "everything, for yourself"),
        ("export -o chen.ics --mentor chen --without-drafts", "for somebody else"),
        ("export -o due.ics --kind deadline --program home", "one program's deadlines"),
        ("export --split mentors --without-drafts", "one file for each mentor"),
    ),
    "init": (
        ("init", "a dozen questions"),
        ("init --from letters.csv", "the spreadsheet that you keep"),
        ("init --from letters.csv --month-first --blanks above", "with its doubts settled"),
    ),
    "login": (
        ("login", "asks for what your provider needs"),
        ("login --client client.json", "Google, with your OAuth client"),
        ("login --print | systemd-creds encrypt - lorsync-password", "for a server"),
    ),
    "logout": (
        ("logout", "asks, then forgets the login"),
        ("logout --yes", "without asking"),
    ),
    "mark": (
        ("mark chen asked", "today"),
        ("mark chen submitted --letter chen-chair --on 2027-09-02", "one letter, another day"),
        ("mark chen asked --undo", "taken back"),
    ),
    "plan": (
        ("plan", "what is planned from today on"),
        ("plan --why", "with the rule behind each date"),
        ("plan --as-of 2027-08-01", "as if it were that day"),
    ),
    "restore": (
        ("restore", "lists what you deleted"),
        ("restore 1a2b3c4d", "brings one back"),
        ("restore memory", "the event in which lorsync keeps its memory"),
    ),
    "run": (
        ("run", "until Ctrl-C"),
        ("-c ./draft.toml --state-dir ./state run", "another season beside it"),
    ),
    "service": (
        ("service install", "have lorsync run by itself from now on"),
        ("service status", "whether it does"),
        ("service uninstall", "take that back"),
    ),
    "status": (
        ("status", "the passes, the letters, what needs you"),
        ("status --json", "the same, for scripts"),
    ),
    "suggest": (("suggest home", "whom to ask for the program with the id home"),),
    "sync": (
        ("sync --dry-run", "what would be done"),
        ("sync", "one pass"),
        ("-q sync", "says nothing where all is well; for cron"),
        ("sync --accept-deletions", "yes to deletions that wait for it"),
        ("sync --accept-newcomers", "who is new is nobody who was there before"),
        ("sync --accept-memory", "what lorsync's memory in the calendar says is so"),
    ),
    "timeline": (
        ("timeline", "the season on the terminal"),
        ("timeline -o season.html", "as one page, to look at or to print"),
        ("timeline -o season.svg", "as a picture"),
    ),
    "unpin": (
        ("unpin", "lists what you moved"),
        ("unpin 1a2b3c4d", "gives one back to the plan"),
        ("unpin chen", "all of one mentor's"),
    ),
}


def epilog(command: str) -> str:
    """Return the examples as the end of a help text; empty where there are none."""
    listed = EXAMPLES.get(command, ())
    if not listed:
        return ""
    # \b keeps click from filling the lines of a paragraph.
    lines = [line for typed, what in listed for line in (f"  # {what}", f"  lorsync {typed}")]
    return "\n".join(["\b", "Examples:", *lines])
