"""Look over everything that lorsync needs, and say what was found, what it means, what to do."""
