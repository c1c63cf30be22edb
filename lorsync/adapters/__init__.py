"""One outside thing each: a CalDAV server, a folder, SQLite, the keyring, locks."""
