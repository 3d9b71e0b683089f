"""Images as vectors: embedding, reduction, neighbours, and which images are unlike the pile.

Imports training (for devices and views) and what lies below. Clusters must not enter.
"""
