"""The only place where real implementations are chosen and joined: `chain` for who asks a chain, `worker` for the worker."""
