"""Plots: functions from data to matplotlib figures, usable in a notebook.

A module draws one kind of result. `thumbnails` makes small pictures of originals, `layout` computes
the map, `figures.write` writes a figure to a file. Plots may import the results that they draw, but
neither exports, reports nor commands. Nothing else is computed here, and no label is read.
"""
