"""What a page was: its versions, what changed between two of them, and the way back."""
