"""The season as a picture: what is in it, where it stands, and how it is drawn.

Nothing here reads a clock or a file: ``season`` gathers the marks, ``layout`` places them, and the
renderers (``svg`` and ``page`` here, the terminal's in the command line) draw the same layout.
"""
