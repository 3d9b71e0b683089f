"""Encoded images to pixels: what one file holds, its mode, its range, all cores at work.

`pile.decode_pile` is the way in. `worker` runs as a process of its own, so nothing here that it
imports may import torch.
"""
