"""Apps of others, examined as their users would: from `shipworthy init` to a verdict."""
