"""The encoder of tests that train."""

SMALL_ENCODER = ("encoder=vgg", "encoder.widths=(8,16)")
"""Settings of an encoder that tells the two kinds of the fixture `images` apart in one epoch."""
