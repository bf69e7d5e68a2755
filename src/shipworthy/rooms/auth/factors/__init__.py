"""Second factors: authenticator app, recovery codes, passkeys; the second step of a sign-in; step-up.

From the sum outward: `totp` is RFC 6238, `sealing` keeps its secret, `authenticator` and `recovery_codes` are a
person's own, `second` stands between the password and the session, `proving` asks a signed-in person again.
"""
