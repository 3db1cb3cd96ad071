/** Protocol versions of TLS as people write them. */

const NAMES: Readonly<Record<number, string>> = {
  2: 'SSL 2.0',
  768: 'SSL 3.0',
  769: 'TLS 1.0',
  770: 'TLS 1.1',
  771: 'TLS 1.2',
  772: 'TLS 1.3',
}

/**
 * @param version the 16-bit number of the wire
 * @returns `TLS 1.2`, or the number where it has no name: `0x7f17` is draft 23 of TLS 1.3
 */
export const tlsVersionName = (version: number): string =>
  NAMES[version] ?? `0x${version.toString(16).padStart(4, '0')}`
