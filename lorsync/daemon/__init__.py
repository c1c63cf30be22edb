"""Keep passes coming for months; no calendar is known here."""
