"""Forms on published pages: what visitors send, the traps for programs, and the inbox.

A page is kept and sent to many, so nothing in it is of one visitor. What tells a person from a program is the
second step: what was written is shown once more, and sending it from there carries a seal with the time in it.
Works without script.
"""
