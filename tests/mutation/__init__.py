"""Rules and routes broken on purpose, to see that their proofs notice: `make mutate`."""
