"""Sign-in through somebody else: the client half of OAuth 2 and OpenID Connect.

From the wire inward: the kernel's `egress` reaches a provider and nothing else, `documents` and `keys` keep what
it publishes, `jose` believes an ID token or does not, `providers` knows each kind, `flow` ties a
browser to one attempt, and `identities` decides whose account an identity opens.
"""
