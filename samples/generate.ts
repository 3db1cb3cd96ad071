/** Writes the sample capture beside itself: `node samples/generate.ts`. */
import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { captureLines } from './capture.ts'

const text = captureLines()
  .map((line) => `${line}\n`)
  .join('')
writeFileSync(new URL('decnet.log.gz', import.meta.url), gzipSync(text, { level: 9 }))
