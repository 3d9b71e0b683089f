"""What is trained, and how it is kept: encoders, the checkpoint file and its history on disk.

Imports recipes and images. How a model is trained must not enter: a checkpoint opens without the
training loop.
"""
