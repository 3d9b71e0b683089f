"""Results as files for people and for other programs: tables, folders of images, names of clusters.

`export` writes the images of a pile with their clusters, as `folders` or as `tables`;
`prediction` reads tables back; `naming` gives clusters names; `run_files` and `record` write the
folder of a run; `summaries` are results as text for a terminal. This room imports the pipeline,
search and plots. It never changes an original: images are copied or linked.
"""
