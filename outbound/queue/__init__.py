"""The job queue: embedded Valkey and arq; its jobs point at durable rows and may run twice or never."""
