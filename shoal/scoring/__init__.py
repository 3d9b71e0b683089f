"""How far clusters can be trusted, without labels: scores, calibration, warnings, the verdict.

Imports clustering and what lies below. `evaluation` is the exception: the only module that reads
labels, imported by commands and reports alone; an import contract keeps it so.
"""
