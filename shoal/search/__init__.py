"""Questions about single images: alike or not, what is like this one, copies, odd ones.

Imports the pipeline and what lies below. Nothing is drawn or written here but plain tables.
"""
