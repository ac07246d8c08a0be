"""What carries readings and states: the broker and its streams, what is on the air and on the disk, who may publish.

`seal` and `wire` are the bytes on the air and in the streams; `journal`, `segments` and `spill` those on a disk;
`spans`, `refetch` and `repeats` find what is missing or double; `lease` and `outlet` let one processor publish.
"""
