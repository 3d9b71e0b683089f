"""How an encoder learns: the loop, augmentation, objectives, optimizers, schedule, time limit.

Imports models and what lies below. What the encoder is for, clusters, must not enter, nor any
label.
"""
