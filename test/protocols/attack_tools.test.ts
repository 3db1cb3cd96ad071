import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readHeaders, toolsByHeader } from '../../protocols/attack_tools.ts'

it.each([
  ['an object', { 'User-Agent': 'curl/8.5.0', 'X-Mailer': 'GoPhish' }],
  ['JSON', '{"user-agent":"curl/8.5.0","x-mailer":"gophish 1"}'],
  ['the printed form', `{'USER-AGENT': 'curl/8.5.0', 'X-Note': "it's", 'X-Mailer': 'gophish'}`],
])('finds tools in headers that are %s', (_, headers) => {
  expect(toolsByHeader(readHeaders(headers))).toEqual(['curl', 'gophish'])
})

it('knows a prefix from a part', () => {
  const tools = (agent: string) => toolsByHeader(readHeaders({ 'user-agent': agent }))
  expect(tools('x curl/8')).toEqual([])
  expect(tools('Mozilla/5.0 (compatible; Nmap Scripting Engine)')).toEqual(['nmap'])
  expect(tools('python-requests/2.31 sqlmap')).toEqual(['sqlmap', 'python_requests'])
})

it('takes anything else for no headers', () => {
  for (const value of [undefined, null, 7, [], '', 'x', '[1]', '{', "{'a", '{"a":1}']) {
    expect([...readHeaders(value).values()]).toEqual([])
  }
})

it('reads what is cut anywhere, and is done in one pass', () => {
  const printed = `{'User-Agent': 'curl/8', 'a\\'b': "c"}`
  for (let end = 0; end <= printed.length; end++) readHeaders(printed.slice(0, end))
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("'", '"', '\\', ':', ',', 'a') }), (text) => {
      readHeaders(`{${text}`)
    }),
  )
  const started = performance.now()
  readHeaders(`{'${"\\'".repeat(30_000)}`)
  readHeaders(`{${"'".repeat(60_000)}`)
  expect(performance.now() - started).toBeLessThan(500)
})
