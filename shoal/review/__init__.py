"""Review: the page in a browser on which a person corrects the groups of a pile.

A local server shows the page and turns clicks into entries of the journal, see `corrections`. This
room alone imports a web framework. It imports figures and exports, never reports or commands.
"""
