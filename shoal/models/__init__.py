"""Models and how they are kept: encoders, the checkpoint file, and its history on disk.

`checkpoint` reads and writes the file, `stored` checks what is in it, `facts` are its typed fields,
and `history` keeps the checkpoints of a run. This room imports recipes and images. The training
loop must not enter: a checkpoint opens without it.
"""
