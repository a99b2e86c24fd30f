"""The schema, in steps that Tortoise's migrator applies in order. Each step is SQL of our own:
composite keys, CHECKs, partitions and rights are beyond what models can declare."""
