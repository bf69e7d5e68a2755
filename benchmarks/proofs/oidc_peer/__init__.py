"""Sign-in through a provider that is not ours: npm's oidc-provider, certified by the OpenID Foundation."""
