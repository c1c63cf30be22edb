"""The command line: each command is loaded when it is called, errors become plain lines.

A message goes to stderr and its exit code follows sysexits (see :mod:`lorsync.core.errors`). A
traceback is never shown; of an internal error, the place is.
"""

import errno
import os
import signal
import sys
from collections.abc import Sequence

import click

from lorsync.cli.output.terminal import complain, echo, speak_plainly
from lorsync.cli.root import cli
from lorsync.core.errors import LorsyncError, UsageError, as_mistake


def main(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code."""
    speak_plainly()
    try:
        _check_text(arguments)
        result = cli.main(args=list(arguments), prog_name="lorsync", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        echo(error.format_message(), err=True)
        return UsageError.exit_code
    except click.UsageError as error:
        return _tell(_usage(error), UsageError.exit_code)
    except click.ClickException as error:
        return _tell(error.format_message(), UsageError.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _tell("Stopped.", 128 + signal.SIGINT)
    except LorsyncError as error:
        return _tell(str(error), error.exit_code)
    except (BrokenPipeError, SystemExit):
        # The reader left, as `| head` does: not an error. click and rich exit then, and nothing
        # else here does.
        return _unheard(128 + signal.SIGPIPE)
    except OSError as error:
        return _unheard(_unexpected(error)) if _is_full(error) else _unexpected(error)
    except Exception as error:  # noqa: BLE001 -- the last resort; never a traceback for a person
        return _unexpected(error)
    return result if isinstance(result, int) else 0


def _check_text(arguments: Sequence[str]) -> None:
    """Raise UsageError for an argument whose bytes are no UTF-8: it could be kept nowhere."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            shown = os.fsencode(argument).decode(errors="backslashreplace")
            msg = f"An argument is no UTF-8 text: {shown}. Write it in UTF-8, or rename the file."
            raise UsageError(msg) from None


def _is_full(error: OSError) -> bool:
    return error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} and not error.filename


def _unheard(code: int) -> int:
    """Give up stdout, which Python would complain of once more at the end; return ``code``."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _tell(message: str, code: int) -> int:
    complain(message)
    return code


def _usage(error: click.UsageError) -> str:
    where = error.ctx.command_path if error.ctx is not None else "lorsync"
    # What click says may be a list with a line for each word, and may lack the stop at its end.
    message = " ".join(error.format_message().split())
    stop = "" if message.endswith((".", "?", "!")) else "."
    return f"{message}{stop}\nTry “{where} --help”."


def _unexpected(error: Exception) -> int:
    """Say that lorsync itself is wrong, and where, without what may be secret in the message."""
    message = str(as_mistake(error))
    if isinstance(error, OSError):
        where = error.filename or "the output"
        message = f"{where} cannot be used: {error.strerror or error}."
    return _tell(message, LorsyncError.exit_code)
