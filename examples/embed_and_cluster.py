"""Train on an array, look at the embedding, and try another number of clusters.

python examples/embed_and_cluster.py trainX.npy
"""

import sys

import numpy as np

import shoal

source = shoal.open_source(sys.argv[1])
recipe = shoal.override(shoal.BEST, ["epochs=5", "seed=1"])
checkpoint, two = shoal.fit(source, "runs/example.pth", recipe)
five = shoal.predict(source, checkpoint, n_clusters=5)
print(
    "embedding", two.embedding.shape, "clusters", np.bincount(two.labels), np.bincount(five.labels)
)
print("least certain:", [two.ids[i] for i in two.confidence.argsort()[:5]])
