"""Figures: each a function from data to a matplotlib figure, usable in a notebook.

Imports what it draws. Nothing is computed here that a table would need, too, and nothing but
`figures.save` writes a file.
"""
