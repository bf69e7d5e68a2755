"""What runs concluded, kept with the code: one record a run, under a ref of its own in the app's repository."""
