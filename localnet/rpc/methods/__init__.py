"""The methods of JSON-RPC by theme. Each module lists its own in `METHODS`: name to handler."""
