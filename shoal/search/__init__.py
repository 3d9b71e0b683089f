"""Search: pairs of the same kind, images similar to a query, copies, and outliers.

Each question has a function and a frozen result, which can write itself as a CSV file; `summaries`
puts results into words. Search imports the embedding, the clustering and the scores, never
figures, exports or commands. It draws nothing, and reads no labels.
"""
