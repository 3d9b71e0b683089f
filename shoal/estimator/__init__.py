"""shoal in scikit-learn's style: `ImageClusterer`.

Imports the pipeline and what lies below. Labels do not enter: ``y`` is ignored, as scikit-learn's
clusterers do.
"""

from shoal.estimator.image_clusterer import ImageClusterer as ImageClusterer
