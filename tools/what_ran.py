"""Check that each test ran in one of several runs at least.

usage: python tools/what_ran.py ACCOUNT [ACCOUNT ...]

An ACCOUNT is what pytest wrote with --account; one of the runs at least was without xdist, whose
account tells what there is to run. A test that the machine lacks something for is named; any other
that ran nowhere is an error.
"""

import json
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.needs import NEEDS, RIGHTS  # noqa: E402 -- the checkout is not on the path before

LACKS = "lacks "


def main(accounts: list[str]) -> int:
    """Return the exit code: 1 where a test ran nowhere and nothing that it needs is missing."""
    lines = [
        json.loads(line)
        for account in accounts
        for line in Path(account).read_text("utf-8").splitlines()
    ]
    collected = {line["collected"] for line in lines if "collected" in line}
    ran = {line["ran"] for line in lines if "ran" in line}
    reasons = {line["skipped"]: line["reason"] for line in lines if "skipped" in line}
    if not collected:
        print("No account says what there is to run.", file=sys.stderr)
        return 1
    left_out = {name: reasons.get(name, "not chosen") for name in sorted(collected - ran)}
    lacking = Counter(
        need for need in map(_need, left_out.values()) if need in NEEDS and need not in RIGHTS
    )
    for need, count in sorted(lacking.items()):
        print(f"{count} tests lack {need}; to run them: {NEEDS[need].brought_by}")
    forgotten = {name: why for name, why in left_out.items() if _need(why) not in lacking}
    for name, reason in forgotten.items():
        print(f"ran nowhere: {name} ({reason})", file=sys.stderr)
    print(f"{len(collected & ran)} of {len(collected)} tests ran.")
    return 1 if forgotten else 0


def _need(reason: str) -> str:
    return reason.removeprefix(LACKS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
