"""Start the command line; ``--version`` is answered before anything is loaded."""

import gc
import os
import sys
import warnings


def main() -> None:
    """Run ``lorsync`` with the arguments of the process, and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        from lorsync import __version__

        print(f"lorsync {__version__}")
        return
    if "run" in sys.argv:
        _await_signals()
    if not sys.warnoptions:
        # What a library warns of is for those who change lorsync: they set PYTHONWARNINGS.
        warnings.simplefilter("ignore")
    # A command lives for a second and makes no cycles worth a search; the daemon turns it on again.
    gc.disable()
    # Looking for pydantic's plugins costs 30 ms of every command, and lorsync has none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    try:
        from lorsync.cli import main
    except KeyboardInterrupt:  # while all of this was loaded; later ones end as the command likes
        sys.exit(130)

    sys.exit(main(sys.argv[1:]))


def _await_signals() -> None:
    """Survive the daemon's signals until it listens: what they ask for, its start does anyway."""
    import signal

    for number in (signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, lambda *_: None)


if __name__ == "__main__":
    main()
