"""infra.yml and infra.d/ to a checked `model.Infra`, with a place for everything that is wrong. Door: `config.load`."""
