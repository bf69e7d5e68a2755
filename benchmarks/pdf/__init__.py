"""Printing the same invoice with typst (ours), WeasyPrint and reportlab."""
