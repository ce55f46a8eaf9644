"""The catalog: what a service is, as descriptors in YAML. Nothing in here is imported for an estate without services.

`services.resolve` asks `catalog.Catalog` for the descriptors that infra.yml names; `cli.catalog` lists all.
"""
