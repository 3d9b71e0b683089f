"""Vectors from elsewhere: embeddings that another program made, with or without their images.

`open_vectors` opens `.npy`, `.npz` and Parquet files as a `VectorSource`, which is an
`ImageSource` that has a vector for each image, too. May import the rest of `images`; nothing here
clusters.
"""
