"""The host: REST, console, store, queue, scheduler, channels, command line."""
