"""The tests: kit, unit, services, replication, doors, cluster, bench, repo. See CONTRIBUTING.md."""
