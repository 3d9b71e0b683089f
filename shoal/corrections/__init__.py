"""Corrections: what a person said about the groups of a pile, kept by the ids of the images.

`journal` is the file: append-only, a line an entry. `entry` is what a person says, `say` makes one
from words such as merge or move, and `groups` is what all entries together come to, the same on
every machine: it needs no embedding. `corrected` gives an `ImageTable` as the person left it.
`parts`, `spread`, `dissolve` and `questions` compute on the embedding what a person may say next.

This room imports what scores, clusters and embeds, never figures, a web library or commands.
Corrections are a person's own; labels that measure stay in `scoring.evaluation`.
"""
