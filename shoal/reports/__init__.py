"""Reports: what was found in a pile and how far to trust it, as a PDF and as a page.

`compose` puts the sections together, a module each, as a `document`; `pdf` and `html` set it, and
`explorer` is the map of a page. The room may import every other but the command line. It is one of
the two importers of `scoring.evaluation`: labels are measured against here, and nothing is trained
or chosen by them.
"""
