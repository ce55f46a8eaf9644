"""What follows from `services` as a whole: who reaches whom where, what is scraped, routed, probed and told. Pure.

Made of `Infra` alone; `providers.compose` puts it into the templates of descriptors.
"""
