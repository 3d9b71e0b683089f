"""Taking it away: a prediction read back, named, and handed over with its images.

Imports the pipeline, search and plots. No original is ever changed: images are copied or linked.
"""
