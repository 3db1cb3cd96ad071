import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import {
  corpusLog,
  transcript,
  transcriptFile,
} from '../../docs/transcripts/replay_edit_diff_explain.ts'

it.skipIf(!existsSync(corpusLog))(
  'shows in docs/ what replay, edit, diff and explain-event print today',
  () => expect(transcript()).toBe(readFileSync(transcriptFile, 'utf8')),
)
