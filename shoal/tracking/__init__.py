"""Training made readable while it runs: TensorBoard.

May import what lies below `export`; the library of TensorBoard is an extra and is imported here
alone, inside functions. Nothing here changes the training, and no label enters.
"""
