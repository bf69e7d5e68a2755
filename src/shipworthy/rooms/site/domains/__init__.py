"""The domains a site is reached at: shown to be its owner's, one of them the site's own, the others leading there."""
