#!/bin/sh
# Fetches the peers of `npm run bench`. Unpacks rsyslogd, syslog-ng, p0f, tshark and tcpreplay into
# node_modules/.peers: Debian lets only one of the first two be installed, and an installed one would
# start as a service. No root needed.
set -eu
into=$(cd "$(dirname "$0")/.." && pwd)/node_modules/.peers
mkdir -p "$into/debs" && cd "$into/debs"
apt-get download rsyslog libestr0 libfastjson4 liblognorm5 \
  syslog-ng-core libivykis0 libnet1 libpcre3 libjson-c5 libwrap0 libglib2.0-0 \
  p0f tcpreplay libdumbnet1 libpcap0.8 libdbus-1-3 \
  tshark wireshark-common libwireshark16 libwireshark-data libwiretap13 libwsutil14 libbrotli1 \
  libc-ares2 liblua5.2-0 liblz4-1 libnghttp2-14 libsmi2ldbl libsnappy1v5 libxml2 libicu72 libpcre2-8-0
for deb in *.deb; do dpkg -x "$deb" "$into"; done
rm -r "$into/debs"
npm install --prefix "$into/js" --no-save --no-audit --no-fund graphology@0.26.0 graphology-components@1.5.4 \
  fastify-sse-v2@4.2.2 @fastify/sse@0.6.0
