"""What joins several worlds: serve and reconcile for the worker, and the demonstration."""
