"""The report: can it be trusted, what was found, how it was made; as a PDF and as a page.

Imports everything below the command line. Measured against labels where there are any: one of
the two importers of `scoring.evaluation`.
"""
