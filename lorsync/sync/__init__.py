"""One pass: fetch, reconcile, decide, write, report."""
