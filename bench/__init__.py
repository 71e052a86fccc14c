"""The project's benchmark: the installed collector against a bare bound and its peers.

``make bench`` runs it; docs/performance.md says what is measured and how to repeat it.

    generator, tenants, sink    what a collector stands between, in processes of their own
    bound, peers                the same job as a bare script, and as others do it
    rows/                       what is run for which goal, and the figures it gives
    workers/                    single stages that rows measure, each in a fresh interpreter
    outcome, report, documents  the figures as tables, as JSON, and in docs/performance.md
"""
