"""Visits, counted without knowing anybody: the script in every page, what takes its word, and the screen.

No cookie, no address and no browser is kept, not even for a moment longer than its request: only counts a
day. Who asks not to be counted (Global Privacy Control, Do Not Track) is not.
"""
