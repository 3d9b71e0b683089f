"""Clusterers: methods that find the groups of points, one method a file.

Each file has ``build(*, n_clusters, random_state, **options)``, whose signature is the schema of
the options that a recipe may give. Each clusterer follows `protocols.Clusterer`: ``fit`` finds the
groups, and ``predict_proba`` says how surely each point, a new one too, belongs to each. `_base`
has what they share. A method may use `shoal.clustering.graph` and `partitions`, but reads neither
images nor labels.
"""
