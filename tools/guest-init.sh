#!/bin/sh
# PID 1 of a test guest: loads the virtio drivers, sets up eth0 from the kernel command line, then serves commands.
#
#   lan.ip=ADDRESS/BITS   address of eth0          lan.mtu=BYTES   its MTU
#   lan.ip=dhcp           an address by DHCP, tried once a second until there is one
#   lan.name=NAME         host name                lan.halt        power off once up (is this accelerator usable?)
#
# ttyS0 carries kernel messages and a shell for people. ttyS1 is for programs: after "@ready" each line
# "ID SECONDS COMMAND" runs COMMAND for at most SECONDS; its output is followed by a line "@ID STATUS".
export PATH=/bin HOME=/ TERM=vt100

main() {
  mount -t devtmpfs dev /dev
  mount -t proc proc /proc
  mount -t sysfs sys /sys
  mount -t tmpfs tmp /tmp
  while read -r module; do insmod "/modules/$module"; done </modules/order
  settings
  network
  [ -z "$halt" ] || { echo "@ready" >/dev/ttyS1; poweroff -f; }
  people </dev/ttyS0 >/dev/ttyS0 2>&1 &
  # Not in this process, which every orphan becomes a child of: a child's end makes ash's read forget half a line.
  programs </dev/ttyS1 >/dev/ttyS1 2>&1 &
  while :; do wait; done
}

settings() {
  address='' mtu=1500 name=guest halt=''
  read -r line </proc/cmdline
  for word in $line; do
    case $word in
      lan.ip=*) address=${word#*=} ;;
      lan.mtu=*) mtu=${word#*=} ;;
      lan.name=*) name=${word#*=} ;;
      lan.halt) halt=yes ;;
    esac
  done
}

network() {
  hostname "$name"
  ip link set lo up
  [ -e /sys/class/net/eth0 ] || return
  ip link set eth0 mtu "$mtu" up
  case $address in
    '') ;;
    dhcp) dhcp ;;
    *) ip address add "$address" dev eth0 ;;
  esac
}

# In the background, and goes on renewing. Its script is below, as udhcpc calls it.
dhcp() {
  mkdir -p /etc
  udhcpc -i eth0 -b -t 1 -T 1 -A 1 -x "hostname:$name" -s /init -p /tmp/udhcpc.pid >/tmp/udhcpc.log 2>&1
}

# $1 is what happened; udhcpc gives the rest by names in the environment.
# shellcheck disable=SC2154
dhcp_event() {
  case $1 in
    deconfig) ip -4 address flush dev "$interface" ;;
    bound | renew)
      ip address replace "$ip/$mask" dev "$interface"
      [ -z "$router" ] || ip route replace default via "$router"
      [ -z "$mtu" ] || ip link set "$interface" mtu "$mtu"
      : >/etc/resolv.conf
      [ -z "$domain" ] || echo "search $domain" >>/etc/resolv.conf
      for server in $dns; do echo "nameserver $server" >>/etc/resolv.conf; done
      ;;
  esac
  echo "$1 ip=$ip mask=$mask router=$router dns=$dns domain=$domain mtu=$mtu lease=$lease" >>/tmp/dhcp.events
}

people() {
  while :; do PS1="$name# " setsid cttyhack sh; done
}

programs() {
  stty raw -echo
  echo "@ready"
  while read -r id seconds command; do
    timeout -s KILL "$seconds" sh -c "$command" </dev/null 2>&1
    printf '\n@%s %s\n' "$id" $?
  done
}

case $$ in
  1) main ;;
  *) dhcp_event "$@" ;;
esac
