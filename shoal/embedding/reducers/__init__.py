"""Reducers: methods that give each image fewer numbers, one method a file.

Each file has ``build(*, random_state, **options)``, whose signature is the schema of the options
that a recipe may give. Each reducer follows `protocols.Reducer`: ``fit_transform`` learns,
``transform`` takes new images, and ``get_arrays`` and ``set_arrays`` carry what was learned into a
checkpoint and back.
"""
