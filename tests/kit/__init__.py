"""What the tests stand on: private servers, databases on both backends, a bad line, waiting with a bound,
nodes.
"""
