import { expect, it } from 'vitest'
import { userAgentClass } from '../../../protocols/bounty/user_agent.ts'

it.each([
  ['', 'empty', null, null],
  ['Mozilla/5.0 zgrab/0.x', 'scanner', 'zgrab', null],
  ['Mozilla/5.0 (compatible; Nmap Scripting Engine)', 'scanner', 'nmap', null],
  ['sqlmap/1.7 1=1', 'scanner', 'sqlmap', ['injection_like']],
  ['NIKTO', 'scanner', 'nikto', ['suspicious_short']],
  ['curl/8.5.0', 'cli', 'curl', null],
  ['wget/1.21', 'cli', 'wget', null],
  ['python-requests/2.31.0', 'library', 'python-requests', null],
  ['Python-urllib/3.11', 'library', 'urllib', null],
  ['Python/3.11 aiohttp/3.9', 'library', 'python-stdlib', null],
  ['Go-http-client/1.1', 'library', 'go-stdlib', null],
  ['Java/17.0.2', 'library', 'java-stdlib', null],
  ['Javascript thing', 'nonstandard', null, null],
  ['got (https://github.com/x)', 'nonstandard', null, null],
  ['got/11.8.2', 'library', 'got', null],
  ['PHP/8.2.1', 'library', 'php-stdlib', null],
  ['Ruby, of some sort', 'library', 'ruby', null],
  ['.NET/8.0.1', 'library', 'dotnet', null],
  ['PostmanRuntime/7.36', 'library', 'postman', null],
  ['x GuzzleHttp/7', 'library', 'guzzle', null],
  ['RestSharp/110.2', 'library', 'dotnet', null],
  ['Mozilla/5.0 (compatible; bingbot/2.0)', 'bot', null, null],
  ['Mozilla/5.0 (X11; Linux x86_64)', 'browser', null, null],
  ['Mozilla five', 'nonstandard', null, null],
  ['ZZ/1', 'nonstandard', null, ['suspicious_short']],
  ['xnmapx and more', 'nonstandard', null, null],
])('takes %j for %s, tool %s', (value, category, tool, signals) => {
  expect(userAgentClass(value)).toEqual({ category, tool, signals })
})

it.each([
  ['a tab only', 'a\tb and more', null],
  ['a line feed', 'a\nb and more', ['nonprintable']],
  ['513 characters', 'a'.repeat(513), ['suspicious_long']],
  ['512 characters', 'a'.repeat(512), null],
  ...['<SCRIPT>', "x';x", "' OR '", "' or 1", "' --", '/../', '/etc/passwd', '${JNDI:', '{{'].map(
    (sign): [string, string, string[]] => [sign, `padding ${sign}`, ['injection_like']],
  ),
])('finds what is odd about %s', (_, value, signals) => {
  expect(userAgentClass(value).signals).toEqual(signals)
})
