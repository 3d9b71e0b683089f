"""From images to vectors: embedding, reduction, neighbours, and which images are unlike the pile.

`embed` applies an encoder to a source, `reduce` and the `reducers` give fewer numbers, `neighbours`
searches among them, and `table.ImageTable` is the result for each image. This room imports training
(for devices and views) and what lies below. It finds no clusters.
"""
