"""The doors of the case service, one class for each part of the work; `service.py` puts them together.

A class here declares nothing but doors, subscriptions and timers. Its database, relay and settings are those of
the service that it becomes part of."""
