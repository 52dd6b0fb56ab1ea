"""Revisions of the forum database, oldest first by number."""
