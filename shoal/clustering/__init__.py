"""From vectors to clusters: clusterers, ways to divide a pile, the number of clusters, trees.

`clustering.Clustering` is the value that the rest of shoal reads. `splits` compares and orders ways
to divide a pile, `choose_k` and `n_clusters` weigh numbers of clusters, `build_tree` and `tree`
grow and cut a tree of fine groups; `graph`, `diffusion` and `partitions` are the mathematics. This
room imports the embedding and what lies below. No label enters, and how far clusters can be trusted
is computed in `shoal.scoring`.
"""
