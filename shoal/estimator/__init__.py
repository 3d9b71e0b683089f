"""shoal in scikit-learn's style: `ImageClusterer`."""

from shoal.estimator.image_clusterer import ImageClusterer as ImageClusterer
