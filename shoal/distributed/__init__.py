"""The same work on many processes and machines: the only room that imports Ray.

Ray or torchrun starts the processes and places them; Ray starts them again when they die. What each
of them does is the rest of shoal.
"""
