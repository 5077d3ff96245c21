"""The contract of the log: Avro schemas, the typed records that mirror them, the table of topics, and the codec."""
