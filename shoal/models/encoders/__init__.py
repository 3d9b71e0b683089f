"""Encoders: autoencoders, one architecture a file.

Each file has ``build(image_shape, **options)``, whose signature is the schema of the options that a
recipe may give, and returns a `protocols.Encoder`. Files that begin with an underscore hold layers
that several architectures share. An architecture imports PyTorch, `shoal.protocols` and checks of
values. It knows nothing of losses: how it is trained is decided in `shoal.training`.
"""
