#!/usr/bin/env python3
"""Stands for curl in images: asks the URL that is its last word."""

import sys
import urllib.request

urllib.request.urlopen(sys.argv[-1], timeout=4)
