"""Take in what people say and keep, and make a config of it: days, spreadsheets, answers.

Nothing here knows a terminal or writes a file; what cannot be told is named as a doubt, for the
command line to ask about or to refuse. Nothing is guessed.
"""
