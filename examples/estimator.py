"""shoal as a scikit-learn estimator: compare settings without labels, keep the best, use it.

python examples/estimator.py trainX.npy
"""

import sys

import numpy as np
from sklearn.model_selection import GridSearchCV, KFold

import shoal

images = np.load(sys.argv[1])  # uint8 (n, H, W, 3); a list of paths of image files does as well
grid = {"n_clusters": [2, 3], "settings": [["views.min_crop=0.2"], ["views.min_crop=0.5"]]}
clusterer = shoal.ImageClusterer(epochs=5, random_state=0)
search = GridSearchCV(clusterer, grid, cv=KFold(2, shuffle=True, random_state=0)).fit(images)
print("best by the label-free score:", search.best_params_, round(search.best_score_, 3))

best = search.best_estimator_
best.save("runs/estimator.pth")
again = shoal.ImageClusterer.load("runs/estimator.pth")
labels, confidence = again.predict(images[:5]), again.score_samples(images[:5])
print("five images:", labels, confidence.round(2))
print("embedding", again.transform(images[:5]).shape, "codes", again.encode(images[:5]).shape)
print("reconstructions", again.reconstruct(images[:5]).shape)
