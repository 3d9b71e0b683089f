"""Groups. One method a file, with ``build(*, n_clusters, random_state, **options)``.

Each follows `protocols.Clusterer`: ``fit`` finds the groups, ``predict_proba`` says how surely
each image, new ones too, belongs to each.
"""
