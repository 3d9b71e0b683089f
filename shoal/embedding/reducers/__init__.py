"""Fewer numbers an image. One method a file, with ``build(*, random_state, **options)``.

Each follows `protocols.Reducer`: ``fit_transform`` learns, ``transform`` takes new images, and
``get_arrays``/``set_arrays`` carry what was learned into a checkpoint.
"""
