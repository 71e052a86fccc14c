"""The state that survives: spool, known ids, checkpoints, ledger."""
