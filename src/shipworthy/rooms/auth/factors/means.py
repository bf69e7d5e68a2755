"""By what means a person was recognised, in the words of a session's `amr`.

Source:  RFC 8176 for "pwd", "otp", "pop", "user", "mfa"; "fed" (another's sign-in) and "mail" (a mailed code)
         are ours.
"""

from __future__ import annotations

_KNOWN = frozenset({"pwd", "fed", "mail"})
_HELD = frozenset({"otp", "pop"})


def amr_of(*means: str) -> tuple[str, ...]:
    """Return the means in order, each once, with "mfa" where they are two factors.

    A passkey that verified its person ("user") is two by itself: the device, and what unlocked it.
    """
    found = dict.fromkeys(m for m in means if m != "mfa")
    is_two = (_KNOWN & found.keys() and _HELD & found.keys()) or {"pop", "user"} <= found.keys()
    return (*found, "mfa") if is_two else tuple(found)
