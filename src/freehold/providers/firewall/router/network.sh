# Freehold: brings up the interface on which the host hands packets over. Run by freehold-firewall.service after the
# rules are loaded; may be run again at any time.
set -eu

find_interface() {
    for folder in /sys/class/net/*; do
        if [ "$(cat "$folder/address")" = "$HARDWARE" ]; then
            echo "${folder##*/}"
        fi
    done
}

set_value() { echo "$2" >"/proc/sys/net/ipv4/$1"; }

rule() { ip rule show | grep -q "^$1:" || ip rule add priority "$@"; }

tries=60
until interface=$(find_interface) && [ -n "$interface" ]; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { echo "there is no interface $HARDWARE" >&2; exit 1; }
    sleep 0.5
done
if [ "$interface" != transfer ]; then
    ip link set "$interface" down
    ip link set "$interface" name transfer
fi

# In and out by the same interface: nobody is to be told of a shorter way. Addresses of its own domain come in here too.
for name in all transfer; do set_value "conf/$name/send_redirects" 0; done
set_value conf/transfer/src_valid_mark 1
ip address flush dev transfer scope global
ip address replace "$ROUTER" dev transfer
ip address replace "$OWN/32" dev lo scope host
ip link set transfer up
# What comes from the host goes back to it, even to the domain that this machine is in; but only what the rules have seen.
rule 101 iif transfer blackhole
ip route replace default via "$HOST" dev transfer table 100
rule 100 iif transfer fwmark 1 lookup 100
ip route replace "$BASE" via "$HOST" dev transfer src "$OWN"
set_value ip_forward 1
