"""shoal in scikit-learn's style: `ImageClusterer`, and `VectorClusterer` for vectors from
elsewhere.

`image_clusterer` and `vector_clusterer` fit, `checkpoint_estimator` holds the methods of a fitted
estimator, `encoder_estimator` those that need an encoder, `reviewed_estimator` shows the page of
`shoal.review`, `parameters` checks the parameters, `validation` and `inputs` turn ``X`` into
images. This room imports the pipeline and what lies below it, and the review. Labels must not
enter: ``y`` is ignored, as scikit-learn's own clusterers ignore it.
"""

from shoal.estimator.image_clusterer import ImageClusterer as ImageClusterer
from shoal.estimator.vector_clusterer import VectorClusterer as VectorClusterer
