/** Certificates in bytes, for tests. */
import { hex } from './hello_bytes.ts'

/** Issued by itself; valid from 2026 to 2109; names of four kinds. */
export const CERTIFICATE = hex(`
  308202643082020aa00302010202012a300a06082a8648ce3d0403023068310b3009060355040613024445310f
  300d06035504080c0648657373656e3113301106035504070c0a4261642056696c62656c310c300a060355040a
  0c034c6162310f300d060355040b0c064465636f79733114301206035504030c0b6c61622e6578616d706c6530
  20170d3236313132383139313531385a180f32313039303131373139313531385a3068310b3009060355040613
  024445310f300d06035504080c0648657373656e3113301106035504070c0a4261642056696c62656c310c300a
  060355040a0c034c6162310f300d060355040b0c064465636f79733114301206035504030c0b6c61622e657861
  6d706c653059301306072a8648ce3d020106082a8648ce3d030107034200043d5d4a7ce7da548373287098e84d
  786b0340b09fbe58f1fce1f08cba224b64dc9b9b6b73be90553d9731ba47cbbe9b9ba3a880ee1d2c3f173c2d9c
  aade749f1ca381a230819f301d0603551d0e041604148ca41da715af1d4be7ee11def72413e264d99713301f06
  03551d230418301680148ca41da715af1d4be7ee11def72413e264d99713300f0603551d130101ff0405300301
  01ff304c0603551d1104453043820b6c61622e6578616d706c658704c000020a871020010db800000000000000
  0000000010810d61406c61622e6578616d706c65820d2a2e6c61622e6578616d706c65300a06082a8648ce3d04
  0302034800304502204ace40283fd58a339ff740e7a5b433433f2c5cce9764e9e82810e7be75625e8602210083
  db2c0f16b7a9163f0c546a2159f4b0f98e8ebb42887d5bd5a9247d8c11c225`)

/** One value of DER. */
export function der(tag: number, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => (typeof part === 'string' ? hex(part) : part)))
  const { length } = content
  const size = length < 128 ? [length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

/** A relative name of one attribute; `type` is the body of an OID in hex. */
export const attribute = (type: string, value: Uint8Array): Buffer =>
  der(0x31, der(0x30, der(6, type), value))

/** A certificate as bare as the standard allows. */
export function bareCertificate(parts: {
  issuer?: Uint8Array
  subject?: Uint8Array
  extensions?: Uint8Array
}): Buffer {
  const { issuer = Buffer.alloc(0), subject = Buffer.alloc(0), extensions } = parts
  const time = der(0x17, Buffer.from('260101000000Z'))
  return der(
    0x30,
    der(
      0x30,
      der(2, '01'),
      der(0x30, der(6, '2a8648')),
      der(0x30, issuer),
      der(0x30, time, time),
      der(0x30, subject),
      der(0x30, der(0x30), der(3, '00')),
      extensions ? der(0xa3, der(0x30, extensions)) : Buffer.alloc(0),
    ),
    der(0x30, der(6, '2a8648')),
    der(3, '00'),
  )
}
