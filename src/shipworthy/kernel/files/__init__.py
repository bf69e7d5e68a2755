"""Object files: the same calls for a folder and for S3 (obstore)."""
