"""Decoding: encoded images of any kind become pixels of one shape, on all cores.

`pile.decode_pile` decodes a whole pile. `image` decodes one image, `modes` brings its colours, its
size and its orientation into shape, and `survey` learns what is black and what is white. `worker`
is a process of its own: `worker`, `image`, `form` and `modes` must not import torch.
"""
