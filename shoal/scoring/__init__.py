"""How far clusters can be trusted, without labels: scores, calibration, warnings, the verdict.

`signals` are measured on a clustering, `calibration` turns them into confidences, `warnings` and
`verdict` into sentences; `examine` does all of it for a new checkpoint. This room imports
clustering and what lies below. `evaluation` is the exception: the only module that reads
labels, imported by commands and reports alone; an import contract keeps it so.
"""
