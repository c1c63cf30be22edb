"""``python -m benchmarks``: measure, print one table, and end with 1 where a promise is missed."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import comparison, idle_daemon, plan_bench, process_times, request_counts, slow_link
from benchmarks.table import Row, plain, rendered

PARTS: dict[str, Callable[[Path], Iterator[Row]]] = {
    "requests": request_counts.measure,
    "plan": plan_bench.measure,
    "times": process_times.measure,
    "link": slow_link.measure,
    "daemon": idle_daemon.measure,
}


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; or all")
    parser.add_argument(
        "--compare",
        action="store_true",
        help="compare with vdirsyncer and the bare caldav library, and nothing else but PARTs",
    )
    asked = parser.parse_args()
    if unknown := set(asked.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    names = asked.parts or ([] if asked.compare else list(PARTS))
    chosen = {name: PARTS[name] for name in names}
    if asked.compare:
        chosen["comparison"] = comparison.measure
    # On a busy machine every time is longer, processor time too.
    load = f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    rows = [plain("load of this machine before", load)]
    with tempfile.TemporaryDirectory(prefix="lorsync-bench-") as folder:
        for name, measure in chosen.items():
            print(f"Measuring: {name} …", file=sys.stderr)
            place = Path(folder, name)
            place.mkdir()
            for row in measure(place):
                print(f"  {row.what}: {row.measured} {row.verdict}", file=sys.stderr)
                rows.append(row)
    print(rendered(rows))
    return 1 if any(row.kept is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
