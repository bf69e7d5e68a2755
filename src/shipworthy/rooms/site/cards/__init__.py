"""The picture that stands for a page where somebody shares a link to it."""
