"""Piles of images: opening, decoding, caching, and reading them, a batch at a time.

`open.open_source` opens a pile in any of the `formats`; `decoding` turns encoded images into pixels
and `cache` keeps them; `array` and `subset` are the sources that other rooms read; `originals` are
the images before they were resized. Here is also what every room needs of files: `files` and
`csv_files` write and read them, `checks` and `output_checks` check what a user gives.

The room may import `shoal.errors`, `shoal.plural` and `shoal.protocols`, nothing else of shoal.
Nothing that learns, clusters or draws may enter. Worker processes import parts of `decoding`, which
must not import torch.
"""
