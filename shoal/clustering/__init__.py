"""Vectors to groups: clusterers, ways to divide a pile, the number of clusters, trees.

Imports embedding and what lies below. How far a clustering can be trusted is `shoal.scoring`'s
question, and no label enters.
"""
