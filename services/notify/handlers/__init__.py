"""The use cases of notify, one function each, by what they are about: a session, plain values, `now` in; rows out."""
