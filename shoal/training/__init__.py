"""How an encoder learns: the loop, augmentation, objectives, optimizers, schedule, time limit.

`loop.train` is the entry: a generator of checkpoints. `start` builds a `run.Run`, new or resumed,
and a run takes the steps. Imports models and what lies below. Clusters, which the encoder is for,
must not enter, nor any label.
"""
