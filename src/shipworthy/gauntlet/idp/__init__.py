"""A stand-in for somebody else's sign-in: an OpenID provider that behaves, or misbehaves as told.

Strict where a good provider is strict (PKCE S256, exact redirect addresses, codes that work
once), so that an app which signs in here does it right; and able to be wrong in every way a
sound app must refuse. `stub` runs it in this process; `python -m shipworthy.gauntlet.idp` alone.
"""
