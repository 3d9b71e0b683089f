"""The same work on many processes and machines: the only room that imports Ray.

Ray starts the processes, places them, and starts them again when they die. What each of them does
is the rest of shoal.
"""
