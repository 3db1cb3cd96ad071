#!/bin/sh
# Fetches the peers of `npm run bench`. Unpacks rsyslogd and syslog-ng into node_modules/.peers: Debian lets only one of
# them be installed, and an installed one would start as a service. No root needed.
set -eu
into=$(cd "$(dirname "$0")/.." && pwd)/node_modules/.peers
mkdir -p "$into/debs" && cd "$into/debs"
apt-get download rsyslog libestr0 libfastjson4 liblognorm5 \
  syslog-ng-core libivykis0 libnet1 libpcre3 libjson-c5 libwrap0 libglib2.0-0
for deb in *.deb; do dpkg -x "$deb" "$into"; done
rm -r "$into/debs"
npm install --prefix "$into/js" --no-save --no-audit --no-fund graphology@0.26.0 graphology-components@1.5.4
