"""The fault rig: a small country of real processes, brokers and databases, and everything bad that may happen to it.

    python -m tests.faults --seed 7 --rounds 20

Two governorates (one on SQLite, one on PostgreSQL) and both directorates, each with a RabbitMQ of its own; every line
between them is a proxy of ours. A round is: people write through the HTTP API, a scenario does its harm, it is healed,
and then an oracle that stands outside the system compares what was answered with what both directorates hold.

    servers    what outlives a country: four brokers, one PostgreSQL, nurseries of processes
    country    four nodes, their databases, their lines; made anew when a scenario has used one up
    ledger     what was accepted, what may have been, and what was refused; kept outside the system
    driver     the people: one thread a node, through the gateway, with Idempotency-Keys
    truth      what the engines' metrics say while a fault lasts, held against the databases
    oracle     what must be so once everything is healed
    scenarios  the harm, each by its name
    rig        rounds, seeds, the planted corruption, the report

All chance comes from the seed and the number of a round: one that failed is run again with `--seed` and `--from`.
"""
