"""What can be known of clusters without labels: signals of trust, and what confidence they allow.

`signals` measures how far a clustering survives what should not matter to it; `calibration` makes
of that an expected accuracy with its interval, and turns memberships into confidences that mean
"how often such images are right". Everything here works on arrays: embeddings, memberships and
clusters come in, and nothing here embeds an image. It may import the clusterers' plumbing
(`partitions`, `neighbours`) and scikit-learn, nothing above; labels must not enter.
"""
