"""Autoencoders. One architecture a file, with ``build(image_shape, **options) -> Encoder``."""
