import { expect, it } from 'vitest'
import { addressCategory } from '../../protocols/address_category.ts'

it.each([
  ['unspecified', '0.0.0.0 ::'],
  ['loopback', '127.0.0.1 127.255.255.255 ::1'],
  ['link_local', '169.254.1.1 fe80::1 febf::1'],
  ['multicast', '224.0.0.1 239.255.255.255 ff02::1'],
  ['reserved', '240.0.0.1 255.255.255.255 64:ff9b::1 100::1 4000::1 fe00::1'],
  [
    'private',
    '0.0.0.1 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.127.255.255 192.0.2.1 ' +
      '198.51.100.7 203.0.113.9 198.18.0.1 fc00::1 fd12::1 2001:db8::1 2002:a00:1::',
  ],
  ['public', '1.1.1.1 8.8.4.4 172.32.0.1 100.128.0.1 100.63.255.255 2001:4860::8888 2620:fe::fe'],
])('knows what is %s', (category, ips) => {
  for (const ip of ips.split(' ')) expect([ip, addressCategory(ip)]).toEqual([ip, category])
})
