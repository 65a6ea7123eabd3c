"""Slow studies that print and keep figures: how accurate, how fast, how large. They assert nothing; see README.md."""
