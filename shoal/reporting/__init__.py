"""The report: what was improved, how it looks, what was found and how it was made.

`contents` says it as a `document`, and `pdf` and `html` set that document, each in its own way.
"""
