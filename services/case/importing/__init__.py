"""Past cases and partners that an office keeps in a table, taken over row by row.

Promises. A row is taken over whole or not at all. It goes through the shape and the rules of the API: what the API
would refuse is refused here, with its cell and the reason. A row is known by the office's own number in its column
`key`, so an import that was interrupted, or whose bad rows were corrected, is run again with the same file and takes
over what is missing. Nothing is guessed: which column means what, and which of the office's words means which of ours,
stands in a mapping file; a word that it does not list is a bad row.

An imported case counts like any other: its class follows from the answers, and where the register has none they are
`unknown`. It is told as `case.imported.v1`, of which nobody is notified. The office's number is kept as a keyed
hash."""
