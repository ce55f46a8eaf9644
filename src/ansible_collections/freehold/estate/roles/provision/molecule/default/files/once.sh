#!/bin/sh
# Has effect once: what it creates is there afterwards.
echo run >>/var/lib/once
