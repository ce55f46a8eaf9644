#!/bin/sh
# Makes and installs a package `tailscale` of the stand-in beside this script. Run in the machine.
set -e
folder=$(mktemp -d)
mkdir -p "$folder/DEBIAN" "$folder/usr/bin" "$folder/lib/systemd/system"
cat >"$folder/DEBIAN/control" <<END
Package: tailscale
Version: 0.0.1
Architecture: all
Maintainer: The developers of Freehold <root@localhost>
Description: stand-in
END
cat >"$folder/lib/systemd/system/tailscaled.service" <<END
[Service]
ExecStart=/bin/sleep infinity

[Install]
WantedBy=multi-user.target
END
install -m 755 "$(dirname "$0")/tailscale" "$folder/usr/bin/tailscale"
chmod 755 "$folder"
dpkg-deb --root-owner-group --build "$folder" /srv/tailscale.deb
dpkg -i /srv/tailscale.deb
