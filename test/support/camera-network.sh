#!/bin/sh
# A network of its own with cameras on it, until standard input ends: $1 a folder for its files, $2 its address, $3 Node, $4 the camera of ONVIF,
# $5 and $6 a login. In namespaces of network and mounts (unshare -nm).
set -e
ip link set lo up
ip link add shoal0 type veth peer name shoal1
ip addr add "$2/24" dev shoal0
ip link set shoal0 up
ip link set shoal1 up
ip route add 224.0.0.0/4 dev shoal0
pids=
trap 'kill $pids 2>/dev/null; wait' EXIT

mkdir "$1/services" "$1/run"
cat >"$1/services/doorbell.service" <<'XML'
<?xml version="1.0" standalone="no"?><!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group>
  <name>Door. bell</name>
  <service><type>_rtsp._tcp</type><port>8554</port><txt-record>path=live/door</txt-record></service>
</service-group>
XML
cat >"$1/avahi.conf" <<'CONF'
[server]
use-ipv4=yes
use-ipv6=no
enable-dbus=no
CONF
mount --bind "$1/services" /etc/avahi/services
mount --bind "$1/run" /run
avahi-daemon -f "$1/avahi.conf" --no-drop-root --no-chroot --no-rlimits --no-proc-title &
pids="$pids $!"
coap-server-notls -g 224.0.1.187 -d 100 &
pids="$pids $!"
"$3" --conditions=source "$4" "$2" "$5" "$6" &
pids="$pids $!"
for i in 1 2 3 4 5 6 7 8 9 10; do
  printf jpeg | coap-client-notls -B 2 -m put -t 22 -f - "coap://$2/snapshot.jpg" && break
done
# A list that comes in several blocks.
i=0
while [ $i -lt 40 ]; do
  printf text | coap-client-notls -B 2 -m put -t 0 -f - "coap://$2/a-sensor-with-a-long-name-$i"
  i=$((i + 1))
done
echo "the network is there"
cat >/dev/null
