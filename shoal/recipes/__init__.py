"""Recipes: everything that decides a run, as frozen values.

Here live `Recipe` and the named ones, the augmentations, the parts that recipes name, and changes
typed as ``FIELD=VALUE``. Imports `shoal.images` for checks of values. No tensor and no image
enters: a recipe is decided before anything is opened.
"""
