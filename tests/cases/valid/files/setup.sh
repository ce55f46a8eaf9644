#!/bin/sh
mkdir -p /opt/app && touch /opt/app/.done
