"""Piles in the cloud: `s3://`, `gs://`, `http(s)://` and `memory://`, all through fsspec.

`location` makes a value of what a person typed; `listing` finds the files that it means; `files`
opens one of them, so that the readers of local files read it, too. `store` asks the store,
`patience` tries again, `given_up` remembers what was waited for in vain, `faults` says in a
sentence what went wrong.

**How a shard is read.** In parts, as the reader asks for them, and a few parts ahead where it goes
through the file in order. So of a zip or Parquet file the table of contents is fetched, and of a
picture for a page its own bytes. A part that does not arrive is asked for again by itself. What was
fetched lies in one temporary file without a name, of at most `parts.LIMIT` bytes: nothing is left
behind, however the process ends. A server that sends no parts gives its files as a whole. Files
that a memory map or a library of its own reads (`.npy`, `.npz`, videos) are kept in the cache, see
`copies`.

**For whoever cuts a pile into tasks.** `listing.shards_of(path)` gives the shards as values that
can be pickled: name, size, stamp, and the number of images and the number of the first, where the
file tells these cheaply (Parquet). `listing.only(path, shards)` is a path to these shards alone:
`open_source` opens it like any other, fetches nothing of the rest, and gives the images the ids
that they have in the whole pile. Shards have other stamps once their content changed.

This package lies below `formats`, and is the only one that imports fsspec. It may import the rest
of `shoal.images` that `formats` may import.
"""
