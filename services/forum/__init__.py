"""The forum service: what a community and its police agree to look at together, and whether it was done.

Promises:

- A forum's state is earned. It is *established* on paper and *active* by what it does; without activity it becomes
  *at risk* and then *dormant*, by a clock and its own rhythm, and only another activity brings it back.
- Whether there was a quorum is computed from counts, never declared.
- Nobody verifies their own act: an action is verified by a member of another sector than its owner, through another
  account than the one that claimed it; an answer is judged through another account than the one that gave it.
- Forum roles see and write their own forum and nothing else. What a closed or a women-only session did, and the
  concerns and actions that came out of it, is shown to that forum only.
- No property of a person beyond a name, a contact and the sector they speak for is kept; everything else about
  people is a count. Facts hold counts, states, dates and numbers, never a name or a sentence.

On failure: a refused request changes nothing and takes no number. Timers do a bounded pass, in order of time, and can
be run again at any moment: what they find is in the rows, not in their memory.

Modules: `model` (pure rules) < `tables` < `access`, `facts` < `handlers` (one use case, one function) and `views`
(rows to plain values) < `service` (the doors).
"""
