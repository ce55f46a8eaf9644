"""The timer of scheduled snapshots that Incus cannot make by itself."""
