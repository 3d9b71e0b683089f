"""Objectives: the losses that train an encoder, one paper a file.

Each file has ``build(encoder, **options)``, whose signature is the schema of the options that a
recipe may give, and returns a `protocols.Objective`. An objective owns its projection head, queue
or momentum encoder; it sees the views of a batch and their codes, see `protocols.Batch`, never
labels or clusters. `_projection` is the head that contrastive objectives share.
"""
